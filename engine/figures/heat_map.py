"""A map of cells, each of a value between 0 and 1, as SVG: the worse, the redder."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from engine.figures.svg import INK, PAPER

if TYPE_CHECKING:
    from collections.abc import Iterator

COLDEST, HOTTEST = (0xFD, 0xE8, 0xE4), (0xB7, 0x0F, 0x1B)
"""the ends of the scale, red, green, blue"""
BLACK = "#000000"
NOTHING = "#ececec"
"""a cell without a value"""
LETTERS_TURN = 0.735
"""hotter cells have white numbers: black ones would have less contrast"""
CELL_WIDTH, CELL_HEIGHT = 38, 24
TOP, BOTTOM, MARGIN = 96, 64, 16
LETTER = 7
"""the width of a letter, about"""


@dataclass(frozen=True)
class Cell:
    """A cell of the map."""

    text: str
    """its number, or why there is none"""
    heat: float | None
    """0 the coldest, 1 the hottest; None: it has no colour of the scale"""


@dataclass(frozen=True)
class Group:
    """Columns beside each other that have a name together."""

    name: str
    columns: int


@dataclass(frozen=True)
class HeatMap:
    """Rows of cells with a legend; the last row and the last column are totals."""

    title: str
    unit: str
    """of the numbers in the cells"""
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    groups: tuple[Group, ...]
    """of the columns from the left; the total column belongs to none"""
    cells: tuple[tuple[Cell, ...], ...]
    """a tuple for each row"""
    scale: tuple[Cell, ...]
    """examples for the legend"""
    note: str = ""
    """what the legend says beside them"""


def heat_map_svg(heat_map: HeatMap) -> str:
    """A file of its own."""
    left = MARGIN + LETTER * max([len(name) for name in heat_map.row_names] + [4]) + 8
    width = left + CELL_WIDTH * len(heat_map.column_names) + MARGIN + 6
    width = max(width, 2 * MARGIN + int(7.6 * len(heat_map.title)))
    height = TOP + CELL_HEIGHT * len(heat_map.row_names) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" font-family="Helvetica, Arial, sans-serif" font-size="11">',
        f"<title>{escape(heat_map.title)}</title>",
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        _text(width / 2, 24, heat_map.title, size=14),
        _text(width / 2, 42, heat_map.unit, size=12),
        *_headings(heat_map, left),
        *_rows(heat_map, left),
        *_legend(heat_map, height - BOTTOM + 24),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def colour_of(heat: float | None) -> str:
    """Of a cell."""
    if heat is None:
        return NOTHING
    ends = zip(COLDEST, HOTTEST, strict=True)
    return "#" + "".join(f"{round(cold + (hot - cold) * heat):02x}" for cold, hot in ends)


def _headings(heat_map: HeatMap, left: int) -> Iterator[str]:
    column = 0
    for group in heat_map.groups:
        start, stop = left + column * CELL_WIDTH + 2, left + (column + group.columns) * CELL_WIDTH - 2
        yield _text((start + stop) / 2, TOP - 26, group.name)
        yield f'<path d="M{start} {TOP - 18}v-4H{stop}v4" fill="none" stroke="{INK}"/>'
        column += group.columns
    for place, name in enumerate(heat_map.column_names):
        yield _text(_left_of(heat_map, left, place) + CELL_WIDTH / 2, TOP - 6, name)


def _rows(heat_map: HeatMap, left: int) -> Iterator[str]:
    for row, (name, cells) in enumerate(zip(heat_map.row_names, heat_map.cells, strict=True)):
        top = TOP + row * CELL_HEIGHT + (6 if row == len(heat_map.cells) - 1 else 0)
        yield _text(left - 6, top + 16, name, "end")
        for column, cell in enumerate(cells):
            yield from _cell(_left_of(heat_map, left, column), top, cell)


def _left_of(heat_map: HeatMap, left: int, column: int) -> int:
    """Where a column begins; the totals stand apart."""
    return left + column * CELL_WIDTH + (6 if column == len(heat_map.column_names) - 1 else 0)


def _legend(heat_map: HeatMap, top: int) -> Iterator[str]:
    x = float(MARGIN)
    for cell in heat_map.scale:
        yield from _cell(int(x), top, Cell("", cell.heat))
        yield _text(x + CELL_WIDTH + 6, top + 16, cell.text, "start")
        x += CELL_WIDTH + 6 + LETTER * len(cell.text) + 12
    if heat_map.note:
        yield _text(x, top + 16, heat_map.note, "start")


def _cell(left: int, top: int, cell: Cell) -> Iterator[str]:
    yield (
        f'<rect x="{left}" y="{top}" width="{CELL_WIDTH}" height="{CELL_HEIGHT}" fill="{colour_of(cell.heat)}" '
        f'stroke="{PAPER}"/>'
    )
    if cell.text:
        is_dark = cell.heat is not None and cell.heat > LETTERS_TURN
        yield _text(left + CELL_WIDTH / 2, top + 16, cell.text, colour=PAPER if is_dark else BLACK)


def _text(x: float, y: float, text: str, anchor: str = "middle", size: int = 11, colour: str = INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
    )
