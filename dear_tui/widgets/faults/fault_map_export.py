"""The map of faults as a picture and as a table; no Textual in here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.charts.export import Export, write_files
from dear_tui.widgets.faults.fault_map_picture import ALL, Fill, HeatGrid, field_label, heat_of, short_share
from engine.analysis.result_table import Column, Kind, Table
from engine.figures.heat_map import Cell, Group, HeatMap, heat_map_svg

if TYPE_CHECKING:
    from pathlib import Path

SCALE = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0)
"""the examples of the legend"""
WORDS = {Fill.NOT_DRAWN: "", Fill.NOT_RUN: "?", Fill.SCREENED: "–"}
COLUMNS = (
    *(Column("layer", Kind.ID), Column("bit", Kind.ID), Column("faults", Kind.COUNT), Column("run", Kind.COUNT)),
    *(Column("critical_faults", Kind.COUNT), Column("pairs", Kind.COUNT), Column("critical_pairs", Kind.COUNT)),
    *(Column("faults_counted", Kind.COUNT), Column("percent", Kind.NUMBER)),
)


def write_map(grid: HeatGrid, quantity: str, campaign: int, folder: Path) -> Export:
    """Write the map as SVG and PNG, and its numbers as CSV.

    Args:
        grid: what is shown.
        quantity: what its percents are of, in words.
        campaign: its id, for the names.
        folder: to write into.

    Raises:
        OSError: the files cannot be written.
    """
    title = f"Campaign {campaign}: {quantity}"
    return write_files(heat_map_svg(heat_map(grid, title)), map_table(grid, title), folder, f"campaign-{campaign}-map")


def heat_map(grid: HeatGrid, title: str) -> HeatMap:
    """The grid with its totals, its bits by field, and a legend."""
    return HeatMap(
        title=title,
        unit=f"% of {'faults' if grid.is_of_faults else 'pairs of fault and image'}, by layer and bit",
        row_names=(*grid.names, ALL),
        column_names=(*(str(bit) for bit in reversed(range(grid.bits))), ALL),
        groups=tuple(Group(field_label(field), field.width) for field in grid.format.fields),
        cells=tuple(tuple(_cell(grid, row, column) for column in range(grid.bits + 1)) for row in range(grid.rows)),
        scale=tuple(Cell(f"{100 * rate:g} %", heat_of(rate)) for rate in SCALE),
        note="grey: none; blank: no fault drawn; ?: not run yet; –: screened",
    )


def _cell(grid: HeatGrid, row: int, column: int) -> Cell:
    level, rate = grid.level(row, column), grid.rate(row, column)
    if level in WORDS:
        return Cell(WORDS[level], None)
    return Cell(short_share(rate), heat_of(rate) if rate else None)


def map_table(grid: HeatGrid, title: str) -> Table:
    """A row for each layer and bit, totals under the name `all`; no percent where nothing was run."""
    rows = []
    for row, name in enumerate((*grid.names, ALL)):
        for column in range(grid.bits + 1):
            place = row, column
            counts = (grid.faults, grid.run, grid.critical_faults, grid.pairs, grid.critical, grid.having)
            percent = 100 * grid.rate(row, column) if grid.pairs[place] else None
            bit = ALL if column == grid.bits else str(grid.bits - 1 - column)
            rows.append((name, bit, *(int(each[place]) for each in counts), percent))
    return Table(title, COLUMNS, tuple(rows))
