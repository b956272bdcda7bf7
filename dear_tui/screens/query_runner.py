"""The query that the SQL screen runs: read in a thread, shown page by page, timed in the title, cancelled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content

from dear_tui.query.runs import LIMITS, CancelledError, LateSession, Run
from dear_tui.widgets.sql.result_pane import muted, rows_text
from engine.errors import DearError
from engine.units import stopwatch

if TYPE_CHECKING:
    from textual.timer import Timer

    from dear_tui.screens.sql import SqlScreen
    from dear_tui.widgets.sql.result_grid import PreparedPage

TICK_SECONDS = 0.1
NOT_ALL_KEPT = "the first rows are kept for [ and ]; e exports all"
NO_BREAK = "\N{NO-BREAK SPACE}"
"""so that the mark stays under its place"""


class QueryRunner:
    """Runs one query at a time; what comes of an older one is not shown."""

    def __init__(self, screen: SqlScreen) -> None:
        """For a screen whose pane shows the result."""
        self._screen = screen
        self.session = LateSession(screen.dear.store)
        self.run: Run | None = None
        """the query that was asked last"""
        self.is_running = False
        """whether a query runs, or its rows are being counted"""
        self.has_page = False
        """whether rows of the query are there; while it runs, only their number is not"""
        """whether rows of this run are on the screen"""
        self._page_rows = 0
        """of its first page, which is a full one where others follow"""
        self._seconds = 0.0
        self._timer: Timer | None = None

    def start(self, sql: str) -> None:
        """Run this; the result of an older query goes."""
        pane, run = self._screen.pane, Run(sql)
        if self._screen.focused in pane.walk_children():
            self._screen.set_focus(None)  # else the rows, going, would hand the keys to another pane
        pane.drop()
        self.drop()
        self.run, self.is_running, self.has_page = run, True, False
        pane.border_subtitle = f"f6 cancels, {LIMITS}"
        self._tick()
        if self._timer is None:
            self._timer = self._screen.set_interval(TICK_SECONDS, self._tick)
        self._timer.resume()
        self._screen.refresh_bindings()
        self._screen.run_worker(partial(self._read, run), group="query", thread=True)

    def drop(self) -> None:
        """Stop it and forget its rows: a thread must not outlive the app."""
        if self.run is not None:
            self.run.drop()

    def cancel(self) -> None:
        """Stop the query that runs."""
        if self.run is not None:
            self.run.cancel()
            self._screen.pane.border_subtitle = "f5 runs another meanwhile"

    def turn(self, pages: int) -> None:
        """Read another page of the same result."""
        if self.run is not None and self._screen.pane.grid is not None:
            page = self._screen.pane.grid.page
            first = page.first + page.count if pages > 0 else max(page.first - self._page_rows, 0)
            read = partial(self._read_page, self.run, first)
            self._screen.run_worker(read, group="page", thread=True, exclusive=True)

    def show_title(self) -> None:
        """Rows, columns and time of the result, or how long the query has been running."""
        run, pane = self.run, self._screen.pane
        grid = pane.grid
        if run is None:
            return
        now = f"{self._deed(run)}, {stopwatch(run.seconds)}" if self.is_running else stopwatch(self._seconds)
        rows = f"{rows_text(grid.page, run.total, run.kept)}, {_columns(len(grid.names))}, " if grid is not None else ""
        if grid is None and self.has_page:
            rows = "0 rows, "
        pane.border_title = Content(f"{rows}{now}" if rows or self.is_running else "result")
        if not self.is_running:
            pane.border_subtitle = "p: rows again" if pane.view == "dots" else "" if run.kept is None else NOT_ALL_KEPT
            self._screen.refresh_bindings()

    def _tick(self) -> None:
        """The time goes on in the title."""
        if self.is_running:
            self.show_title()

    def _deed(self, run: Run) -> str:
        if run.is_cancelled:
            return "to be cancelled after the value it is at"
        return "counting all rows" if self.has_page else "running"

    def _read(self, run: Run) -> None:
        """Run it, in a thread."""
        from dear_tui.widgets.sql.result_grid import PreparedPage

        screen, problem, place, is_cancelled = self._screen, "", "", False
        try:
            run.read(
                self.session,
                lambda page: screen.call_later(self._show_page, run, PreparedPage(page), run.seconds),
                lambda total: screen.call_later(self._show_total, run, total),
            )
        except CancelledError:
            is_cancelled = True
        except DearError as error:
            problem, place = str(error), getattr(error, "place", "")
        screen.call_later(self._end, run, problem, place, is_cancelled)

    def _read_page(self, run: Run, first: int) -> None:
        """Read another page, in a thread."""
        from dear_tui.widgets.sql.result_grid import PreparedPage

        try:
            self._screen.call_later(self._show_page, run, PreparedPage(run.page(first)))
        except CancelledError:
            refusal = "the query was cancelled before it came so far; f5 runs it again"
            self._screen.call_later(self._refuse, run, refusal)
        except DearError as error:
            self._screen.call_later(self._refuse, run, str(error))

    async def _show_page(self, run: Run, page: PreparedPage, seconds: float | None = None) -> None:
        """Show rows, and give them the keys unless someone types; `seconds` is what the first page took."""
        if run is not self.run:
            return
        screen, pane = self._screen, self._screen.pane
        self.has_page = True
        if seconds is not None:
            self._seconds, self._page_rows = seconds, page.count
        had_keys = screen.focused is None or screen.focused in pane.walk_children()
        await pane.show_page(page)
        if had_keys:
            screen.set_focus(pane.shown)
        self.show_title()

    def _show_total(self, run: Run, total: int) -> None:
        """How many rows there are in all."""
        if run is self.run:
            run.total = total
            self.show_title()

    def _refuse(self, run: Run, problem: str) -> None:
        """Say why there is no other page; the page before stays."""
        if run is self.run:
            self._screen.notify(problem, severity="error", timeout=10, markup=False)

    def _end(self, run: Run, problem: str, place: str, is_cancelled: bool) -> None:
        """Nothing more comes of a run: say why, where there are no rows."""
        if run is not self.run:
            return
        pane = self._screen.pane
        self.is_running = False
        if self._timer is not None:
            self._timer.pause()
        if problem and pane.grid is not None:
            self._refuse(run, problem)
        elif problem:
            sentence = Content.styled(problem.removeprefix("SQL: "), "$text-error")
            pane.say(Content("\n\n").join([sentence, Content(place.replace(" ", NO_BREAK))]), is_error=True)
            self._screen.editor.text.go_to_place(place)
        elif is_cancelled and pane.grid is None:
            pane.say(muted(f"Cancelled after {stopwatch(run.seconds)}."))
        self.show_title()


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count:,} columns"
