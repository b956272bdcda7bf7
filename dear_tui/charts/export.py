"""What is shown, written to files: the picture as SVG and PNG, its numbers as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dear_tui.charts.plot import in_window
from dear_tui.charts.svg import figure_of
from engine.analysis.renderers.registry import render
from engine.analysis.result_table import Column, Kind, Table
from engine.figures.svg import to_svg
from engine.paths import free_name
from engine.report.writers.extra import MissingExtraError
from engine.report.writers.pictures import svg_as_png

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from dear_tui.charts.plot import Plot
    from dear_tui.charts.view import ChartView

NAMES = frozenset({"campaign", "image_id", "rank"})
"""columns whose numbers are names"""


@dataclass(frozen=True)
class Export:
    """The files that were written."""

    paths: tuple[Path, ...]
    missing: str = ""
    """why there is no PNG"""

    @property
    def sentence(self) -> str:
        """For the user."""
        written = "Written: " + ", ".join(map(str, self.paths))
        return f"{written}. {self.missing}" if self.missing else written


def write_export(plot: Plot, view: ChartView, folder: Path, campaign: int) -> Export:
    """Write what a chart shows.

    Raises:
        OSError: the files cannot be written.
    """
    svg = to_svg(figure_of(plot))
    return write_files(svg, shown_table(plot), folder, f"campaign-{campaign}-{view.kind.name.lower()}")


def write_files(svg: str, table: Table, folder: Path, name: str) -> Export:
    """Write a picture and its numbers under a name that is not taken.

    Raises:
        OSError: they cannot be written.
    """
    name = free_name(folder, name, (".svg", ".csv", ".png"))
    picture, numbers, pixels = (folder / f"{name}.{ending}" for ending in ("svg", "csv", "png"))
    picture.write_text(svg, encoding="utf-8")
    numbers.write_text(render(table, "csv"), encoding="utf-8", newline="")
    try:
        drawn = svg_as_png(svg)
    except MissingExtraError:
        return Export((picture, numbers), "For a PNG, too: pip install 'dear-tui[report]'")
    pixels.write_bytes(drawn)
    return Export((picture, numbers, pixels))


def written_or_why(write: Callable[[], Export], folder: Path) -> tuple[str, bool]:
    """What to tell the user of files that are written into a folder, and whether they could not be."""
    try:
        return write().sentence, False
    except OSError as error:
        return f"{folder}: cannot be written ({error.strerror})", True


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
