"""Which faults are critical: a map by layer and bit, the faults of a cell, one fault."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from dear_tui.access import results
from dear_tui.access.store_location import version_of
from dear_tui.screens.empty import READING, no_results
from dear_tui.screens.results import ResultScreen, heading
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.common.row_list import RowList
from dear_tui.widgets.faults.fault_map import FaultMap
from dear_tui.widgets.faults.fault_map_picture import HeatGrid
from dear_tui.widgets.faults.fault_rows import critical_image_rows, fault_rows
from dear_tui.widgets.faults.fault_text import fault_text, group_name, group_text
from engine.faults.group import FaultGroup
from engine.paths import present_folder

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import ComposeResult

    from dear_tui.access.results import OneFault, Question
    from dear_tui.access.store_location import Snapshot
    from dear_tui.screens.images import ImagesScreen
    from engine.analysis.accuracy_cost import Effect
    from engine.store.read.fault_results import FaultOrder, FaultRates, FaultRows

ORDERS: dict[FaultOrder, str] = {
    "critical": "by critical images",
    "cost": "by accuracy cost",
    "first_critical": "by first critical rank",
    "fault_id": "as drawn",
}


@dataclass(frozen=True)
class Place:
    """Where one is: on the map, in the list of a group, or at one fault."""

    group: FaultGroup | None = None
    fault: FaultGroup | None = None
    order: FaultOrder = "critical"
    """of the list"""
    effect: str | None = None
    """of the faults that the map counts, by its name; None: it counts critical pairs"""

    @property
    def level(self) -> str:
        """Its name; each level keeps its answer, so that the way back is at once."""
        return "fault" if self.fault else "list" if self.group else "map"


class FaultsScreen(ResultScreen):
    """Three levels of one question; enter goes down, escape up."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "faults-screen",
        Binding("enter", "open", "open", tooltip="the fault under the cursor; the image under the cursor"),
        Binding("escape", "back", "back", key_display="esc", tooltip="one level up"),
        Binding("o", "change_order", "order", tooltip="critical images, accuracy cost, first critical rank, as drawn"),
        Binding("v", "change_quantity(1)", "quantity", tooltip="critical pairs, critical faults, what faults cost"),
        Binding("V", "change_quantity(-1)", "quantity before", show=False, tooltip="the one before"),
        Binding("s", "open_sql", "SQL", tooltip="the query behind what is shown"),
        Binding("e", "export", "save", tooltip="the map as SVG, PNG and CSV, into this folder"),
    )
    DEFAULT_CSS = """
    FaultsScreen {
        .heading { height: 1; padding: 0 1; }
        FaultMap, RowList { display: none; }
        .words { height: 3; padding: 0 1; display: none; }
        .words.-screened { height: 4; }
        .fault { height: auto; padding: 1 1 0 1; display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._campaign: int | None = None
        self._place = Place()
        self._shown: tuple[Place, object, int] | None = None
        """which place is in view, the answer it shows, and for which width"""

    def compose_body(self) -> ComposeResult:
        """The heading, and one of map, list and fault, or a message."""
        yield Static(Content(""), classes="heading")
        yield Static(READING, classes="message")
        yield FaultMap()
        yield Static(Content(""), classes="words")
        yield Static(Content(""), classes="fault")
        yield RowList(id="faults")
        yield RowList(id="images")

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The level of the moment, or why there is nothing."""
        status = snapshot.status(self.dear.campaign)
        if self._campaign != self.dear.campaign:
            self._campaign, self._shown = self.dear.campaign, None
            self._place = replace(self._place, group=None, fault=None)
            self.query_one(FaultMap).forget()
        missing = self.missing(snapshot)
        self.query_one(".heading").display = status is not None
        if missing is not None or status is None:
            self._show_message(missing or READING)
            return
        question, slot = self._question(status.id), self._place.level
        self.ask(slot, question, version_of(status))
        problem, answer = self.problem(slot, question), self.answer(slot, question)
        crumbs = self._crumbs(answer)
        self.set_text(".heading", heading(status, crumbs, problem if answer else "", self.size.width - 2))
        if answer is not None and not status.count():
            self._show_message(no_results(status, snapshot.step(status.id)))
        elif answer is not None:
            self._show_level(answer)
        elif problem or self._shown is None:  # else what was shown stays for the moment
            self._show_message(Content(problem) if problem else READING)

    def on_fault_map_opened(self) -> None:
        """List the faults of the cell."""
        self._go(replace(self._place, group=self.query_one(FaultMap).group))

    async def action_open(self) -> None:
        """From the list to a fault, from a fault's image to that image."""
        rows = self._list()
        if rows is None or rows.key is None:
            return
        if self._place.fault is None:
            self._go(replace(self._place, fault=FaultGroup(fault_id=rows.key)))
        else:
            await self.dear.switch_mode("images")
            cast("ImagesScreen", self.dear.screen).show_image(rows.key)

    def action_back(self) -> None:
        """Go from a fault to its list, and from a list to the map."""
        self._go(replace(self._place, group=self._place.group if self._place.fault else None, fault=None))

    def action_change_order(self) -> None:
        """Sort the list otherwise."""
        orders = list(ORDERS)
        self._go(replace(self._place, order=orders[(orders.index(self._place.order) + 1) % len(orders)]))

    def action_change_quantity(self, step: int) -> None:
        """Have the map show something else of the faults."""
        from engine.analysis.accuracy_cost import EFFECTS

        names = [None, *(effect.name for effect in EFFECTS)]
        self._go(replace(self._place, effect=names[(names.index(self._place.effect) + step) % len(names)]))

    def action_export(self) -> None:
        """Write the map; a slow disk holds nothing up."""
        if grid := self.query_one(FaultMap).grid:
            self._write(grid, self._crumbs(None)[0], self._campaign or 0, present_folder())

    @work(thread=True, group="export")
    def _write(self, grid: HeatGrid, quantity: str, campaign: int, folder: Path) -> None:
        from dear_tui.widgets.faults.fault_map_export import write_map

        try:
            sentence, failed = write_map(grid, quantity, campaign, folder).sentence, False
        except OSError as error:
            sentence, failed = f"{folder}: cannot be written ({error.strerror})", True
        self.notify(sentence, severity="error" if failed else "information", markup=False)

    def action_open_sql(self) -> None:
        """Go to the SQL screen with the query of this level."""
        from engine.store.read.fault_results import (  # read before this was shown
            critical_images_sql,
            faults_sql,
            rates_sql,
        )

        campaign, place = self._campaign or 0, self._place
        if place.fault:
            self.dear.open_sql(critical_images_sql(campaign, place.fault.fault_id or 0))
        elif place.group:
            self.dear.open_sql(faults_sql(campaign, place.group, self._place.order))
        else:
            self.dear.open_sql(rates_sql(campaign, self._effect))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what works on this level."""
        match action:
            case "back":
                return self._place.group is not None
            case "change_order":
                return self._place.group is not None and self._place.fault is None
            case "change_quantity" | "export":
                return self._place.group is None and self._shown is not None
            case "open":
                rows = self._list()
                return rows is not None and rows.key is not None
            case "open_sql":
                return self.focused is not None
        return super().check_action(action, parameters)

    def _go(self, place: Place) -> None:
        self._place = place
        self.refresh_snapshot()
        self.refresh_bindings()

    def _question(self, campaign: int) -> Question[Any]:
        if self._place.fault:
            return results.question(results.one_fault, campaign, self._place.fault)
        if self._place.group:
            return results.question(results.faults, campaign, self._place.group, self._place.order)
        return results.question(results.rates, campaign, self._effect)

    @property
    def _effect(self) -> Effect:
        """What is counted of the faults; beside critical pairs it is whether they lower the accuracy."""
        from engine.analysis.accuracy_cost import COSTS, EFFECTS

        return next((effect for effect in EFFECTS if effect.name == self._place.effect), COSTS[0])

    def _list(self) -> RowList | None:
        """The list of this level, once it is in view."""
        if self._place.group is None or self._shown is None or self._shown[0] != self._place:
            return None
        return self.query_one("#images" if self._place.fault else "#faults", RowList)

    def _crumbs(self, answer: object | None) -> list[str]:
        """The way here, with counts."""
        if self._place.group is None:
            is_of_pairs = self._place.effect is None
            return ["critical pairs by layer and bit" if is_of_pairs else f"faults that {self._effect.words}"]
        crumbs = [group_name(self._place.group)]
        if self._place.fault:
            return [*crumbs, f"fault {self._place.fault.fault_id}"]
        if answer is not None:
            faults = cast("FaultRows", answer)
            count = f"{faults.total:,}" if faults.total == len(faults) else f"first {len(faults):,} of {faults.total:,}"
            crumbs.append(f"{count} faults {ORDERS[self._place.order]}")
        return crumbs

    def _show_message(self, message: Content) -> None:
        self._shown = None
        self._show_only(".message")
        self.set_text(".message", message)
        self.set_focus(None)

    def _show_level(self, answer: object) -> None:
        before, width = self._shown, self.size.width
        self._shown = (self._place, answer, width)
        if before is not None and before[0] == self._place and before[1] is answer and before[2] == width:
            return
        is_other = before is None or before[0] != self._place
        if self._place.fault:
            self._show_fault(cast("OneFault", answer), is_other)
        elif self._place.group:
            rows = self.query_one("#faults", RowList)
            if is_other and not (before and before[0].fault):
                rows.clear()
            self._show_only("#faults")
            rows.show(fault_rows(cast("FaultRows", answer), self._place.group, width - 4))
        else:
            self._show_only("FaultMap", ".words")
            self.query_one(FaultMap).show(HeatGrid.of(cast("FaultRates", answer), self._place.effect is not None))
            self._show_words()
        self.refresh_bindings()

    def _show_fault(self, one: OneFault, is_other: bool) -> None:
        rows = self.query_one("#images", RowList)
        if is_other:
            rows.clear()
        self._show_only("#images", ".fault")
        if len(one.fault):
            self.query_one(".fault", Static).update(fault_text(one.fault, self.size.width - 2, one.format))
        rows.show(critical_image_rows(one.images, one.class_names, self.size.width - 4))

    def _show_words(self) -> None:
        fault_map = self.query_one(FaultMap)
        rates = self.answer("map", results.question(results.rates, self._campaign or 0, self._effect))
        if fault_map.grid is not None and rates is not None:
            self.query_one(".words").set_class(bool(fault_map.grid.screened.any()), "-screened")
            self.set_text(".words", group_text(fault_map.grid, fault_map.cell, fault_map.group, rates.confidence))

    on_fault_map_moved = _show_words

    def _show_only(self, body: str, *beside: str) -> None:
        """Show one level and give it the keys."""
        for selector in (".message", "FaultMap", ".words", ".fault", "#faults", "#images"):
            self.query_one(selector).display = selector in (body, *beside)
        widget = self.query_one(body)
        if widget.focusable and self.focused is not widget:
            self.set_focus(widget)
