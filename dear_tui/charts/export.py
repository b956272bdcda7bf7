"""What is shown, written to files: the picture as SVG, its numbers as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dear_tui.charts.plot import in_window
from dear_tui.charts.svg import figure_of, to_svg
from engine.analysis.renderers.registry import render
from engine.analysis.result_table import Column, Kind, Table
from engine.paths import free_name

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from dear_tui.charts.plot import Plot
    from dear_tui.charts.view import ChartView
    from engine.figures.figure import Figure

NAMES = frozenset({"campaign", "fault_id", "image_id", "rank"})
"""columns whose numbers are names"""


def write_export(plot: Plot, view: ChartView, folder: Path, campaign: int) -> list[Path]:
    """Write both files under a name that is not taken.

    Raises:
        OSError: they cannot be written.
    """
    return write_figure(figure_of(plot), shown_table(plot), folder, f"campaign-{campaign}-{view.kind.name.lower()}")


def write_figure(figure: Figure, numbers: Table, folder: Path, stem: str) -> list[Path]:
    """Write a figure and its numbers under a name that is not taken.

    Raises:
        OSError: they cannot be written.
    """
    name = free_name(folder, stem, (".svg", ".csv"))
    picture, table = folder / f"{name}.svg", folder / f"{name}.csv"
    picture.write_text(to_svg(figure), encoding="utf-8")
    table.write_text(render(numbers, "csv"), encoding="utf-8", newline="")
    return [picture, table]


def shown_table(plot: Plot) -> Table:
    """The numbers of what is on the shown part of the x axis."""
    shown = in_window(plot.x, plot.numbers.x)
    numbers = {name: column[shown] for name, column in plot.numbers.columns.items()}
    columns = tuple(Column(name, _kind(name, column)) for name, column in numbers.items())
    return Table(plot.title, columns, tuple(zip(*(column.tolist() for column in numbers.values()), strict=True)))


def _kind(name: str, column: NDArray[Any]) -> Kind:
    if name in NAMES:
        return Kind.ID
    return Kind.COUNT if np.issubdtype(column.dtype, np.integer) else Kind.NUMBER
