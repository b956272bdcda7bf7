"""Which faults are critical: a map by layer and bit, the faults of a cell, one fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from dear_tui.results import AskFault, AskFaults, AskRates
from dear_tui.screens.base import READING
from dear_tui.screens.results import ResultScreen, heading, no_results, version_of
from dear_tui.widgets.fault_map import FaultMap
from dear_tui.widgets.fault_map_picture import HeatGrid
from dear_tui.widgets.fault_rows import critical_image_rows, fault_rows
from dear_tui.widgets.fault_text import fault_text, group_name, group_text
from dear_tui.widgets.row_list import RowList
from engine.faults.group import FaultGroup

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from dear_tui.results import OneFault, Question
    from dear_tui.screens.images import ImagesScreen
    from dear_tui.source import Snapshot
    from engine.store.fault_results import FaultOrder, FaultRates, FaultRows

ORDERS: dict[FaultOrder, str] = {
    "critical": "by critical images",
    "first_critical": "by first critical rank",
    "fault_id": "as drawn",
}
SLOT = "faults"


@dataclass(frozen=True)
class Place:
    """Where one is: on the map, in the list of a group, or at one fault."""

    group: FaultGroup | None = None
    fault: FaultGroup | None = None


class FaultsScreen(ResultScreen):
    """Three levels of one question; enter goes down, escape up."""

    TAB = "faults"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", tooltip="the fault under the cursor; the image under the cursor"),
        Binding("escape", "back", "back", key_display="esc", tooltip="one level up"),
        Binding("o", "change_order", "order", tooltip="critical images, first critical rank, or as drawn"),
        Binding("s", "open_sql", "SQL", tooltip="the query behind what is shown"),
    ]
    DEFAULT_CSS = """
    FaultsScreen {
        .heading { height: 1; padding: 0 1; }
        FaultMap, RowList { display: none; }
        .words { height: 2; padding: 0 1; display: none; }
        .fault { height: auto; padding: 1 1 0 1; display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._campaign: int | None = None
        self._place = Place()
        self._order: FaultOrder = "critical"

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
            self._campaign, self._place = self.dear.campaign, Place()
            self.query_one(FaultMap).forget()
        missing = self.missing(snapshot)
        self.query_one(".heading").display = status is not None
        if missing is not None or status is None:
            self._show_message(missing or READING)
            return
        question = self._question(status.id)
        self.ask(SLOT, question, version_of(status))
        problem, answer = self.problem(SLOT, question), self.answer(SLOT, question)
        self.query_one(".heading", Static).update(
            heading(status, self._crumbs(answer), problem if answer else "", self.size.width - 2), layout=False
        )
        if answer is None:
            self._show_message(Content(problem) if problem else READING)
        elif not status.masked + status.non_critical + status.critical:
            self._show_message(no_results(status))
        else:
            self._show_level(answer)

    def on_fault_map_moved(self) -> None:
        """Say what is under the cursor."""
        self.refresh_snapshot()

    def on_fault_map_opened(self) -> None:
        """List the faults of the cell."""
        self._go(Place(self.query_one(FaultMap).group))

    async def action_open(self) -> None:
        """From the list to a fault, from a fault's image to that image."""
        rows = self._list()
        if rows is None or rows.key is None:
            return
        if self._place.fault is None:
            self._go(Place(self._place.group, FaultGroup(fault_id=rows.key)))
        else:
            await self.dear.switch_mode("images")
            cast("ImagesScreen", self.dear.screen).show_image(rows.key)

    def action_back(self) -> None:
        """One level up."""
        self._go(Place(self._place.group) if self._place.fault else Place())

    def action_change_order(self) -> None:
        """Sort the list otherwise."""
        orders = list(ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self.refresh_snapshot()

    def action_open_sql(self) -> None:
        """Go to the SQL screen with the query of this level."""
        from engine.store.fault_results import critical_images_sql, faults_sql, rates_sql  # read before this was shown

        campaign, place = self._campaign or 0, self._place
        if place.fault:
            self.dear.open_sql(critical_images_sql(campaign, place.fault.fault_id or 0))
        elif place.group:
            self.dear.open_sql(faults_sql(campaign, place.group, self._order))
        else:
            self.dear.open_sql(rates_sql(campaign))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what works on this level."""
        match action:
            case "back":
                return self._place != Place()
            case "change_order":
                return self._place.group is not None and self._place.fault is None
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

    def _question(self, campaign: int) -> Question:
        if self._place.fault:
            return AskFault(campaign, self._place.fault)
        if self._place.group:
            return AskFaults(campaign, self._place.group, self._order)
        return AskRates(campaign)

    def _list(self) -> RowList | None:
        """The list of this level."""
        if self._place.group is None:
            return None
        return self.query_one("#images" if self._place.fault else "#faults", RowList)

    def _crumbs(self, answer: object | None) -> list[str]:
        """The way here, with counts."""
        if self._place.group is None:
            return ["critical rate by layer and bit"]
        crumbs = [group_name(self._place.group)]
        if self._place.fault:
            return [*crumbs, f"fault {self._place.fault.fault_id}"]
        if answer is not None:
            faults = cast("FaultRows", answer)
            count = f"{faults.total:,}" if faults.total == len(faults) else f"first {len(faults):,} of {faults.total:,}"
            crumbs.append(f"{count} faults {ORDERS[self._order]}")
        return crumbs

    def _show_message(self, message: Content) -> None:
        self._show_only(None)
        text = self.query_one(".message", Static)
        text.display = True
        text.update(message, layout=False)

    def _show_level(self, answer: object) -> None:
        width = self.size.width - 4
        if self._place.fault:
            one = cast("OneFault", answer)
            self._show_only(self.query_one("#images"), ".fault")
            if len(one.fault):
                self.query_one(".fault", Static).update(fault_text(one.fault, self.size.width - 2))
            self.query_one("#images", RowList).show(critical_image_rows(one.images, one.class_names, width))
        elif self._place.group:
            self._show_only(self.query_one("#faults"))
            self.query_one("#faults", RowList).show(fault_rows(cast("FaultRows", answer), self._place.group, width))
        else:
            rates, fault_map = cast("FaultRates", answer), self.query_one(FaultMap)
            self._show_only(fault_map, ".words")
            grid = HeatGrid.of(rates)
            fault_map.show(grid)
            words = group_text(grid, fault_map.cell, fault_map.group, rates.confidence)
            self.query_one(".words", Static).update(words, layout=False)

    def _show_only(self, body: Widget | None, *beside: str) -> None:
        """Show one level and give it the keys."""
        for selector in (".message", "FaultMap", ".words", ".fault", "#faults", "#images"):
            widget = self.query_one(selector)
            widget.display = widget is body or selector in beside
        if self.focused is not body:
            self.set_focus(body)
            self.refresh_bindings()
