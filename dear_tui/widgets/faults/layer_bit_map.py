"""Critical rates by layer and bit in little room; strips are kept, and only changed ones painted again."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from dear_tui.settings.class_colours import letters_on
from dear_tui.widgets.faults.fault_map_picture import (
    ALL,
    CORNER,
    GLYPHS,
    Fill,
    HeatGrid,
    MapLayout,
    cell_number,
    field_heading,
    heat_of,
    most_critical,
    short_name,
    short_share,
)

COOLEST = 0.2
"""how much of the hottest colour the rarest cells have"""
STEEPNESS = 1.6
"""above 1 the worst decades, which matter, differ more than the others"""
SHADES = 100
LEAST_NUMBER_WIDTH, LEAST_NUMBER_HEIGHT = 3, 2
"""of a cell that has its percent written in it: what is left of it shows how much that is"""


class LayerBitMap(Widget):
    """A cell for each layer and bit, the redder the worse, with totals at the edges.

    Where not all layers have a line, the most critical one has.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"map--text", "map--axis", "map--none", "map--zero", "map--hot"}
    DEFAULT_CSS = """
    LayerBitMap {
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

    def __init__(self) -> None:
        super().__init__()
        self._grid: HeatGrid | None = None
        self._top = 0
        """the first layer in view"""
        self._strips: list[Strip] = []
        self._styles: dict[object, Style] = {}
        """found for the present theme; looking them up takes most of a painting's time"""

    @property
    def grid(self) -> HeatGrid | None:
        """What stands on the map."""
        return self._grid

    @property
    def cell(self) -> tuple[int, int] | None:
        """Row and column in the grid of the cell that is marked."""
        return None

    def show(self, grid: HeatGrid | None) -> None:
        """Show newer rates, or nothing."""
        if grid is not self._grid:
            self._grid = grid
            self.paint()

    def render_line(self, y: int) -> Strip:
        """One kept line."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def notify_style_update(self) -> None:
        """Another theme: same map, new colours."""
        super().notify_style_update()
        self.call_later(self._paint_anew)  # the colours of its parts come after this

    def paint(self) -> None:
        """Make the lines anew, and have those painted that are others."""
        before, self._strips = self._strips, self.lines(self._grid) if self._grid else []
        if len(before) != len(self._strips):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._strips, strict=True)):
            if old != new:
                self.refresh(Region(0, y, self.size.width, 1))

    on_resize = paint

    def lines(self, grid: HeatGrid) -> list[Strip]:
        """The fields above their bits, the layers that have room, and all layers."""
        layout = MapLayout.of(grid.names, *self.size, grid.format, is_small=True)
        self._bring_into_view(most_critical(grid)[0], layout, grid)
        return [self._field_line(layout, grid, self._hidden(layout, grid) or CORNER), *self._rows(layout, grid)]

    def _paint_anew(self) -> None:
        self._styles.clear()
        self.paint()

    def _bring_into_view(self, row: int, layout: MapLayout, grid: HeatGrid) -> None:
        """Scroll as far as is needed to show a layer, and so that no line is empty."""
        if row < len(grid.names):
            self._top = max(min(self._top, row), row - layout.layers + 1)
        self._top = max(min(self._top, len(grid.names) - layout.layers), 0)

    def _hidden(self, layout: MapLayout, grid: HeatGrid) -> str:
        """How many layers are above and below those in view."""
        below = len(grid.names) - self._top - layout.layers
        return " ".join(f"{sign}{count}" for sign, count in (("▲", self._top), ("▼", below)) if count > 0)

    def _field_line(self, layout: MapLayout, grid: HeatGrid, corner: str = "") -> Strip:
        return self._strip([(field_heading(layout, grid.is_of_faults, corner), self._style("axis"))])

    def _rows(self, layout: MapLayout, grid: HeatGrid) -> list[Strip]:
        """The lines of the layers in view and of all layers."""
        rows = (*range(self._top, self._top + layout.layers), len(grid.names))
        return [line for row in rows for line in self._row_lines(layout, grid, row)]

    def _row_lines(self, layout: MapLayout, grid: HeatGrid, row: int) -> list[Strip]:
        text = self._style("text")
        chosen = text + Style(bold=True, reverse=True)
        room = layout.name_width - 1
        name = short_name(grid.names[row], room) if row < len(grid.names) else ALL
        share = short_share(grid.rate(row, grid.bits)) if grid.pairs[row, grid.bits] else "–"
        marked_row, marked_column = self.cell or (None, None)
        lines = []
        for line in range(layout.cell_height):
            is_middle = line == (layout.cell_height - 1) // 2
            label, total = (name, share) if is_middle else ("", "")
            cells = [self._cell(layout, grid, row, column, is_middle) for column in range(grid.bits)]
            here = row == marked_row and bool(label)
            parts = [(f"{label:<{room}}", chosen if here else text), (" ", text)]
            parts += cells
            on_total = here and marked_column == grid.bits
            parts += [(" ", text), (f"{total:>{layout.SHARE_WIDTH - 1}}", chosen if on_total else text)]
            lines.append(self._strip(parts))
        return lines

    def _cell(self, layout: MapLayout, grid: HeatGrid, row: int, column: int, is_middle: bool) -> tuple[str, Style]:
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

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(f"map--{name}")
        return self._styles[name]

    def _strip(self, parts: list[tuple[str, Style]]) -> Strip:
        strip = Strip([Segment(text, style) for text, style in parts if text])
        return strip.adjust_cell_length(self.size.width, self.rich_style)
