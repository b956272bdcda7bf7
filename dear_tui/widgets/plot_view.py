"""A result as a picture, in the theme's colours."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from dear_tui.widgets.detection_picture import Ink, Picture
from dear_tui.widgets.plot_picture import MOST_LINES, draw_plot
from dear_tui.widgets.status_text import MUTED

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

STYLES = {
    Ink.TEXT: "$foreground",
    Ink.AXIS: MUTED,
    Ink.MASKED: "$primary",
    Ink.NON_CRITICAL: "$error",
    Ink.CRITICAL: "bold $success",
    Ink.METRIC: "$warning",
}


class PlotView(Static, can_focus=True):
    """The first column on the x axis, the next ones as lines."""

    DEFAULT_CSS = """
    PlotView { height: 1fr; width: 1fr; display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._names: list[str] = []
        self._columns: list[NDArray[np.float64]] = []
        self._dots = False

    def show(self, rows: pa.Table, dots: bool) -> None:
        """Draw these rows, whose columns are numbers."""
        self._names = [str(name) for name in rows.column_names[: MOST_LINES + 1]]
        self._columns = [_numbers(rows.column(index)) for index in range(len(self._names))]
        self._dots = dots
        self._draw()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._draw()

    def _draw(self) -> None:
        if not self._columns or not self.size:
            return
        lines = dict(zip(self._names[1:], self._columns[1:], strict=True))
        width, height = self.size
        self.update(
            _content(draw_plot(self._names[0], self._columns[0], lines, self._dots, width, height)), layout=False
        )


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = column.cast("float64", safe=False).to_numpy()
    return numbers


def _content(picture: Picture) -> Content:
    lines = []
    for text, inks in zip(picture.rows(), picture.inks, strict=True):
        runs, start = [], 0
        for ink, run in groupby(inks.tolist()):
            stop = start + len(list(run))
            runs.append((text[start:stop], STYLES.get(Ink(ink), "")))
            start = stop
        lines.append(Content.assemble(*runs))
    return Content("\n").join(lines)
