"""What is shown, written to files: the picture as SVG, its numbers as CSV."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from dear_tui.charts.plot import in_window
from dear_tui.charts.svg import to_svg

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from dear_tui.charts.plot import Plot
    from dear_tui.charts.view import View


def write_export(plot: Plot, view: View, folder: Path, campaign: int) -> list[Path]:
    """Write both files under a name that is not taken.

    Raises:
        OSError: they cannot be written.
    """
    stem = f"campaign-{campaign}-{view.kind.name.lower()}"
    number = 1
    while any((folder / f"{stem}{suffix}").exists() for suffix in (".svg", ".csv")):
        number += 1
        stem = f"campaign-{campaign}-{view.kind.name.lower()}-{number}"
    picture, table = folder / f"{stem}.svg", folder / f"{stem}.csv"
    picture.write_text(to_svg(plot), encoding="utf-8")
    with table.open("w", newline="", encoding="utf-8") as file:
        write_table(plot, file)
    return [picture, table]


def write_table(plot: Plot, file: TextIO) -> None:
    """The rows that are on the shown part of the x axis."""
    shown = in_window(plot.x, plot.table.x)
    writer = csv.writer(file)
    writer.writerow(plot.table.columns)
    writer.writerows(zip(*(column[shown].tolist() for column in plot.table.columns.values()), strict=True))
