"""What the campaign of the form would be: faults, images, pairs, disk, time, or why it cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from dear_tui.human import duration, short_count
from dear_tui.widgets.status_text import MUTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult

    from dear_tui.form.draft import Place
    from engine.size import Size


@dataclass(frozen=True)
class Plan:
    """All that is known of it now."""

    problems: tuple[tuple[Place, str], ...] = ()
    size: Size | None = None
    seconds: float | None = None
    """computing time"""
    by: str = ""
    """the device and method that the time is of"""
    step: str = ""
    """what is being done to know more"""
    error: str = ""
    submitting: bool = False
    beside: int | None = None
    """a campaign that runs while it is measured"""


class PlanPane(VerticalScroll, can_focus=False):
    """A few lines, with the meaning of the focused key below, or beside in a narrow terminal."""

    DEFAULT_CSS = """
    PlanPane {
        padding: 0 1; border: round $surface-lighten-2; border-title-color: $foreground-muted;
        border-subtitle-color: $foreground-muted; scrollbar-size-vertical: 1;
        Static { height: auto; }
        .meaning { padding-top: 1; }
    }
    """

    def compose(self) -> ComposeResult:
        """What is known of the campaign, and what the focused key means."""
        yield Static(Content(""), classes="facts")
        yield Static(Content(""), classes="meaning")

    def on_mount(self) -> None:
        """Name it."""
        self.border_title = "estimate"

    def show(self, plan: Plan) -> None:
        """The present."""
        text = self.query_one(".facts", Static)
        content = Content("\n").join(_lines(plan))
        if content != text.content:
            text.update(content)

    def explain(self, title: str, meaning: str) -> None:
        """What the focused key means."""
        self.query_one(".meaning", Static).update(Content.assemble((title, "bold $text-accent"), f"\n{meaning}"))


def _lines(plan: Plan) -> Iterator[Content]:
    if plan.submitting:
        yield Content.styled(f"Submitting: {plan.step} ...", "$text-accent")
        yield Content.styled("esc gives up", MUTED)
        return
    if plan.problems:
        yield Content.styled("1 thing to mend" if len(plan.problems) == 1 else f"{len(plan.problems)} things to mend",
                             "bold $text-error")  # fmt: skip
        for (section, key), problem in plan.problems:
            table = f"[{section}] " if section else ""
            yield Content.assemble((f"{table}{key}: ", "$text-error"), problem)
        return
    if plan.error:
        yield Content.styled(plan.error, "$text-error")
        return
    yield from (Content.assemble((f"{name:8}", MUTED), value) for name, value in _facts(plan))
    if plan.beside is not None and (plan.seconds or plan.step):
        yield Content.styled(f"{'':8}measured beside campaign {plan.beside}, which runs", "$text-warning")


def _facts(plan: Plan) -> Iterator[tuple[str, str]]:
    size, pending = plan.size, "..." if plan.step else "-"
    yield "faults", f"{size.faults:,} of a population of {size.population:,}" if size else pending
    yield "images", f"{size.images:,}" if size and size.images is not None else pending
    yield "pairs", f"{size.pairs:,}" if size and size.pairs is not None else pending
    yield "disk", f"{short_count(size.disk_bytes)}B" if size and size.disk_bytes is not None else pending
    if plan.seconds is not None:
        yield "time", f"about {duration(plan.seconds)} {plan.by}"
    else:
        yield "time", f"{plan.step} ..." if plan.step else pending
