"""A draft of a config, checked by the engine as it changes, and measured by the planner once it stays as it is."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dear_tui.form.check import AGAIN, at_field, check
from dear_tui.form.draft import Draft
from dear_tui.planner.reports import Order
from dear_tui.widgets.form.field_row import FieldRow
from dear_tui.widgets.form.form import Form
from dear_tui.widgets.form.plan_pane import PlanPane

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen
    from textual.timer import Timer

    from dear_tui.form.check import Checked
    from engine.config.fields import ConfigField
    from engine.running.campaign_size import Material

CHECK_SECONDS = 0.15
"""after the last key, until the draft is checked"""
MEASURE_SECONDS = 0.8
"""after the last change, until network and images are loaded and the time is measured"""


class DraftCheck:
    """What is found out about the present draft, and no longer about one before, stands in a form and its plan."""

    def __init__(self, screen: Screen[None]) -> None:
        """For a screen that has a form and a plan pane."""
        self._screen = screen
        self.fields: tuple[ConfigField, ...] = ()
        self.draft = Draft(Path())
        self.checked: Checked | None = None
        """of the present draft"""
        self._edition = 0
        """counts the changes of the draft: what was found out about another one is not shown"""
        self._planned = -1
        """the edition that the planner is or was at"""
        self._once_checked: Callable[[], None] | None = None
        """what the user asked for while the last keys were not checked yet"""
        self._materials: dict[str, Material] = {}
        """network and data set -> what they offer"""
        self._delays: dict[str, Timer] = {}

    @property
    def _pane(self) -> PlanPane:
        return self._screen.query_one(PlanPane)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of those of the present network, once it is loaded."""
        material = self._materials.get(_material_key(self.draft))
        return tuple(layer.name for layer in material.layers) if material else ()

    def start(self, draft: Draft) -> None:
        """Take up another draft; what is found out about it is not asked for yet."""
        self.draft = draft
        self._forget()

    def change(self, place: tuple[str, str], text: str) -> None:
        """Give a field another text, and check the draft when the typing pauses."""
        self.draft.texts[place] = text
        self._forget()
        self._after("check", CHECK_SECONDS, self.check)

    def once_checked(self, do: Callable[[], None]) -> None:
        """Do this when the draft has been checked, if there is one."""
        self._once_checked = do if self._edition else None

    def check(self, images: int | None = None) -> None:
        """Off the event loop: paths are looked up, faults are drawn.

        Args:
            images: the size of the workload, where the planner has ranked them.
        """
        draft = Draft(self.draft.folder, dict(self.draft.texts))
        ask = partial(self._ask, draft, self._edition, self._planned == self._edition, images)
        self._screen.run_worker(ask, group="check_draft", thread=True, exclusive=True)

    def take(self, material: Material, images: int | None) -> None:
        """Count again, with what the planner knows of network and images now."""
        if self._planned == self._edition:
            self._materials[_material_key(self.draft)] = material
            self.check(images)

    def refuse(self, sentence: str) -> None:
        """Show why the planner makes no campaign of the present draft: at the field that it names, if it names one."""
        place, problem = at_field(sentence)
        row = next((one for one in self._screen.query(FieldRow) if one.place == place and one.display), None)
        if row is None:
            self._pane.show(error=sentence)
        else:
            row.show(True, problem)
            self._pane.show(problems={place: problem})

    def _forget(self) -> None:
        """The draft is another: the one before is neither measured nor submitted any more."""
        self._edition += 1
        self.checked = self._once_checked = None
        if "measure" in self._delays:
            self._delays["measure"].stop()
        self._pane.give_up()
        self._pane.show(time="", step="", submitting=False)

    def _ask(self, draft: Draft, edition: int, is_planned: bool, images: int | None) -> None:
        """In a thread."""
        checked = check(draft, self.fields, self._materials.get(_material_key(draft)), images)
        self._screen.call_later(self._show, checked, edition, is_planned)

    def _show(self, checked: Checked, edition: int, is_planned: bool) -> None:
        """Show what is wrong, or how large it is; then have the rest measured."""
        if edition != self._edition:
            return
        self.checked, pane = checked, self._pane
        for row in self._screen.query(FieldRow):
            row.show(row.place in checked.shown or row.place == AGAIN, checked.problems.get(row.place, ""))
        self._screen.query_one(Form).keep_focused_in_view()
        if checked.problems or checked.error:
            pane.give_up()
            pane.show(problems=checked.problems, error=checked.error, size=None, time="", step="")
        elif is_planned:
            pane.show(problems={}, error="", size=checked.size)
        else:
            pane.show(problems={}, error="", size=checked.size, time="", step="loading network and images")
            self._after("measure", MEASURE_SECONDS, self._measure)
        if self._once_checked:
            do, self._once_checked = self._once_checked, None
            do()

    def _measure(self) -> None:
        if self.checked and not self._pane.plan.submitting:
            self._planned = self._edition
            self._pane.carry_out(Order(self.checked.tables, str(self.draft.folder)))

    def _after(self, name: str, seconds: float, do: Callable[[], object]) -> None:
        """Do it so long after the last time this was asked for."""
        if name in self._delays:
            self._delays[name].stop()
        self._delays[name] = self._screen.set_timer(seconds, do)


def _material_key(draft: Draft) -> str:
    """What network and images depend on."""
    return repr([item for item in sorted(draft.texts.items()) if item[0][0] in ("model", "dataset") and item[1]])
