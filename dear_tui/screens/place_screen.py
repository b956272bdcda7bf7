"""A screen of a list that can be filtered and sorted, at a place to which another screen may lead, and lead back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from dear_tui.screens.places import FaultsPlace, ImagesPlace
from dear_tui.screens.results import ResultScreen
from dear_tui.text.filter_words import conditions_of
from dear_tui.widgets.common.filter_line import FilterLine
from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.conditions import Field

AnyPlace = TypeVar("AnyPlace", FaultsPlace, ImagesPlace)


class PlaceScreen(ResultScreen, Generic[AnyPlace]):
    """What the screens of faults and of images do alike."""

    def __init__(self, place: AnyPlace) -> None:
        """At a place, until there is a campaign or another screen leads elsewhere."""
        super().__init__()
        self._campaign: int | None = None
        self._first: AnyPlace = place
        self._place: AnyPlace = place

    def show_place(self, place: AnyPlace) -> None:
        """Go to a place: one that another screen leads to, or leads back to."""
        self._follow_campaign()
        self._go(place)

    async def go_to(self, place: FaultsPlace | ImagesPlace) -> None:
        """Go to a place of this screen, or of the other one."""
        if not isinstance(place, type(self._place)):
            await self.dear.switch_mode("images" if isinstance(place, ImagesPlace) else "faults")
        cast("PlaceScreen[Any]", self.dear.screen).show_place(place)

    async def action_back(self) -> None:
        """Take the filter of the list away, else go back to where one came from."""
        if self._place.words:
            self._go(self._place.filtered("", ()))
        elif (before := self._place.before) is not None:
            if not isinstance(before, type(self._place)):
                self._place = self._first  # which its own key shows again: nothing else leads there from this place
            await self.go_to(before)

    def action_change_order(self) -> None:
        """Sort the list otherwise."""
        orders = list(self._orders)
        following: Any = orders[(orders.index(self._place.order) + 1) % len(orders)]
        self._go(replace(self._place, order=following, row=None))

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        """Filter as it is typed; words that mean nothing yet leave the list as it is."""
        words = "" if event.words.isdecimal() else event.words
        try:
            having = conditions_of(words, self._fields, self._class_names)
        except InputError as error:
            self.query_one(FilterLine).tell(str(error))
            return
        self.query_one(FilterLine).tell("")
        if words != self._place.words:
            self._go(self._place.filtered(words, having))

    def on_filter_line_forgotten(self) -> None:
        """The whole list again."""
        self._go(self._place.filtered("", ()))
        self._leave_filter()

    def _go(self, place: AnyPlace) -> None:
        self._place = place
        self.refresh_snapshot()
        self.refresh_bindings()

    @property
    def _orders(self) -> Mapping[Any, str]:
        """How the list can be sorted."""
        raise NotImplementedError

    @property
    def _fields(self) -> Sequence[Field]:
        """What the filter can ask for."""
        raise NotImplementedError

    @property
    def _class_names(self) -> Sequence[str]:
        """What the filter may call the classes."""
        return ()

    def _follow_campaign(self) -> None:
        """Another campaign starts at its first place."""
        raise NotImplementedError

    def _leave_filter(self) -> None:
        """Back from the filter to the list."""
        raise NotImplementedError
