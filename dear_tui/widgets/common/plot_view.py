"""A result as a picture, in the colours of the other charts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from dear_tui.charts.export import write_files, written_or_why
from dear_tui.charts.picture import Picture
from dear_tui.charts.result_data import PlotChoice, plot_rows, plotted_numbers
from dear_tui.charts.result_plot import draw_result, result_figure
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.common.chart import Chart
from engine.figures.svg import to_svg
from engine.paths import present_folder

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from dear_tui.charts.result_plot import ResultPlot


class PlotView(Chart, can_focus=True):
    """Numbers of a result over one of its columns, as the user has chosen them."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "plot-view",
        Binding("c", "screen.choose_columns", "columns", tooltip="which columns are x, y and series"),
        Binding("v", "next_kind", "kind", tooltip="a line, bars, points"),
        Binding("x", "log('x')", "log x", tooltip="the x axis logarithmic"),
        Binding("y", "log('y')", "log y", tooltip="the y axis logarithmic"),
        Binding("e", "export", "save picture", tooltip="the plot and its numbers, into this folder"),
    )
    DEFAULT_CSS = """
    PlotView { width: 1fr; display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: pa.Table | None = None
        self._choice: PlotChoice | None = None
        self._names: list[str] = []
        """of the columns that the choice is about"""
        self._plot: ResultPlot | None = None

    @property
    def rows(self) -> pa.Table | None:
        """What is plotted."""
        return self._rows

    @property
    def choice(self) -> PlotChoice | None:
        """Of which columns, and how."""
        return self._choice

    def show(self, rows: pa.Table, choice: PlotChoice | None) -> None:
        """Plot these rows as chosen, or as before where they have the same columns."""
        names = [str(name) for name in rows.column_names]
        if self._choice is None or names != self._names:
            self._choice, self._names = choice, names
        self._rows = rows
        self.take(self._choice)

    def take(self, choice: PlotChoice | None) -> None:
        """Plot the rows as chosen; None changes nothing."""
        if choice is not None and self._rows is not None:
            self._choice, self._plot = choice, plot_rows(self._rows, choice)
            self.paint()
            self.refresh_bindings()

    def forget(self) -> None:
        """Let the rows go; the choice stays, for the same query again."""
        self._rows = self._plot = None

    def draw(self, width: int, height: int) -> Picture:
        """Nothing before there are rows."""
        return Picture(width, height) if self._plot is None else draw_result(self._plot, width, height)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a log axis where x is a number."""
        if action == "log" and parameters == ("x",):
            return self._plot is not None and self._plot.can_log_x
        return super().check_action(action, parameters)

    def why_not(self, action: str) -> str:
        """Else the key would be the screen's, which closes the result."""
        return "bars and texts have no logarithmic x axis" if action.startswith("log(") else ""

    def action_next_kind(self) -> None:
        """Draw the same in another way."""
        if self._choice is not None:
            self.take(replace(self._choice, kind=self._choice.kind.next))

    def action_log(self, axis: str) -> None:
        """An axis logarithmic, or linear again."""
        if self._choice is not None:
            choice = self._choice
            is_x = axis == "x"
            self.take(replace(choice, log_x=choice.log_x != is_x, log_y=choice.log_y == is_x))

    def action_export(self) -> None:
        """Write what is shown; a slow disk holds nothing up."""
        if self._plot is not None and self._rows is not None and self._choice is not None:
            self._write(self._plot, self._rows, self._choice, present_folder())

    @work(thread=True, group="export-plot")
    def _write(self, plot: ResultPlot, rows: pa.Table, choice: PlotChoice, folder: Path) -> None:
        svg, numbers = to_svg(result_figure(plot)), plotted_numbers(rows, choice)
        sentence, failed = written_or_why(lambda: write_files(svg, numbers, folder, "result-plot"), folder)
        self.call_later(self.notify, sentence, severity="error" if failed else "information", markup=False)
