"""The map of critical rates by layer and bit with a cursor, which leads to the faults of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.message import Message

from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.faults.fault_map_picture import (
    ALL,
    GLYPHS,
    LEGEND,
    Fill,
    HeatGrid,
    MapLayout,
    bit_labels,
    bit_of,
    most_critical,
)
from dear_tui.widgets.faults.layer_bit_map import LayerBitMap
from engine.faults.group import FaultGroup
from engine.formats.float32 import FLOAT32

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip

LEGEND_RATES = {Fill.LOW: 5e-5, Fill.MIDDLE: 5e-4, Fill.HIGH: 5e-3, Fill.HIGHEST: 0.2}
"""The rates whose colours stand for their decades."""
LEAST_WIDTH, LEAST_HEIGHT = 76, 7
HEADINGS = ("critical pairs", "critical")
"""of the legend; the longest that there is room for"""
GAP = 2
"""blanks after each entry of the legend, also after the last one"""


class FaultMap(LayerBitMap, can_focus=True):
    """As large as there is room, with the numbers of the bits, and a legend."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "fault-map",
        Binding("h,left", "move(0, -1)", "left", show=False, tooltip="the next higher bit"),
        Binding("j,down", "move(1, 0)", "down", show=False, tooltip="the next layer"),
        Binding("k,up", "move(-1, 0)", "up", show=False, tooltip="the layer before"),
        Binding("l,right", "move(0, 1)", "right", show=False, tooltip="the next lower bit; rightmost: all bits"),
        Binding("g,home", "move(-1000000, 0)", "first", show=False, tooltip="the first layer"),
        Binding("G,end", "move(1000000, 0)", "last", show=False, tooltip="all layers together"),
        Binding("enter", "open", "faults", tooltip="list the faults of this cell"),
    )

    class Moved(Message):
        """The cursor is on another cell."""

    class Opened(Message):
        """The faults of the cell under the cursor are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._row = self._column = 0

    @property
    def cell(self) -> tuple[int, int]:
        """Row and column of the cursor in the grid."""
        return self._row, self._column

    @property
    def group(self) -> FaultGroup:
        """The faults of the cursor's cell."""
        if self._grid is None:
            return FaultGroup()
        names = self._grid.names
        return FaultGroup(names[self._row] if self._row < len(names) else None, bit_of(self._column, self._grid.bits))

    def show(self, grid: HeatGrid | None) -> None:
        """Show newer rates; with another network the cursor starts at its most critical cell."""
        before = self._grid
        if grid and (before is None or (before.names, before.format) != (grid.names, grid.format)):
            self._row, self._column, self._top = *most_critical(grid), 0
        super().show(grid)

    def forget(self) -> None:
        """Let the next campaign start anew."""
        self._grid = None

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cursor; it stays on the map."""
        if self._grid is not None:
            self._put(self._row + rows, self._column + columns)

    def action_open(self) -> None:
        """Ask for the faults under the cursor, if there are any."""
        if self._grid is not None and self._grid.faults[self.cell]:
            self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """The cell that was clicked; a second click is enter."""
        layout = self._plan()
        row, column = layout.row_of(event.y), layout.column_of(event.x)
        if self._grid is not None and row is not None and column is not None:
            self._put(self._grid.rows - 1 if row == layout.layers else self._top + row, column)
            if event.chain == 2:
                self.app.simulate_key("enter")

    def lines(self, grid: HeatGrid) -> list[Strip]:
        """The bits by field, the layers, and the legend."""
        if self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT:
            return [self._strip([("enlarge the terminal for the map", self._style("text"))])]
        layout = self._plan()
        self._bring_into_view(self._row, layout, grid)
        return [
            self._field_line(layout, grid),
            self._bit_line(layout, grid),
            *self._rows(layout, grid),
            self._strip([]),
            self._legend(grid),
        ]

    def _put(self, row: int, column: int) -> None:
        if self._grid is None:
            return
        cell = max(min(row, self._grid.rows - 1), 0), max(min(column, self._grid.bits), 0)
        if cell != self.cell:
            self._row, self._column = cell
            self.paint()
            self.post_message(self.Moved())

    def _plan(self) -> MapLayout:
        names, weight_format = (self._grid.names, self._grid.format) if self._grid else ((), FLOAT32)
        return MapLayout.of(names, self.size.width, self.size.height - 2, weight_format)

    def _bit_line(self, layout: MapLayout, grid: HeatGrid) -> Strip:
        axis, chosen = self._style("axis"), self._style("text") + Style(bold=True, reverse=True)
        hidden, bits = self._hidden(layout, grid), layout.format.bits
        parts: list[tuple[str, Style]] = [(f"{hidden:<{layout.name_width}}"[: layout.name_width], axis)]
        for column, label in enumerate(bit_labels(layout, bit_of(self._column, bits))):
            parts.append((label, chosen if column == self._column else axis))
        parts += [(" ", axis), (f"{ALL:>{layout.SHARE_WIDTH - 1}}", chosen if self._column == bits else axis)]
        return self._strip(parts)

    def _legend(self, grid: HeatGrid) -> Strip:
        text = self._style("text")
        parts: list[tuple[str, Style]] = []
        there = grid.levels()
        for level, words in LEGEND.items():
            if level not in there and level <= (Fill.ZERO if Fill.SCREENED in there else Fill.SCREENED):
                continue
            parts += [(GLYPHS[level] * 2, self._heat_style(level, LEGEND_RATES.get(level, 0))), (f" {words}  ", text)]
        room = self.size.width - sum(len(words) for words, _ in parts) + GAP
        headings = ("faults",) if grid.is_of_faults else HEADINGS
        heading = next((words for words in headings if len(words) <= room), headings[-1])
        return self._strip([(f"{heading:<{self._plan().name_width}}", self._style("axis")), *parts])
