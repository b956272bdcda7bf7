"""A chart in little room: the scatter or the curve beside another chart, the curve of a campaign in its details."""

from __future__ import annotations

from dear_tui.charts.draw import draw_plot
from dear_tui.charts.picture import Picture
from dear_tui.charts.plots import ChartData, make_plot
from dear_tui.charts.view import ChartView
from dear_tui.widgets.common.chart import Chart


class SmallChart(Chart):
    """Has no keys: what it shows of the data is said by who gives them."""

    def __init__(self) -> None:
        super().__init__()
        self._data: ChartData | None = None
        self._view = ChartView()

    def show_data(self, data: ChartData | None, view: ChartView) -> None:
        """Draw it where it is other data, or another view of them; None: nothing."""
        is_same = data is self._data or (data is not None and self._data is not None and data.is_same(self._data))
        if not is_same or view != self._view:
            self._data, self._view = data, view
            self.paint()

    def draw(self, width: int, height: int) -> Picture:
        """The plot in small; nothing where there is none."""
        plot = make_plot(self._data, self._view) if self._data else ""
        if isinstance(plot, str):
            return Picture(width, height)
        return draw_plot(plot, self._view, width, height, small=True)
