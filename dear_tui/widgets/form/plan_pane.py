"""What the campaign of a form would be, found out by a process of its own: faults, images, pairs, disk and time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual import work
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from dear_tui.form.check import NOWHERE
from dear_tui.planner.process import Planner
from dear_tui.planner.reports import Report
from dear_tui.widgets.common.status_text import MUTED
from engine.units import between, byte_count, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from textual.app import ComposeResult

    from dear_tui.form.draft import Place
    from dear_tui.planner.reports import Order
    from engine.running.campaign_size import Material, Size


@dataclass(frozen=True)
class PlanState:
    """All that is known of it now."""

    problems: Mapping[Place, str]
    """what is wrong with the config, in its order; it is told at its fields"""
    size: Size | None = None
    time: str = ""
    """from the start to the finished campaign, in words; empty before that is known"""
    setup: str = ""
    """what of it passes before the first pair"""
    by: str = ""
    """the device and method that the time is of"""
    step: str = ""
    """what is being done to know more"""
    error: str = ""
    """why there can be no such campaign"""
    submitting: bool = False
    beside: int | None = None
    """a campaign that runs while this one is measured"""


class PlanPane(VerticalScroll, can_focus=False):
    """A few lines, with the meaning of the focused key below, or beside in a narrow terminal."""

    DEFAULT_CSS = """
    PlanPane {
        padding: 0 1; border: round $surface-lighten-2; border-title-color: $foreground-muted;
        scrollbar-size-vertical: 1;
        Static { height: auto; }
        .meaning { padding-top: 1; }
    }
    """

    @dataclass
    class Offered(Message):
        """Network and images are loaded; or, with `images`, ranked."""

        material: Material
        images: int | None = None

    @dataclass
    class Submitted(Message):
        """The campaign is queued."""

        campaign: int
        said: list[str]

    @dataclass
    class Refused(Message):
        """There can be no such campaign."""

        sentence: str

    def __init__(self, plan_with: Callable[[Order], Planner] = Planner) -> None:
        super().__init__()
        self.plan = PlanState({})
        self._plan_with = plan_with
        self._material: Material | None = None
        self._turn = 0
        """counts the orders: what was found out for an earlier one is not shown"""
        self._planner: Planner | None = None
        self._guard = threading.Lock()
        """of the two above, which threads use"""

    def compose(self) -> ComposeResult:
        """What is known of the campaign, and what the focused key means."""
        yield Static(Content(""), classes="facts")
        yield Static(Content(""), classes="meaning")

    def on_mount(self) -> None:
        """Give the pane its title."""
        self.border_title = "estimate"

    def show(self, **changes: object) -> None:
        """The plan with these changes."""
        self.plan = replace(self.plan, **changes)  # type: ignore[arg-type]
        text = self.query_one(".facts", Static)
        content = Content("\n").join(_lines(self.plan))
        if content != text.content:
            text.update(content)

    def explain(self, title: str, meaning: str) -> None:
        """What the focused key means."""
        self.query_one(".meaning", Static).update(Content.assemble((title, "bold $text-accent"), f"\n{meaning}"))

    def carry_out(self, order: Order) -> None:
        """Have a process estimate or submit, instead of what one does now."""
        self.give_up()
        self.hear_reports(order, self._turn)

    def give_up(self) -> None:
        """End what is being done, at once."""
        with self._guard:
            self._turn += 1
            if self._planner is not None:
                self._planner.end()
                self._planner = None

    on_unmount = give_up

    @work(thread=True, group="planner")
    def hear_reports(self, order: Order, turn: int) -> None:
        """Until the process ends."""
        with self._guard:
            if turn != self._turn:
                return
            try:
                planner = self._planner = self._plan_with(order)
            except OSError as error:
                refused = Report("error", f"no process can be started to try it out ({error.strerror}); end other ones")
                self.app.call_from_thread(self._show_report, refused, turn)
                return
        for report in planner.reports():
            self.app.call_from_thread(self._show_report, report, turn)

    def _show_report(self, report: Report, turn: int) -> None:
        if turn != self._turn:
            return
        match report.kind:
            case "step":
                self.show(step=report.value)
            case "material":
                self._material = _material(report)
                self.post_message(self.Offered(self._material))
            case "images" if self._material:
                self.post_message(self.Offered(self._material, report.value))
            case "estimate":
                by = f"on {report.value['device']} by method {report.value['method']}"
                self.show(size=self.plan.size or _size(report), **_times(report), by=by, step="")
            case "submitted":
                self.post_message(self.Submitted(report.value["campaign"], report.value["said"]))
            case "error":
                self.show(step="", submitting=False)
                self.post_message(self.Refused(report.value))


def _material(report: Report) -> Material:
    from engine.faults.population import Layer
    from engine.running.campaign_size import Material

    layers = tuple(Layer(index, name, tuple(shape)) for index, (name, shape) in enumerate(report.value["layers"]))
    return Material(layers, report.value["images"], report.value["injected"])


def _size(report: Report) -> Size:
    """Of a campaign that only the estimate could count."""
    from engine.running.campaign_size import Size

    return Size(**{key: report.value[key] for key in ("faults", "population", "images", "pairs", "disk_bytes")})


def _times(report: Report) -> dict[str, str]:
    """Within which range it is, and how much of it passes before the first pair."""
    least, most, setup = (report.value[f"{name}_seconds"] for name in ("least", "most", "setup"))
    return {"time": between(least, most), "setup": duration(setup)}


def _lines(plan: PlanState) -> Iterator[Content]:
    if plan.submitting:
        yield Content.styled(f"Submitting: {plan.step}", "$text-accent")
        yield Content.styled("esc gives up", MUTED)
    elif plan.problems:
        count = len(plan.problems)
        yield Content.styled("1 field to fix" if count == 1 else f"{count} fields to fix", "bold $text-error")
        yield Content.styled("f5 goes to it" if count == 1 else "f5 goes to the first", MUTED)
        if NOWHERE in plan.problems:
            yield Content.styled(plan.problems[NOWHERE], "$text-error")
    elif plan.error:
        yield Content.styled(plan.error, "$text-error")
    else:
        yield from (Content.assemble((f"{name:8}", MUTED), value) for name, value in _facts(plan))
        if plan.beside is not None and (plan.time or plan.step):
            yield Content.styled(f"{'':8}measured beside campaign {plan.beside}, which runs", "$text-warning")


def _facts(plan: PlanState) -> Iterator[tuple[str, str]]:
    size, pending = plan.size, "..." if plan.step else "-"
    yield "faults", f"{size.faults:,} of a population of {size.population:,}" if size else pending
    if size and size.injected:
        yield "weights", size.injected
    yield "images", f"{size.images:,}" if size and size.images is not None else pending
    yield "pairs", f"{size.pairs:,}" if size and size.pairs is not None else pending
    yield "disk", byte_count(size.disk_bytes) if size and size.disk_bytes is not None else pending
    if plan.time:
        yield "time", f"{plan.time} {plan.by}"
        yield "", f"{plan.setup} of it before the first pair"
    else:
        yield "time", plan.step or pending
