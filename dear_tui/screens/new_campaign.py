"""A new campaign: a form over the config's own keys, checked by the engine as one types, with its size beside it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.command import SimpleCommand, SimpleProvider
from textual.content import Content
from textual.widgets import Static

from dear_tui.form.check import AGAIN, again_field, write_toml
from dear_tui.form.draft import Draft
from dear_tui.form.sources import sample_names
from dear_tui.planner.reports import Order
from dear_tui.screens.base import SnapshotScreen
from dear_tui.screens.dialogs.confirm import ConfirmScreen
from dear_tui.screens.dialogs.dialog import AnswersOnce, Palette
from dear_tui.screens.dialogs.save_config import SaveConfigScreen
from dear_tui.screens.draft import DraftCheck
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.campaigns.start_picker import StartPicker
from dear_tui.widgets.common.panes import Panes
from dear_tui.widgets.common.status_text import MUTED
from dear_tui.widgets.form.choice import Choice
from dear_tui.widgets.form.field_row import FieldRow
from dear_tui.widgets.form.form import Form
from dear_tui.widgets.form.plan_pane import PlanPane

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.events import DescendantFocus

    from dear_tui.access.store_location import Snapshot
    from engine.config.fields import ConfigField

WIDE, ROOMY = 110, 150
LEAST_WIDTH, LEAST_HEIGHT = (56, 30), (6, 5)
"""columns and lines of form and estimate that can be read"""
STARTING = "a sample, a past campaign, or a TOML file: it fills the form, and every value can be changed"


class NewCampaignScreen(AnswersOnce, SnapshotScreen):
    """Esc leaves it; what was typed is asked about."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide"), (ROOMY, "-roomy")]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "new-campaign-screen",
        Binding("f5", "submit", "submit", tooltip="queue it, and start the worker where none runs"),
        Binding("f2", "save", "save", tooltip="save it as a TOML file"),
        Binding("escape,q", "leave", "back", tooltip="to the campaigns"),
        Binding("f1", "app.show_keys", "keys", tooltip="what works here, also while typing"),
        Binding("question_mark", "app.show_keys", "keys", show=False, tooltip="what works here"),
        Binding("down", "app.focus_next", "next field", show=False, tooltip="also tab"),
        Binding("up", "app.focus_previous", "field before", show=False, tooltip="also shift+tab"),
    )
    DEFAULT_CSS = """
    NewCampaignScreen {
        Form { width: 1fr; height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
        PlanPane { width: 48; height: 1fr; }
        &.-narrow .body { layout: vertical; }
        &.-narrow PlanPane {
            width: 1fr; height: 7; layout: horizontal;
            .facts { width: 3fr; }
            .meaning { width: 2fr; padding: 0 0 0 2; }
        }
        &.-narrow .section { margin-top: 0; }
        &.-roomy .hint { display: block; }
        &.-roomy FieldRow Input, &.-roomy FieldRow Select { max-width: 40; }
        .section { color: $text-accent; text-style: bold; margin-top: 1; }
        .section.-first { margin-top: 0; }
        .paths { color: $foreground-muted; padding: 1 0 0 2; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.checking = DraftCheck(self)
        self._is_touched = False
        self._gpus = 0
        """of this machine, once it was asked"""

    def compose_body(self) -> ComposeResult:
        """The form, empty until the keys are known, and the estimate."""
        with Panes("form", least_width=LEAST_WIDTH, least_height=LEAST_HEIGHT, classes="body"):
            yield Form(Static(Content.styled("Loading ...", MUTED)))
            yield PlanPane(self.dear.plan_with)

    def on_mount(self) -> None:
        """Learn the keys off the event loop: the models that check a config take a moment to import."""
        self.load_fields()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """What runs beside a measurement makes it slow, and is said."""
        beside = next((one.id for one in snapshot.campaigns or () if one.state == "running"), None)
        self.query_one(PlanPane).show(beside=beside)

    # ---- the form

    @work(thread=True, group="load_fields")
    def load_fields(self) -> None:
        """Read the keys of a config and the sample configs."""
        from engine.config.fields import config_fields  # imports pydantic

        now = self.dear.machine.read().now
        self._gpus = len(now.gpus.gpus) if now else 0
        self.call_later(self._offer_starts, config_fields(), sample_names())

    async def _offer_starts(self, fields: tuple[ConfigField, ...], samples: list[str]) -> None:
        """Offer what to start from; it starts from the first sample."""
        self.checking.fields = fields
        picker = StartPicker(samples, self.dear.snapshot.campaigns or (), self.dear.desk, fields)
        form = self.query_one(Form)
        await form.remove_children()
        await form.mount(picker)
        picker.query_one(Choice).focus()

    async def on_start_picker_read(self, message: StartPicker.Read) -> None:
        """Fill the form with the config that was read."""
        for sentence in message.start.left_out:
            self.notify(sentence, severity="warning", timeout=10, markup=False)
        self._is_touched = False
        self.checking.start(Draft.of(message.start.tables, self.checking.fields, message.start.folder))
        form = self.query_one(Form)
        with self.app.batch_update():
            await form.query("FieldRow, .section.-key, .paths").remove()
            await form.mount_all(self._rows())
        self.checking.check()

    def on_start_picker_refused(self, message: StartPicker.Refused) -> None:
        """Say it; the form stays as it is."""
        self.notify(message.problem, severity="error", timeout=10, markup=False)

    def on_input_submitted(self) -> None:
        """Enter in a field goes to the next one."""
        self.focus_next()

    def _rows(self) -> list[Static | FieldRow]:
        from engine.config.words import SECTIONS  # imports pydantic

        titles = {**SECTIONS, AGAIN[0]: "when it is submitted"}
        rows: list[Static | FieldRow] = []
        section = None
        for one in (*self.checking.fields, again_field()):
            if one.section != section:
                section = one.section
                rows.append(Static(titles.get(section, section), classes="section -key"))
            text = self.checking.draft.texts.get((one.section, one.key), "")
            rows.append(FieldRow(one, text, lambda: self.checking.draft.folder, self._known))
        return [*rows, Static(Content(f"relative paths start at {self.checking.draft.folder}"), classes="paths")]

    def _known(self, one: ConfigField) -> Sequence[str]:
        """The values that are known of a text: some of any network, layers of one that is loaded."""
        match one.section, one.key:
            case ("faults", "layers") | ("workload", "layer"):
                return self.checking.layers
            case "run", "device":
                return (*one.choices, *(f"cuda:{index}" for index in range(self._gpus)))
        return one.choices

    def on_field_row_picked(self, event: FieldRow.Picked) -> None:
        """List the known values; typing narrows the list."""
        values = [SimpleCommand(value, partial(event.row.take, value), help) for value, help in event.values.items()]
        provider = SimpleProvider(self, list(values))
        placeholder = f"{event.row.label}: one of these"
        self.app.push_screen(Palette(providers=[provider], placeholder=placeholder))  # type: ignore[list-item] # as Textual's

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Say what the focused key means."""
        row = next((one for one in event.widget.ancestors if isinstance(one, FieldRow)), None)
        self._explain(row)

    def _explain(self, row: FieldRow | None) -> None:
        title, meaning = (row.title, row.help) if row else ("start from", STARTING)
        self.query_one(PlanPane).explain(title, meaning)

    def on_field_row_changed(self, event: FieldRow.Changed) -> None:
        """Check the draft when the typing pauses; what was being measured is of no use any more."""
        self._is_touched = True
        self.checking.change(event.place, event.text)
        if event.row.has_focus_within:
            self._explain(event.row)

    def on_plan_pane_offered(self, message: PlanPane.Offered) -> None:
        """Count again, with what is known of network and images now."""
        self.checking.take(message.material, message.images)

    # ---- what becomes of it

    def action_submit(self) -> None:
        """Queue the campaign that the form describes."""
        pane, checked = self.query_one(PlanPane), self.checking.checked
        if pane.plan.submitting:
            return
        if checked is None:
            self.checking.once_checked(self.action_submit)
            return
        first = next((row for row in self.query(FieldRow) if row.place in pane.plan.problems), None)
        if checked.problems or (first and not first.has_focus_within):
            if first is not None:
                first.query_one("Input, Select").focus()
            return
        order = Order(
            checked.tables,
            str(self.checking.draft.folder),
            store=str(self.dear.store),
            again=self.checking.draft.texts.get(AGAIN) == "true",
        )
        pane.carry_out(order)
        pane.show(submitting=True, step="starting", error="")

    def on_plan_pane_refused(self, message: PlanPane.Refused) -> None:
        """Say why there is no such campaign."""
        self.checking.refuse(message.sentence)

    def on_plan_pane_submitted(self, message: PlanPane.Submitted) -> None:
        """Back to the list, at the new campaign."""
        for sentence in message.said:
            self.app.notify(sentence, markup=False)
        self.dear.campaign = message.campaign
        self.dear.read_now()
        self.dismiss()

    def action_leave(self) -> None:
        """Give up submitting, or leave."""
        pane = self.query_one(PlanPane)
        if pane.plan.submitting:
            pane.give_up()
            pane.show(submitting=False, step="")
        elif self._is_touched:
            question = ConfirmScreen("Leave the form?", "What was typed into it is forgotten; f2 would save it.")
            self.app.push_screen(question, self._leave_if)
        else:
            self.dismiss()

    def _leave_if(self, yes: bool | None) -> None:
        if yes:
            self.dismiss()

    def action_save(self) -> None:
        """Ask where to, and save what applies, right or wrong."""
        if self.checking.checked is None:
            self.checking.once_checked(self.action_save)
            return
        tables, draft = self.checking.checked.tables, self.checking.draft
        file = f"{draft.texts.get(('', 'name'), 'campaign').replace('/', '-')}.toml"
        write = partial(write_toml, draft=draft, tables=tables, fields=self.checking.fields)
        self.app.push_screen(SaveConfigScreen(draft.folder, file, write), self._saved)

    def _saved(self, path: Path | None) -> None:
        if path is not None:
            self._is_touched = False
            self.notify(f"saved {path}", markup=False)
