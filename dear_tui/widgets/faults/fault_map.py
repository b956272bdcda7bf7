"""The map of critical rates by layer and bit, with a cursor; strips are kept, and only changed ones painted again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from dear_tui.settings.class_colours import letters_on
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
    cell_number,
    field_heading,
    heat_of,
    short_name,
    short_share,
)
from engine.faults.group import FaultGroup
from engine.formats.float32 import FLOAT32

if TYPE_CHECKING:
    from textual import events

LEGEND_RATES = {Fill.LOW: 5e-5, Fill.MIDDLE: 5e-4, Fill.HIGH: 5e-3, Fill.HIGHEST: 0.2}
"""The rates whose colours stand for their decades."""
COOLEST = 0.2
"""how much of the hottest colour the rarest cells have"""
STEEPNESS = 1.6
"""above 1 the worst decades, which matter, differ more than the others"""
SHADES = 100
LEAST_WIDTH, LEAST_HEIGHT = 76, 7
HEADINGS = ("critical pairs", "critical")
"""of the legend; the longest that there is room for"""
LEAST_NUMBER_WIDTH, LEAST_NUMBER_HEIGHT = 3, 2
"""of a cell that has its percent written in it: what is left of it shows how much that is"""
GAP = 2
"""blanks after each entry of the legend, also after the last one"""


class FaultMap(Widget, can_focus=True):
    """A cell for each layer and bit, the redder the worse; totals at the edges."""

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
    COMPONENT_CLASSES: ClassVar[set[str]] = {"map--text", "map--axis", "map--none", "map--zero", "map--hot"}
    DEFAULT_CSS = """
    FaultMap {
        height: 1fr;
        .map--text { color: $foreground; }
        .map--axis { color: $text-muted; }
        .map--none { color: $text-muted; background: $foreground 14%; }
        .map--zero { color: $text-disabled; }
        .map--hot { color: $class-heat; }
        &:ansi .map--none { color: ansi_bright_black; background: ansi_default; }
        &:ansi .map--zero { color: ansi_bright_black; }
    }
    """
    ALLOW_SELECT = False

    class Moved(Message):
        """The cursor is on another cell."""

    class Opened(Message):
        """The faults of the cell under the cursor are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._grid: HeatGrid | None = None
        self._row = self._column = self._top = 0
        self._strips: list[Strip] = []
        self._styles: dict[object, Style] = {}
        """found for the present theme; looking them up takes most of a painting's time"""

    @property
    def grid(self) -> HeatGrid | None:
        """What stands on the map."""
        return self._grid

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

    def show(self, grid: HeatGrid) -> None:
        """Show newer rates; with another network the cursor starts at its most critical cell."""
        if self._grid is None or (self._grid.names, self._grid.format) != (grid.names, grid.format):
            self._row, self._column, self._top = *_most_critical(grid), 0
        self._grid = grid
        self._paint()

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

    def render_line(self, y: int) -> Strip:
        """One kept line."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """The cell that was clicked; a second click is enter."""
        layout = self._plan()
        row, column = layout.row_of(event.y), layout.column_of(event.x)
        if self._grid is not None and row is not None and column is not None:
            self._put(self._grid.rows - 1 if row == layout.layers else self._top + row, column)
            if event.chain == 2:
                self.app.simulate_key("enter")

    def notify_style_update(self) -> None:
        """Another theme: same map, new colours."""
        super().notify_style_update()
        self.call_later(self._paint_anew)  # the colours of its parts come after this

    def _put(self, row: int, column: int) -> None:
        if self._grid is None:
            return
        cell = max(min(row, self._grid.rows - 1), 0), max(min(column, self._grid.bits), 0)
        if cell != self.cell:
            self._row, self._column = cell
            self._paint()
            self.post_message(self.Moved())

    def _plan(self) -> MapLayout:
        names, weight_format = (self._grid.names, self._grid.format) if self._grid else ((), FLOAT32)
        return MapLayout.of(names, self.size.width, self.size.height - 2, weight_format)

    def _paint_anew(self) -> None:
        self._styles.clear()
        self._paint()

    def _paint(self) -> None:
        """Make the lines anew, and have those painted that are others."""
        before, self._strips = self._strips, self._lines()
        if len(before) != len(self._strips):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._strips, strict=True)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    on_resize = _paint

    def _lines(self) -> list[Strip]:
        grid = self._grid
        if grid is None:
            return []
        if self.size.width < LEAST_WIDTH or self.size.height < LEAST_HEIGHT:
            return [self._strip([("enlarge the terminal for the map", self._style("text"))])]
        layout = self._plan()
        if self._row < len(grid.names):
            self._top = max(min(self._top, self._row), self._row - layout.layers + 1)
        self._top = max(min(self._top, len(grid.names) - layout.layers), 0)
        lines = [self._strip([(field_heading(layout, grid.is_of_faults), self._style("axis"))]), self._bit_line(layout)]
        for row in (*range(self._top, self._top + layout.layers), len(grid.names)):
            lines += self._row_lines(grid, layout, row)
        return [*lines, self._strip([]), self._legend(grid)]

    def _bit_line(self, layout: MapLayout) -> Strip:
        axis, chosen = self._style("axis"), self._style("text") + Style(bold=True, reverse=True)
        hidden, bits = self._hidden(layout), layout.format.bits
        parts: list[tuple[str, Style]] = [(f"{hidden:<{layout.name_width}}"[: layout.name_width], axis)]
        for column, label in enumerate(bit_labels(layout, bit_of(self._column, bits))):
            parts.append((label, chosen if column == self._column else axis))
        parts += [(" ", axis), (f"{ALL:>{layout.SHARE_WIDTH - 1}}", chosen if self._column == bits else axis)]
        return self._strip(parts)

    def _hidden(self, layout: MapLayout) -> str:
        """How many layers are above and below those in view."""
        above = self._top
        below = (len(self._grid.names) if self._grid else 0) - self._top - layout.layers
        return " ".join(f"{sign}{count}" for sign, count in (("▲", above), ("▼", below)) if count > 0)

    def _row_lines(self, grid: HeatGrid, layout: MapLayout, row: int) -> list[Strip]:
        text = self._style("text")
        chosen = text + Style(bold=True, reverse=True)
        name = short_name(grid.names[row], layout.name_width - 1) if row < len(grid.names) else ALL
        room = layout.name_width - 1
        share = short_share(grid.rate(row, grid.bits)) if grid.pairs[row, grid.bits] else "–"
        lines = []
        for line in range(layout.cell_height):
            is_middle = line == (layout.cell_height - 1) // 2
            label, total = (name, share) if is_middle else ("", "")
            cells = [self._cell(grid, layout, row, column, is_middle) for column in range(grid.bits)]
            here = row == self._row and bool(label)
            parts = [(f"{label:<{room}}", chosen if here else text), (" ", text)]
            parts += cells
            on_total = here and self._column == grid.bits
            parts += [(" ", text), (f"{total:>{layout.SHARE_WIDTH - 1}}", chosen if on_total else text)]
            lines.append(self._strip(parts))
        return lines

    def _cell(self, grid: HeatGrid, layout: MapLayout, row: int, column: int, is_middle: bool) -> tuple[str, Style]:
        """One line of a cell; where there is room, its percent stands in the middle one."""
        level, width = grid.level(row, column), layout.cell_width
        if (row, column) == self.cell:
            return f"[{' ' * (width - 2)}]", self._style("text") + Style(bold=True, reverse=True)
        style = self._heat_style(level, grid.rate(row, column))
        has_room = width >= LEAST_NUMBER_WIDTH and layout.cell_height >= LEAST_NUMBER_HEIGHT
        if is_middle and has_room and level >= Fill.LOW:
            return cell_number(grid.rate(row, column), width), self._number_style(style)
        return GLYPHS[level] * width, style

    def _heat_style(self, level: Fill, rate: float) -> Style:
        """The colour of a rate."""
        if level in (Fill.NOT_DRAWN, Fill.NOT_RUN):
            return self._style("none")
        if level in (Fill.ZERO, Fill.SCREENED):
            return self._style("zero")
        shade = round(heat_of(rate) * SHADES)
        if shade not in self._styles:
            self._styles[shade] = self._hot_style(shade / SHADES)
        return self._styles[shade]

    def _hot_style(self, heat: float) -> Style:
        """The further from the background, the worse; numbers are black or white, whichever is told apart more."""
        hot, back = self.get_component_styles("map--hot").color, self.background_colors[1]
        if hot.ansi is not None or back.ansi is not None:
            return self._style("hot")
        colour = back.blend(hot, COOLEST + (1 - COOLEST) * heat**STEEPNESS)
        return Style(color=colour.rich_color, bgcolor=back.blend(colour, 0.6).rich_color)

    def _number_style(self, heat: Style) -> Style:
        """Of a number in a cell: on the cell's whole colour, black or white."""
        if heat.color is None or heat.color.triplet is None:
            return heat
        ground = Color(*heat.color.triplet)
        return Style(color=letters_on(ground).rich_color, bgcolor=heat.color)

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

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(f"map--{name}")
        return self._styles[name]

    def _strip(self, parts: list[tuple[str, Style]]) -> Strip:
        strip = Strip([Segment(text, style) for text, style in parts if text])
        return strip.adjust_cell_length(self.size.width, self.rich_style)


def _most_critical(grid: HeatGrid) -> tuple[int, int]:
    """The cell with most critical pairs, where the first look should go; a rate of one fault says little."""
    cells = [(row, column) for row in range(len(grid.names)) for column in range(grid.bits)]
    return max(cells, key=lambda cell: (grid.critical[cell], grid.faults[cell]), default=(0, 0))
