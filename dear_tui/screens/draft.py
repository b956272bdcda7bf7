"""A draft of a config, checked by the engine as it changes, and measured by the planner once it stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import work

from dear_tui.form.check import AGAIN, check
from dear_tui.form.draft import Draft
from dear_tui.planner.reports import Order
from dear_tui.screens.base import SnapshotScreen
from dear_tui.screens.dialogs.dialog import AnswersOnce
from dear_tui.text.messages import DraftChecked
from dear_tui.widgets.form.field_row import FieldRow
from dear_tui.widgets.form.form import Form
from dear_tui.widgets.form.plan_pane import PlanPane

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.timer import Timer

    from dear_tui.form.check import Checked
    from engine.config.fields import ConfigField
    from engine.running.campaign_size import Material

MEASURE_SECONDS = 0.8
"""after the last change, until network and images are loaded and the time is measured"""


class DraftScreen(AnswersOnce, SnapshotScreen):
    """What is found out about the present draft, and no longer about one before, stands in its form and its plan."""

    def __init__(self) -> None:
        super().__init__()
        self._fields: tuple[ConfigField, ...] = ()
        self._draft = Draft(Path())
        self._edition = 0
        """counts the changes of the draft: what was found out about another one is not shown"""
        self._planned = -1
        """the edition that the planner is or was at"""
        self._is_touched = False
        self._checked: Checked | None = None
        """of the present draft"""
        self._once_checked: Callable[[], None] | None = None
        """what the user asked for while the last keys were not checked yet"""
        self._materials: dict[str, Material] = {}
        """network and data set -> what they offer"""
        self._delays: dict[str, Timer] = {}

    def edit_draft(self) -> None:
        """The draft is another: the one before is neither measured nor submitted any more."""
        self._edition += 1
        self._checked = self._once_checked = None
        if "measure" in self._delays:
            self._delays["measure"].stop()
        pane = self.query_one(PlanPane)
        pane.give_up()
        pane.show(seconds=None, step="", submitting=False)

    @work(thread=True, exclusive=True, group="check_draft")
    def check_draft(self, images: int | None = None) -> None:
        """Off the event loop: paths are looked up, faults are drawn.

        Args:
            images: the size of the workload, where the planner has ranked them.
        """
        edition, draft = self._edition, Draft(self._draft.folder, dict(self._draft.texts))
        checked = check(draft, self._fields, self._materials.get(_material_key(draft)), images)
        self.post_message(DraftChecked(checked, edition, is_planned=self._planned == edition))

    def on_draft_checked(self, message: DraftChecked) -> None:
        """Show what is wrong, or how large it is; then have the rest measured."""
        if message.edition != self._edition:
            return
        checked, pane = message.checked, self.query_one(PlanPane)
        self._checked = checked
        for row in self.query(FieldRow):
            row.show(row.place in checked.shown or row.place == AGAIN, checked.problems.get(row.place, ""))
        self.query_one(Form).keep_focused_in_view()
        if checked.problems or checked.error:
            pane.give_up()
            pane.show(problems=checked.problems, error=checked.error, size=None, seconds=None, step="")
        elif message.is_planned:
            pane.show(problems={}, error="", size=checked.size)
        else:
            pane.show(problems={}, error="", size=checked.size, seconds=None, step="loading network and images")
            self.after("measure", MEASURE_SECONDS, self._measure)
        if self._once_checked:
            do, self._once_checked = self._once_checked, None
            do()

    def _measure(self) -> None:
        if self._checked and not self.query_one(PlanPane).plan.submitting:
            self._planned = self._edition
            self.query_one(PlanPane).carry_out(Order(self._checked.tables, str(self._draft.folder)))

    def on_plan_pane_offered(self, message: PlanPane.Offered) -> None:
        """Count again, with what is known of network and images now."""
        if self._planned != self._edition:
            return
        self._materials[_material_key(self._draft)] = message.material
        self.check_draft(message.images)

    def after(self, name: str, seconds: float, do: Callable[[], object]) -> None:
        """Do it so long after the last time this was asked for."""
        if name in self._delays:
            self._delays[name].stop()
        self._delays[name] = self.set_timer(seconds, do)


def _material_key(draft: Draft) -> str:
    """What network and images depend on."""
    return repr([item for item in sorted(draft.texts.items()) if item[0][0] in ("model", "dataset") and item[1]])
