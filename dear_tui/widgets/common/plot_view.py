"""A result as a picture, in the colours of the other charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.charts.picture import Picture
from dear_tui.charts.result_plot import MOST_LINES, draw_result
from dear_tui.widgets.common.chart import Chart

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


class PlotView(Chart, can_focus=True):
    """The first column on the x axis, the next ones as lines."""

    DEFAULT_CSS = """
    PlotView { width: 1fr; display: none; }
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
        self.paint()

    def draw(self, width: int, height: int) -> Picture:
        """Nothing before there are rows."""
        if not self._columns:
            return Picture(width, height)
        lines = dict(zip(self._names[1:], self._columns[1:], strict=True))
        return draw_result(self._names[0], self._columns[0], lines, self._dots, width, height)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = column.cast("float64", safe=False).to_numpy()
    return numbers
