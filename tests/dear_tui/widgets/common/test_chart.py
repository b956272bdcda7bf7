"""A chart in a terminal that leaves it no room."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.geometry import Size

from dear_tui.charts.picture import Picture
from dear_tui.settings.class_colours import class_variables
from dear_tui.widgets.common.chart import Chart


class BlankChart(Chart):
    """Of nothing, and as large as it is told."""

    told = Size(10, 4)

    @property
    def size(self) -> Size:
        return self.told

    def draw(self, width: int, height: int) -> Picture:
        return Picture(width, height)


class Charts(App[None]):
    """One chart."""

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        return variables | class_variables(variables)

    def compose(self) -> ComposeResult:
        yield BlankChart()


async def test_no_column_or_no_row_is_left() -> None:
    app = Charts()
    async with app.run_test() as pilot:
        chart = app.query_one(BlankChart)
        for size in (Size(0, 4), Size(7, 0), Size(0, 0), Size(7, 4)):
            chart.told = size
            chart.paint()
            await pilot.pause()
            assert (chart.picture.width, chart.picture.height) == size
