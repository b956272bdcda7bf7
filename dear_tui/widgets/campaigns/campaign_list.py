"""The list of campaigns, a line each: what runs, what waits in its order, then what was; or sorted by a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var

from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.campaigns.campaign_columns import COLUMNS, MARK, CampaignColumn, Order, Row
from dear_tui.widgets.common.columns import GAP, ListColumn, fitting, rows_of
from dear_tui.widgets.common.row_list import RowList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events


class CampaignList(RowList):
    """Its headings sort where they are clicked; keys turn the same."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "campaign-list",
        Binding("enter", "open", "open", tooltip="watch it on the live screen"),
        Binding("o", "sort", "sort", tooltip="by the next column, at last as they are queued"),
        Binding("O", "turn", "turn", show=False, tooltip="the order, the other way round"),
    )
    DEFAULT_CSS = """
    CampaignList { display: none; width: 1fr; padding: 0 1; }
    """

    order: var[Order] = var(Order())
    """by what the campaigns are sorted"""

    class Opened(Message):
        """The campaign under the cursor is to be watched."""

    def __init__(self) -> None:
        super().__init__()
        self._given: tuple[Row, ...] = ()
        """as they came: the queue, then newest first"""
        self._shown: tuple[Row, ...] = ()
        self._columns: tuple[ListColumn, ...] = ()
        self._chosen: int | None = None
        self._widest: dict[int, int] = {}
        """cells that each column has needed since other campaigns came: a number that gets shorter moves no column"""

    def show_campaigns(self, rows: Sequence[Row], chosen: int | None) -> None:
        """Bring the lines up to date; the chosen campaign stays chosen, whatever is new above it."""
        self._given = tuple(rows)
        before, self._shown = self._shown, tuple(self.order.sorted(rows))
        ids = [row.status.id for row in self._shown]
        if set(ids) != {row.status.id for row in before}:
            self._widest.clear()
        layout = self._layout()
        columns = fitting(layout, max(self.scrollable_content_region.width - 1, 1))
        is_same_shape = [(each.title, each.cells) for each in columns] == [(c.title, c.cells) for c in self._columns]
        self._columns = tuple(columns)
        if ids != [row.status.id for row in before] or not is_same_shape:
            self.show(rows_of(columns, ids))
        else:
            for place, (old, new) in enumerate(zip(before, self._shown, strict=True)):
                if old != new:
                    self.paint_again(place)
        if chosen != self._chosen:  # else the cursor is ahead of what is chosen, by a key whose message is on its way
            self._chosen = chosen
            self.go_to(chosen)

    @property
    def ids(self) -> frozenset[int]:
        """Of the campaigns that are shown."""
        return frozenset(row.status.id for row in self._shown) if self.display else frozenset()

    def watch_order(self) -> None:
        """The cursor stays on its campaign."""
        self.show_campaigns(self._given, self._chosen)

    def on_resize(self) -> None:
        """Other columns have room."""
        self.show_campaigns(self._given, self._chosen)

    def action_open(self) -> None:
        """Watch the chosen one."""
        self.post_message(self.Opened())

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.order = self.order.next()

    def action_turn(self) -> None:
        """Turn the order round."""
        self.order = self.order.turned()

    def on_click(self, event: events.Click) -> None:
        """A heading sorts, and turns the order when it is clicked again."""
        if event.y < self.HEADING_LINES:
            self._sort_at(event.x - self.gutter.left - 1)

    def _sort_at(self, x: int) -> None:
        """By the column whose heading is there."""
        stop = 0
        titles = [column.title for column in COLUMNS]
        for shown in self._columns:
            stop += shown.cells + len(GAP)
            if x < stop:
                title = shown.title.rstrip("▲▼")
                if title in titles:
                    place = titles.index(title)
                    self.order = self.order.turned() if self.order.column == place else Order(place)
                return

    def _layout(self) -> list[ListColumn]:
        """All columns, each as wide as what stands in it; the marks have a column of their own."""
        marks = ListColumn(
            "", lambda place: MARK if self._shown[place].is_marked else "", 1, style="bold $text-warning"
        )
        columns = [self._column(place, column) for place, column in enumerate(COLUMNS) if self._has(place, column)]
        return [marks, *columns]

    def _has(self, number: int, column: CampaignColumn) -> bool:
        return not column.is_rare or number == self.order.column or any(map(column.text, self._shown))

    def _column(self, number: int, column: CampaignColumn) -> ListColumn:
        needed = max((cell_len(column.text(row)) for row in self._shown), default=0)
        widest = self._widest[number] = max(needed, self._widest.get(number, 0))
        style = column.style
        sign = self.order.sign if self.order.column == number else ""
        return ListColumn(
            column.title + sign,
            lambda place: column.text(self._shown[place]),
            min(widest, column.most or widest),
            column.spare if number != self.order.column else 0,
            column.left,
            style if isinstance(style, str) else lambda place: style(self._shown[place]),
        )
