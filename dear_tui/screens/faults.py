"""Which faults are critical: a map by layer and bit, the faults of a cell, one fault."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from dear_tui.access import results
from dear_tui.access.store_location import version_of
from dear_tui.screens.empty import READING, no_results
from dear_tui.screens.place_screen import PlaceScreen
from dear_tui.screens.places import FaultsPlace, ImagesPlace
from dear_tui.screens.results import heading
from dear_tui.settings.keymap import with_ids
from dear_tui.text.filter_words import conditions_of
from dear_tui.widgets.common.filter_line import FilterLine
from dear_tui.widgets.common.row_list import RowList
from dear_tui.widgets.faults.confusion_grid import ConfusionGrid
from dear_tui.widgets.faults.fault_map import FaultMap
from dear_tui.widgets.faults.fault_map_picture import HeatGrid
from dear_tui.widgets.faults.fault_rows import critical_image_rows, fault_rows
from dear_tui.widgets.faults.fault_text import answers_text, fault_text, group_name, group_text
from engine.faults.group import FaultGroup
from engine.paths import present_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.app import ComposeResult

    from dear_tui.access.results import ListedFaults, OneFault, Question, ShownConfusion
    from dear_tui.access.store_location import Snapshot
    from dear_tui.screens.places import Level
    from dear_tui.widgets.common.row_list import Rows
    from engine.analysis.accuracy_cost import Effect
    from engine.conditions import Field
    from engine.store.read.fault_results import FaultOrder, FaultRates

ORDERS: dict[FaultOrder, str] = {
    "critical": "by critical images",
    "cost": "by accuracy cost",
    "first_critical": "by first critical rank",
    "fault_id": "as drawn",
}


IMAGE_ORDERS: dict[FaultOrder, str] = {"prediction": "by prediction", **ORDERS}
"""Of the faults that change one image."""


class FaultsScreen(PlaceScreen[FaultsPlace]):
    """Map, list, fault, and what they take images for; enter goes down, escape back the same way."""

    HELP = """\
critical   images whose answer the fault changes, for better or worse
accuracy   points by which it changes under the fault; – if not known
first      rank, from 1 on, of the first image it is critical for
In SQL, correct is the number of images that are right under the fault."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "faults-screen",
        Binding("enter", "open", "open", tooltip="the fault, or the image, under the cursor"),
        Binding("escape", "back", "back", key_display="esc", tooltip="takes the filter away; else goes back"),
        Binding("o", "change_order", "order", tooltip="most critical, costliest, first seen, as drawn"),
        Binding("slash", "filter", "filter", key_display="/", tooltip="only faults that meet what is typed"),
        Binding("c", "show_confusion", "classes", tooltip="golden against faulty classes, here and of all"),
        Binding("v", "change_quantity(1)", "quantity", tooltip="critical pairs, faults, their cost, NaN, masked"),
        Binding("V", "change_quantity(-1)", "quantity before", show=False, tooltip="the one before"),
        Binding("s", "open_sql", "SQL", tooltip="the query behind what is shown"),
        Binding("e", "export", "save", tooltip="the map as SVG, PNG and CSV, into this folder"),
    )
    DEFAULT_CSS = """
    FaultsScreen {
        .heading { height: 1; padding: 0 1; }
        FaultMap, RowList, ConfusionGrid { display: none; }
        .words { height: 3; padding: 0 1; display: none; }
        .words.-screened { height: 4; }
        .fault { height: auto; padding: 1 1 0 1; display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__(FaultsPlace())
        self._shown: tuple[FaultsPlace, object, int] | None = None
        """which place is in view, the answer it shows, and for which width"""

    def compose_body(self) -> ComposeResult:
        """The heading, and one of map, list and fault, or a message."""
        yield Static(Content(""), classes="heading")
        yield FilterLine("part of a layer's name, bit=30, cost>1, lost, nonfinite, or the id of a fault")
        yield Static(READING, classes="message")
        yield FaultMap()
        yield ConfusionGrid()
        yield Static(Content(""), classes="words")
        yield Static(Content(""), classes="fault")
        yield RowList(id="faults")
        yield RowList(id="images")

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The level of the moment, or why there is nothing."""
        status = snapshot.status(self.dear.campaign)
        self._follow_campaign()
        self._show_filter()
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
        self._go_down("list", group=self.query_one(FaultMap).group)

    async def on_confusion_grid_opened(self) -> None:
        """Show the images that golden takes for the class of the cursor's row."""
        from engine.store.read.image_results import IMAGE_FIELDS  # read before this was shown

        words = f"golden={self.query_one(ConfusionGrid).golden_class}"
        await self.go_to(ImagesPlace(words, conditions_of(words, IMAGE_FIELDS), before=self._place))

    async def action_open(self) -> None:
        """From the list to a fault, from a fault's image to that image."""
        rows = self._list()
        if rows is None or rows.key is None:
            return
        if self._place.level == "list":
            self._go_down("fault", fault_id=rows.key)
        else:
            await self.go_to(ImagesPlace(row=rows.key, before=replace(self._place, row=rows.key)))

    def action_filter(self) -> None:
        """Type what the faults of the list must meet; on the map, of the list of all faults."""
        if self._place.level == "map":
            self._go_down("list", group=FaultGroup())
        self.query_one(FilterLine).open(self._fields)
        self.refresh_bindings()

    def on_filter_line_kept(self, event: FilterLine.Kept) -> None:
        """Go back to the list; a number leads to the fault of that id."""
        rows = self._list()
        if event.words.isdecimal() and (rows is None or not rows.go_to(int(event.words))):
            self.notify(f"Fault {event.words} is not in this list.", severity="warning")
        self._leave_filter()

    def action_show_confusion(self) -> None:
        """Golden against faulty classes: of the group in view, then of all faults."""
        place = self._place
        if place.level != "confusion":
            self._go_down("confusion", group=self._group_in_view(place))
        elif place.group == FaultGroup() and isinstance(place.before, FaultsPlace):
            self._go(replace(place, group=self._group_in_view(place.before)))
        else:
            self._go(replace(place, group=FaultGroup()))

    def _group_in_view(self, place: FaultsPlace) -> FaultGroup:
        """The faults of a list, or of the cell of the map."""
        return self.query_one(FaultMap).group if place.level == "map" else place.group

    def action_change_quantity(self, step: int) -> None:
        """Have the map show something else of the faults."""
        from engine.analysis.accuracy_cost import SHOWN

        names = [None, *(effect.name for effect in SHOWN)]
        self._go(replace(self._place, effect=names[(names.index(self._place.effect) + step) % len(names)]))

    def action_export(self) -> None:
        """Write the map; a slow disk holds nothing up."""
        if grid := self.query_one(FaultMap).grid:
            self._write(grid, self._crumbs(None)[0], self._campaign or 0, present_folder())

    @work(thread=True, group="export")
    def _write(self, grid: HeatGrid, quantity: str, campaign: int, folder: Path) -> None:
        from dear_tui.charts.export import written_or_why
        from dear_tui.widgets.faults.fault_map_export import write_map

        sentence, failed = written_or_why(lambda: write_map(grid, quantity, campaign, folder), folder)
        self.notify(sentence, severity="error" if failed else "information", markup=False)

    def action_open_sql(self) -> None:
        """Go to the SQL screen with the query of this level."""
        from engine.store.read.confusion import confusion_sql  # read before this was shown
        from engine.store.read.fault_results import critical_images_sql, faults_sql, rates_sql

        campaign, place = self._campaign or 0, self._place
        match place.level:
            case "fault":
                self.dear.open_sql(critical_images_sql(campaign, place.fault_id or 0))
            case "list":
                self.dear.open_sql(faults_sql(campaign, place.group, place.order))
            case "confusion":
                self.dear.open_sql(confusion_sql(campaign, place.group))
            case _:
                self.dear.open_sql(rates_sql(campaign, self._effect))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what works on this level."""
        match action:
            case "back":
                return bool(self._place.words) or self._place.before is not None
            case "change_order":
                return self._place.level == "list"
            case "change_quantity" | "export":
                return self._place.level == "map" and self._shown is not None
            case "filter":
                return self._place.level == "list" or (self._place.level == "map" and self._shown is not None)
            case "show_confusion":
                return self._has_confusion()
            case "open":
                rows = self._list()
                return rows is not None and rows.key is not None
            case "open_sql":
                return self.focused is not None
        return super().check_action(action, parameters)

    def _has_confusion(self) -> bool:
        """One image has one golden class, and one fault has its images listed."""
        place = self._place
        if place.level == "confusion":
            return place.group != FaultGroup() or isinstance(place.before, FaultsPlace)
        return place.level in ("map", "list") and place.group.image_id is None and self._shown is not None

    def _follow_campaign(self) -> None:
        """Another campaign starts at its map."""
        if self._campaign != self.dear.campaign:
            self._campaign, self._shown = self.dear.campaign, None
            self._place = FaultsPlace(order=_usual(self._place.order), effect=self._place.effect)
            self.query_one(FaultMap).forget()
            self.query_one(ConfusionGrid).forget()

    def _go_down(self, level: Level, **changes: Any) -> None:
        """Go to a place from which esc leads back here."""
        rows, place = self._list(), self._place
        before = replace(place, row=rows.key if rows else None)
        order = _usual(place.order)
        self._go(FaultsPlace(level=level, before=before, effect=place.effect, **{"order": order, **changes}))

    def _show_filter(self) -> None:
        """The words of a list stand above it."""
        self.query_one(FilterLine).show(self._place.words if self._place.level == "list" else "")

    def _leave_filter(self) -> None:
        rows = self._list()
        self.set_focus(rows if rows is not None and rows.display else None)
        self._show_filter()
        self.refresh_bindings()

    @property
    def _fields(self) -> Sequence[Field]:
        """What faults can be filtered by."""
        from engine.store.read.fault_results import FAULT_FIELDS  # read before this was shown

        return FAULT_FIELDS

    @property
    def _orders(self) -> dict[FaultOrder, str]:
        """How the list can be sorted."""
        return ORDERS if self._place.group.image_id is None else IMAGE_ORDERS

    def _question(self, campaign: int) -> Question[Any]:
        place = self._place
        match place.level:
            case "fault":
                return results.question(results.one_fault, campaign, FaultGroup(fault_id=place.fault_id))
            case "list":
                return results.question(results.faults, campaign, place.group, place.order)
            case "confusion":
                return results.question(results.confusion, campaign, place.group)
            case _:
                return results.question(results.rates, campaign, self._effect)

    @property
    def _effect(self) -> Effect:
        """What is counted of the faults; beside critical pairs it is whether they lower the accuracy."""
        from engine.analysis.accuracy_cost import COSTS, SHOWN

        return next((effect for effect in SHOWN if effect.name == self._place.effect), COSTS[0])

    def _list(self) -> RowList | None:
        """The list of this level, once it is in view."""
        lists = {"list": "#faults", "fault": "#images"}
        if self._shown is None or self._shown[0] != self._place or self._place.level not in lists:
            return None
        return self.query_one(lists[self._place.level], RowList)

    def _crumbs(self, answer: object | None) -> list[str]:
        """The way here, with counts."""
        place = self._place
        if place.level == "map":
            if place.effect is None:
                return ["critical pairs by layer and bit, % of pairs"]
            return [f"faults that {self._effect.words}, % of faults"]
        before = place.before
        if place.level == "fault":
            group = [group_name(before.group)] if isinstance(before, FaultsPlace) and before.level == "list" else []
            return [*group, f"fault {place.fault_id}"]
        image = place.group.image_id
        crumbs = [group_name(place.group) if image is None else f"image {image}"]
        if place.level == "confusion":
            words = f" with {before.words}" if isinstance(before, FaultsPlace) and place.group.having else ""
            return [f"{crumbs[0]}{words}", "critical pairs, golden class against faulty class"]
        if answer is not None:
            faults = cast("ListedFaults", answer).faults
            count = f"{faults.total:,}" if faults.total == len(faults) else f"first {len(faults):,} of {faults.total:,}"
            crumbs.append(f"{count} faults {self._orders[place.order]}")
        return crumbs

    def _show_message(self, message: Content) -> None:
        self._shown = None
        self._show_only(".message")
        self.set_text(".message", message)
        if not self.query_one(FilterLine).is_typing:
            self.set_focus(None)

    def _show_level(self, answer: object) -> None:
        before, width = self._shown, self.size.width
        self._shown = (self._place, answer, width)
        if before is not None and before[0] == self._place and before[1] is answer and before[2] == width:
            return
        is_other = before is None or before[0] != self._place
        match self._place.level:
            case "fault":
                self._show_fault(cast("OneFault", answer), is_other)
            case "list":
                self._show_list(cast("ListedFaults", answer), is_other)
            case "confusion":
                self._show_confusion(cast("ShownConfusion", answer))
            case _:
                self._show_only("FaultMap", ".words")
                self.query_one(FaultMap).show(HeatGrid.of(cast("FaultRates", answer), self._place.effect is not None))
                self._show_words()
        self.refresh_bindings()

    def _show_list(self, listed: ListedFaults, is_other: bool) -> None:
        place = self._place
        if not len(listed.faults):
            nothing = f"No fault of “{group_name(place.group)}” meets “{place.words}”; esc shows all of them."
            if not place.words:
                nothing = f"No fault changes the answer for image {place.group.image_id} so far; esc goes back."
            self._show_message(Content(nothing))
            return
        shown = fault_rows(listed.faults, place.group, listed.class_names, self.size.width - 4)
        self._show_rows("#faults", shown, is_other)

    def _show_confusion(self, answer: ShownConfusion) -> None:
        if answer.confusion.classes:
            self._show_only("ConfusionGrid", ".words")
            self.query_one(ConfusionGrid).show(answer.confusion, answer.class_names)
            self._show_class_words()
        else:
            self._show_message(Content(f"No critical pair of {group_name(self._place.group)} so far; esc goes back."))

    def _show_class_words(self) -> None:
        self.query_one(".words").remove_class("-screened")
        self.set_text(".words", self.query_one(ConfusionGrid).words())

    on_confusion_grid_moved = _show_class_words

    def _show_fault(self, one: OneFault, is_other: bool) -> None:
        if len(one.fault):
            texts = fault_text(one.fault, self.size.width - 2, one.format), answers_text(one.fault, one.images)
            self.query_one(".fault", Static).update(Content("\n").join(filter(None, texts)))
        shown = critical_image_rows(one.images, one.class_names, self.size.width - 4)
        self._show_rows("#images", shown, is_other, ".fault")

    def _show_rows(self, selector: str, shown: Rows, is_other: bool, *beside: str) -> None:
        """Show a list; where one comes back to it, with the cursor on what one left it from."""
        rows = self.query_one(selector, RowList)
        if is_other:
            rows.clear()
        self._show_only(selector, *beside)
        rows.show(shown)
        if is_other and self._place.row is not None:
            rows.go_to(self._place.row)

    def _show_words(self) -> None:
        fault_map = self.query_one(FaultMap)
        rates = self.answer("map", results.question(results.rates, self._campaign or 0, self._effect))
        if fault_map.grid is not None and rates is not None:
            self.query_one(".words").set_class(bool(fault_map.grid.screened.any()), "-screened")
            self.set_text(".words", group_text(fault_map.grid, fault_map.cell, fault_map.group, rates.confidence))

    on_fault_map_moved = _show_words

    def _show_only(self, body: str, *beside: str) -> None:
        """Show one level and give it the keys."""
        for selector in (".message", "FaultMap", "ConfusionGrid", ".words", ".fault", "#faults", "#images"):
            self.query_one(selector).display = selector in (body, *beside)
        widget = self.query_one(body)
        if widget.focusable and self.focused is not widget and not self.query_one(FilterLine).is_typing:
            self.set_focus(widget)


def _usual(order: FaultOrder) -> FaultOrder:
    """An order that every list has."""
    return order if order in ORDERS else "critical"
