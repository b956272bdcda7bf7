"""The scatter beside the curve, or the curve beside another chart."""

from __future__ import annotations

from dear_tui.charts.draw import draw_plot
from dear_tui.charts.picture import Picture
from dear_tui.charts.plots import ChartData, make_plot
from dear_tui.charts.view import ChartKind, ChartView
from dear_tui.widgets.common.chart import Chart


class SideChart(Chart):
    """A second look at the same data, without keys."""

    def __init__(self) -> None:
        super().__init__()
        self._data: ChartData | None = None
        self._view = ChartView(ChartKind.SCATTER)

    def show_data(self, data: ChartData | None, beside: ChartView) -> None:
        """Draw what the large chart does not show."""
        kind = ChartKind.CURVE if beside.kind is ChartKind.SCATTER else ChartKind.SCATTER
        view = ChartView(kind, log=kind is ChartKind.SCATTER, density=kind is ChartKind.SCATTER)
        if data is not self._data or view != self._view:
            self._data, self._view = data, view
            self.paint()

    def draw(self, width: int, height: int) -> Picture:
        """The plot in small; nothing where there is none."""
        plot = make_plot(self._data, self._view) if self._data else ""
        if isinstance(plot, str):
            return Picture(width, height)
        return draw_plot(plot, self._view, width, height, small=True)
