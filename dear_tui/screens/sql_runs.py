"""The query that the SQL screen runs: read in a thread, shown page by page, timed in the title, cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.content import Content

from dear_tui.query.desk import LIMITS, CancelledError, Desk, Run
from dear_tui.query.messages import PageRead, PageRefused, RunEnded, TotalRead
from dear_tui.screens.sql_files import SqlFiles
from dear_tui.widgets.sql.export_line import ExportLine
from dear_tui.widgets.sql.result_pane import ResultPane, muted, rows_text
from engine.errors import DearError
from engine.units import stopwatch

if TYPE_CHECKING:
    from textual.timer import Timer

TICK_SECONDS = 0.1
NOT_ALL_KEPT = "the first rows are kept for [ and ]; e exports all"
NO_BREAK = "\N{NO-BREAK SPACE}"
"""so that the mark stays under its place"""


class SqlRuns(SqlFiles):
    """One query at a time; messages of an older one are not heard."""

    def __init__(self) -> None:
        super().__init__()
        self._desk = Desk(self.dear.store)
        self._run: Run | None = None
        self._is_running = False
        self._has_page = False
        """whether rows of this run are on the screen"""
        self._page_rows = 0
        """of its first page, which is a full one where others follow"""
        self._seconds = 0.0
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        """The clock of the title stands until a query runs."""
        self._timer = self.set_interval(TICK_SECONDS, self._tick, pause=True)

    def on_unmount(self) -> None:
        """A thread must not outlive the app."""
        if self._run is not None:
            self._run.drop()

    @property
    def is_busy(self) -> bool:
        """Whether a query runs, or its rows are being counted."""
        return self._is_running

    def has_run(self, sql: str) -> bool:
        """Whether this is the query that was run last."""
        return self._run is not None and self._run.sql == sql

    @property
    def pane(self) -> ResultPane:
        """The result."""
        return self.query_one(ResultPane)

    def run_query(self, sql: str) -> None:
        """Run this; the result of an older query goes."""
        if self.focused in self.pane.walk_children():
            self.set_focus(None)  # else the rows, going, would hand the keys to another pane
        self.pane.drop()
        self._begin(Run(sql))
        self.remember(sql)

    def action_cancel(self) -> None:
        """Stop the query; where its rows are there already, the export; where there is none, the counting."""
        is_only_counting = self._has_page and self.query_one(ExportLine).export is not None
        if self._is_running and self._run is not None and not is_only_counting:
            self._run.cancel()
            self.pane.border_subtitle = "f5 runs another meanwhile"
        else:
            self.query_one(ExportLine).cancel()

    def action_page(self, pages: int) -> None:
        """Read another page of the same result."""
        if self._run is not None and self.pane.grid is not None:
            page = self.pane.grid.page
            self._turn(self._run, page.first + page.count if pages > 0 else max(page.first - self._page_rows, 0))

    async def on_page_read(self, message: PageRead) -> None:
        """Show rows, and give them the keys unless someone types."""
        if message.run is not self._run:
            return
        self._has_page = True
        if message.seconds is not None:
            self._seconds, self._page_rows = message.seconds, message.page.count
        had_keys = self.focused is None or self.focused in self.pane.walk_children()
        await self.pane.show_page(message.page)
        if had_keys:
            self.set_focus(self.pane.shown)
        self.show_title()

    def on_page_refused(self, message: PageRefused) -> None:
        """Say why; the page before stays."""
        if message.run is self._run:
            self.notify(message.problem, severity="error", timeout=10, markup=False)

    def on_total_read(self, message: TotalRead) -> None:
        """How many there are in all."""
        if message.run is self._run:
            self._run.total = message.total
            self.show_title()

    def on_run_ended(self, message: RunEnded) -> None:
        """Say why, where there are no rows."""
        if message.run is not self._run:
            return
        self._is_running = False
        if self._timer is not None:
            self._timer.pause()
        has_rows = self.pane.grid is not None
        if message.is_cancelled and not has_rows:
            self.pane.say(muted(f"Cancelled after {stopwatch(message.run.seconds)}."))
        elif message.problem and has_rows:
            self.notify(message.problem, severity="error", timeout=10, markup=False)
        elif message.problem:
            self._show_problem(message)
        self.show_title()

    def _begin(self, run: Run) -> None:
        if self._run is not None:
            self._run.drop()
        self._run, self._is_running, self._has_page = run, True, False
        self.pane.border_subtitle = f"f6 cancels, {LIMITS}"
        self._tick()
        if self._timer is not None:
            self._timer.resume()
        self.refresh_bindings()
        self._read(self._desk, run)

    def _show_problem(self, message: RunEnded) -> None:
        sentence = Content.styled(message.problem.removeprefix("SQL: "), "$text-error")
        place = Content(message.place.replace(" ", NO_BREAK))
        self.pane.say(Content("\n\n").join([sentence, place]), is_error=True)
        self.editor.text.go_to_place(message.place)

    def _tick(self) -> None:
        """The time goes on in the title."""
        if self._is_running:
            self.show_title()

    def _deed(self, run: Run) -> str:
        if run.is_cancelled:
            return "to be cancelled after the value it is at"
        return "counting all rows" if self._has_page else "running"

    def show_title(self) -> None:
        """Rows, columns and time of the result, or how long the query has been running."""
        grid, run, pane = self.pane.grid, self._run, self.pane
        if run is None:
            return
        now = f"{self._deed(run)}, {stopwatch(run.seconds)}" if self._is_running else stopwatch(self._seconds)
        rows = f"{rows_text(grid.page, run.total, run.kept)}, {_columns(len(grid.names))}, " if grid is not None else ""
        if grid is None and self._has_page:
            rows = "0 rows, "
        pane.border_title = Content(f"{rows}{now}" if rows or self._is_running else "result")
        if not self._is_running:
            pane.border_subtitle = "p: rows again" if pane.view == "dots" else "" if run.kept is None else NOT_ALL_KEPT
            self.refresh_bindings()

    @work(thread=True, group="query")
    def _read(self, desk: Desk, run: Run) -> None:
        from dear_tui.widgets.sql.result_grid import PreparedPage

        try:
            run.read(
                desk,
                lambda page: self.post_message(PageRead(run, PreparedPage(page), run.seconds)),
                lambda total: self.post_message(TotalRead(run, total)),
            )
            self.post_message(RunEnded(run))
        except CancelledError:
            self.post_message(RunEnded(run, is_cancelled=True))
        except DearError as error:
            self.post_message(RunEnded(run, str(error), getattr(error, "place", "")))

    @work(thread=True, exclusive=True, group="page")
    def _turn(self, run: Run, first: int) -> None:
        from dear_tui.widgets.sql.result_grid import PreparedPage

        try:
            self.post_message(PageRead(run, PreparedPage(run.page(first))))
        except CancelledError:
            self.post_message(PageRefused(run, "the query was cancelled before it came so far; f5 runs it again"))
        except DearError as error:
            self.post_message(PageRefused(run, str(error)))


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count:,} columns"
