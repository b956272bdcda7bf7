"""A new campaign: a form over the config's own keys, checked by the engine as one types, with its size beside it."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from dear_tui.form.check import AGAIN, again_field, check, load_fields, write_toml
from dear_tui.form.draft import Draft
from dear_tui.form.sources import FIRST, Start, from_file, from_sample, sample_names
from dear_tui.messages import ConfigSaved, DraftChecked, FieldsLoaded, Planned, StartRead
from dear_tui.planner.process import Planner
from dear_tui.planner.reports import Order, Report
from dear_tui.screens.base import SnapshotScreen
from dear_tui.screens.confirm import ConfirmScreen
from dear_tui.screens.save_config import SaveConfigScreen
from dear_tui.widgets.field_row import Choice, FieldRow, PathSuggester
from dear_tui.widgets.plan_pane import Plan, PlanPane
from dear_tui.widgets.status_text import MUTED
from engine.errors import DearError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.events import DescendantFocus
    from textual.timer import Timer

    from dear_tui.form.check import Checked
    from dear_tui.source import Snapshot
    from engine.config_fields import ConfigField
    from engine.size import Material

CHECK_SECONDS = 0.15
"""after the last key, until the draft is checked"""
MEASURE_SECONDS = 0.8
"""after the last change, until network and images are loaded and the time is measured"""
WIDE, ROOMY = 110, 150
STARTING = "a sample, a past campaign, or a TOML file: it fills the form, and every value can be changed"


class NewCampaignScreen(SnapshotScreen):
    """Esc leaves it; what was typed is asked about."""

    TAB = "campaigns"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide"), (ROOMY, "-roomy")]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "submit", "submit", tooltip="queue it, and start the worker where none runs"),
        Binding("f2", "save", "save", tooltip="save it as a TOML file"),
        Binding("escape,q", "leave", "back", key_display="esc", tooltip="to the campaigns"),
        Binding("f1", "app.show_keys", "keys", tooltip="what works here, also while typing"),
        Binding("question_mark", "app.show_keys", "keys", show=False, tooltip="what works here"),
        Binding("down", "app.focus_next", "next field", show=False, tooltip="also tab"),
        Binding("up", "app.focus_previous", "field before", show=False, tooltip="also shift+tab"),
    ]
    DEFAULT_CSS = """
    NewCampaignScreen {
        .body { height: 1fr; layout: horizontal; }
        .form { width: 1fr; height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
        PlanPane { width: 42; height: 1fr; }
        &.-narrow .body { layout: vertical; }
        &.-narrow PlanPane {
            width: 1fr; height: 7; layout: horizontal;
            .facts { width: 3fr; }
            .meaning { width: 2fr; padding: 0 0 0 2; }
        }
        &.-narrow .section { margin-top: 0; }
        &.-roomy .hint { display: block; }
        &.-roomy .problem-here { width: auto; max-width: 50%; }
        .section { color: $text-accent; text-style: bold; margin-top: 1; }
        .section.-first { margin-top: 0; }
        .start {
            height: 1;
            .key { width: 16; padding-left: 2; }
            Input, Select { width: 1fr; max-width: 60; }
            Input { background: $surface; &:focus { background: $surface-lighten-1; } }
            &:focus-within .key { color: $text-accent; text-style: bold; }
        }
        .paths { color: $foreground-muted; padding: 1 0 0 2; }
    }
    """

    def __init__(self, plan_with: Callable[[Order], Planner] = Planner) -> None:
        super().__init__()
        self._plan_with = plan_with
        self._fields: tuple[ConfigField, ...] = ()
        self._draft = Draft(Path())
        self._edition = 0
        """counts the changes of the draft: what was found out about another one is not shown"""
        self._is_touched = False
        self._checked: Checked | None = None
        self._plan = Plan()
        self._materials: dict[str, Material] = {}
        """network and data set -> what they offer"""
        self._planner: Planner | None = None
        self._guard = threading.Lock()
        """of the planner, which threads start and end"""
        self._delays: dict[str, Timer] = {}

    def compose_body(self) -> ComposeResult:
        """The form, empty until the keys are known, and the estimate."""
        with Container(classes="body"):
            yield VerticalScroll(Static(Content.styled("Loading ...", MUTED)), classes="form", can_focus=False)
            yield PlanPane()

    def on_mount(self) -> None:
        """Learn the keys off the event loop: the models that check a config take a moment to import."""
        super().on_mount()
        self.load_fields()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """What runs beside a measurement makes it slow, and is said."""
        beside = next((one.id for one in snapshot.campaigns or () if one.state == "running"), None)
        self._show_plan(beside=beside)

    # ---- the form

    @work(thread=True, group="load_fields")
    def load_fields(self) -> None:
        """Keys and samples."""
        self.post_message(FieldsLoaded(load_fields(), tuple(sample_names())))

    async def on_fields_loaded(self, message: FieldsLoaded) -> None:
        """Offer what to start from, and start from the first sample."""
        self._fields = message.fields
        campaigns = self.dear.snapshot.campaigns or ()
        options = [(f"sample {name}", f"sample:{name}") for name in message.samples]
        options += [(f"#{status.id} {status.name}", f"campaign:{status.id}") for status in campaigns]
        start, suggester = Choice(options, f"sample:{FIRST}"), PathSuggester(Path.cwd)
        form = self.query_one(".form")
        await form.remove_children()
        await form.mount(
            Static("start from", classes="section -first"),
            Horizontal(Static("one of these", classes="key"), start, classes="start"),
            Horizontal(
                Static("or a file", classes="key"),
                Input(placeholder="a TOML file; enter reads it", suggester=suggester, compact=True, id="file"),
                classes="start",
            ),
        )
        start.focus()

    def on_select_changed(self, event: Choice.Changed) -> None:
        """Start from something else."""
        kind, _, name = str(event.value).partition(":")
        self.read_start(kind, name)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Read the file; enter in a field goes to the next one."""
        if event.input.id != "file":
            self.focus_next()
        elif event.value.strip():
            self.read_start("file", event.value.strip())

    @work(thread=True, exclusive=True, group="read_start")
    def read_start(self, kind: str, name: str) -> None:
        """Read what to start from."""
        try:
            match kind:
                case "sample":
                    start = from_sample(name)
                case "campaign":
                    start = Start(self.dear.desk.config(int(name)), Path.cwd())
                case _:
                    start = from_file(Path(name), self._fields)
        except DearError as error:
            self.post_message(StartRead(None, str(error)))
        else:
            self.post_message(StartRead(start, ""))

    async def on_start_read(self, message: StartRead) -> None:
        """Fill the form."""
        if message.start is None:
            self.notify(message.problem, severity="error", timeout=10, markup=False)
            return
        for sentence in message.start.left_out:
            self.notify(sentence, severity="warning", timeout=10, markup=False)
        self._draft = Draft.of(message.start.tables, self._fields, message.start.folder)
        self._is_touched = False
        self._edition += 1
        form = self.query_one(".form")
        with self.app.batch_update():
            await form.query("FieldRow, .section.-key, .paths").remove()
            await form.mount_all(self._rows())
        self.check_draft()

    def _rows(self) -> list[Static | FieldRow]:
        rows: list[Static | FieldRow] = []
        section = None
        for one in (*self._fields, again_field()):
            if one.section != section:
                section = one.section
                rows.append(Static(section or "campaign", classes="section -key"))
            text = self._draft.texts.get((one.section, one.key), "")
            rows.append(FieldRow(one, text, lambda: self._draft.folder))
        return [*rows, Static(Content(f"relative paths start at {self._draft.folder}"), classes="paths")]

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Say what the focused key means."""
        row = event.widget.parent
        if isinstance(row, FieldRow):
            self.query_one(PlanPane).explain(row.title, row.help)
        else:
            self.query_one(PlanPane).explain("start from", STARTING)

    def on_field_row_changed(self, event: FieldRow.Changed) -> None:
        """Check the draft when the typing pauses; what was being measured is of no use any more."""
        self._draft.texts[event.place] = event.text
        self._is_touched = True
        self._edition += 1
        self._end_planner()
        self._show_plan(seconds=None, step="")
        self._after("check", CHECK_SECONDS, self.check_draft)

    # ---- checking and measuring

    @work(thread=True, exclusive=True, group="check_draft")
    def check_draft(self) -> None:
        """Off the event loop: paths are looked up, faults are drawn."""
        edition, draft = self._edition, Draft(self._draft.folder, dict(self._draft.texts))
        material = self._materials.get(self._material_key(draft))
        self.post_message(DraftChecked(check(draft, self._fields, material, None), edition))

    def on_draft_checked(self, message: DraftChecked) -> None:
        """Show what is wrong, or how large it is; then measure."""
        if message.edition != self._edition:
            return
        checked = self._checked = message.checked
        for row in self.query(FieldRow):
            row.show(row.place in checked.shown or row.place == AGAIN, checked.problems.get(row.place, ""))
        step = "" if checked.problems or checked.error else "waiting for the last key"
        self._plan = Plan(tuple(checked.problems.items()), checked.size, step=step, error=checked.error)
        self.show_snapshot(self.dear.snapshot)
        if step:
            self._after("measure", MEASURE_SECONDS, self._measure)

    def _measure(self) -> None:
        if self._checked and not self._plan.submitting:
            self.plan(Order(self._checked.tables, str(self._draft.folder)), self._edition)

    @work(thread=True, exclusive=True, group="plan")
    def plan(self, order: Order, edition: int) -> None:
        """Have a process estimate or submit the draft; it is ended when the draft changes."""
        with self._guard:
            if edition != self._edition:
                return
            planner = self._planner = self._plan_with(order)
        for report in planner.reports():
            self.post_message(Planned(report, edition))

    def on_planned(self, message: Planned) -> None:
        """Show what the planner found out."""
        report = message.report
        if message.edition != self._edition:
            return
        match report.kind:
            case "step":
                self._show_plan(step=report.value)
            case "material":
                self._materials[self._material_key(self._draft)] = _material(report)
                self.count()
            case "images":
                self.count(report.value)
            case "estimate":
                estimate = report.value
                by = f"on {estimate['device']} by method {estimate['method']}"
                self._show_plan(seconds=estimate["seconds"], by=by, step="")
            case "submitted":
                self._leave_submitted(report.value["campaign"], report.value["said"])
            case "error":
                self._show_plan(error=str(report.value).removeprefix("config: "), step="", submitting=False)

    @work(thread=True, exclusive=True, group="check_draft")
    def count(self, images: int | None = None) -> None:
        """Count again, with what is known of network and images now."""
        edition, draft = self._edition, Draft(self._draft.folder, dict(self._draft.texts))
        checked = check(draft, self._fields, self._materials.get(self._material_key(draft)), images)
        self.app.call_from_thread(self._show_size, checked, edition)

    def _show_size(self, checked: Checked, edition: int) -> None:
        if edition == self._edition:
            self._show_plan(size=checked.size, error=checked.error)

    def _material_key(self, draft: Draft) -> str:
        return repr([item for item in sorted(draft.texts.items()) if item[0][0] in ("model", "dataset") and item[1]])

    def _show_plan(self, **changes: object) -> None:
        self._plan = replace(self._plan, **changes)  # type: ignore[arg-type]
        self.query_one(PlanPane).show(self._plan)

    def _after(self, name: str, seconds: float, do: Callable[[], object]) -> None:
        """Do it so long after the last time this was asked for."""
        if name in self._delays:
            self._delays[name].stop()
        self._delays[name] = self.set_timer(seconds, do)

    def _end_planner(self) -> None:
        with self._guard:
            if self._planner is not None:
                self._planner.end()
                self._planner = None

    # ---- what becomes of it

    def action_submit(self) -> None:
        """Queue it."""
        if self._plan.submitting or self._checked is None:
            return
        if self._plan.problems:
            place, problem = self._plan.problems[0]
            self.notify(f"{place[1]}: {problem}", severity="error", markup=False)
            next(row for row in self.query(FieldRow) if row.place == place).query_one("Input, Select").focus()
            return
        self._end_planner()
        self._edition += 1
        self._plan = Plan(size=self._plan.size, step="starting", submitting=True)
        self._show_plan()
        order = Order(
            self._checked.tables,
            str(self._draft.folder),
            store=str(self.dear.store),
            again=self._draft.texts.get(AGAIN) == "true",
        )
        self.plan(order, self._edition)

    def _leave_submitted(self, campaign: int, said: list[str]) -> None:
        for sentence in said:
            self.app.notify(sentence, markup=False)
        self.dear.campaign = campaign
        self.dear.read_now()
        self.dismiss()

    def action_leave(self) -> None:
        """Give up submitting, or leave."""
        if self._plan.submitting:
            self._end_planner()
            self._edition += 1
            self._show_plan(submitting=False, step="", error="")
            self.check_draft()
        elif self._is_touched:
            question = ConfirmScreen("Leave the form?", "What was typed into it is forgotten; f2 would save it.")
            self.app.push_screen(question, lambda yes: self.dismiss() if yes else None)
        else:
            self.dismiss()

    def action_save(self) -> None:
        """Ask where to."""
        name = self._draft.texts.get(("", "name")) or "campaign"
        folder = self._draft.folder
        self.app.push_screen(SaveConfigScreen(folder, f"{name.replace('/', '-')}.toml"), self._save_unless_there)

    def _save_unless_there(self, path: Path | None) -> None:
        if path is not None:
            self.save(path, overwrite=False)

    @work(thread=True, group="save")
    def save(self, path: Path, overwrite: bool) -> None:
        """Write the file; one that is there is asked about."""
        if path.exists() and not overwrite:
            self.app.call_from_thread(self._ask_to_overwrite, path)
            return
        problem = ""
        try:
            write_toml(path, self._draft, self._checked.tables if self._checked else {}, self._fields)
        except OSError as error:
            problem = f"{path}: cannot be written ({error.strerror}); choose another file"
        self.post_message(ConfigSaved(str(path), problem))

    def _ask_to_overwrite(self, path: Path) -> None:
        question = ConfirmScreen(f"Overwrite {path.name}?", f"{path} is there already.")
        self.app.push_screen(question, lambda yes: self.save(path, overwrite=True) if yes else None)

    def on_config_saved(self, message: ConfigSaved) -> None:
        """Say it."""
        if message.problem:
            self.notify(message.problem, severity="error", timeout=10, markup=False)
        else:
            self._is_touched = False
            self.notify(f"saved {message.path}", markup=False)

    def on_unmount(self) -> None:
        """Nothing is measured for nobody."""
        with suppress(ProcessLookupError):
            self._end_planner()


def _material(report: Report) -> Material:
    from engine.faults.population import Layer
    from engine.size import Material

    layers = tuple(Layer(index, name, tuple(shape)) for index, (name, shape) in enumerate(report.value["layers"]))
    return Material(layers, report.value["images"])
