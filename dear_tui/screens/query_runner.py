"""The query that the SQL screen runs: read in a thread, shown page by page, timed in the title, cancelled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content

from dear_tui.query.runs import LIMITS, CancelledError, LateSession, Run
from dear_tui.widgets.sql.result_pane import muted
from dear_tui.widgets.sql.result_text import found_text, order_sign, rows_text
from engine.errors import DearError
from engine.units import stopwatch

if TYPE_CHECKING:
    from textual.timer import Timer

    from dear_tui.screens.sql import SqlScreen
    from dear_tui.widgets.sql.result_grid import PreparedPage, ResultGrid
    from dear_tui.widgets.sql.result_pane import ResultPane
    from dear_tui.widgets.sql.row_search import Found
    from engine.store.sql.sql import Order

TICK_SECONDS = 0.1
NOT_ALL_KEPT = "the first rows are kept for [ and ]; e exports all"
NO_BREAK = "\N{NO-BREAK SPACE}"
"""so that the mark stays under its place"""


class QueryRunner:
    """Runs one query at a time for one pane; what comes of an older one is not shown."""

    def __init__(self, screen: SqlScreen, pane: ResultPane, session: LateSession) -> None:
        """For a pane of the screen, in a session that others use, too."""
        self._screen, self.pane, self._session = screen, pane, session
        self.run: Run | None = None
        """what was asked last: the query, or its rows in another order"""
        self.is_running = False
        """whether a query runs, or its rows are being counted or sorted"""
        self.has_page = False
        """whether rows of the query are there; while it runs, only their number is not"""
        self.sought = ""
        """a text that is looked for in the rows"""
        self._unsorted: Run | None = None
        """the query's own run, whose rows are those of any order"""
        self.order: Order | None = None
        """what the rows are sorted by, if not as the query gives them"""
        self._page_rows = 0
        """of its first page, which is a full one where others follow"""
        self._seconds = 0.0
        self._timer: Timer | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the user sees its pane."""
        return bool(self.pane.display)

    def start(self, sql: str) -> None:
        """Run this; the result of an older query goes."""
        pane, run = self.pane, Run(sql)
        if self._screen.focused in pane.walk_children():
            self._screen.set_focus(None)  # else the rows, going, would hand the keys to another pane
        pane.drop()
        self.drop()
        self._unsorted, self.order, self.sought, self.has_page = run, None, "", False
        self._begin(run)

    def drop(self) -> None:
        """Stop it and forget its rows: a thread must not outlive the app."""
        self._drop_sorted()
        if self._unsorted is not None:
            self._unsorted.drop()

    def close(self) -> None:
        """Forget everything."""
        self.drop()
        self.run = self._unsorted = None
        self.is_running = self.has_page = False
        if self._timer is not None:
            self._timer.pause()
        self.pane.drop()
        self.show_title()

    def cancel(self) -> None:
        """Stop the query that runs, or the sorting."""
        if self.run is not None:
            self.run.cancel()
            self.pane.border_subtitle = "f5 runs another meanwhile"

    def sort(self, column: int) -> None:
        """All rows by this column, rising, falling, and as the query gives them, in turns."""
        from engine.store.sql.sql import Order

        if self._unsorted is None or (self.is_running and self.run is self._unsorted):
            self._screen.notify("the rows are not all there yet; sort them then", severity="warning", timeout=4)
            return
        before = self.order if self.order and self.order.column == column else None
        if before is None or not before.is_descending:
            self.order = Order(column, is_descending=before is not None)
            self._drop_sorted()
            run = self._unsorted.sorted(self.order)
            run.total, self.has_page = self._unsorted.total, False
            self._begin(run)
        else:
            self._show_unsorted()

    def search(self, text: str) -> None:
        """Look for a text in the rows of the page; none ends that."""
        grid, self.sought = self.pane.grid, text
        if grid is not None:
            self._screen.run_worker(partial(self._search, grid, text), group="search", thread=True, exclusive=True)

    def turn(self, pages: int) -> None:
        """Read another page of the same result."""
        if self.run is not None and self.pane.grid is not None:
            page = self.pane.grid.page
            self._turn_to(page.first + page.count if pages > 0 else max(page.first - self._page_rows, 0))

    def show_title(self) -> None:
        """What there is, in the title; what can be done with it, in the subtitle, the tabs and the keys."""
        run, pane = self.run, self.pane
        if run is None:
            pane.border_title, pane.border_subtitle = Content(""), ""
            return
        self._show_time(run)
        if not self.is_running:
            kept = "" if run.kept is None else NOT_ALL_KEPT
            found = found_text(pane.grid.page) if pane.grid is not None else ""
            pane.border_subtitle = Content("p shows the rows" if pane.view == "plot" else found or kept)
        self._screen.tabs.tell()
        if self.is_shown:
            self._screen.refresh_bindings()

    def _show_time(self, run: Run) -> None:
        """Rows, columns and time of the result, or how long the query has been running."""
        grid, order = self.pane.grid, self.order
        now = f"{self._deed(run)}, {stopwatch(run.seconds)}" if self.is_running else stopwatch(self._seconds)
        rows = f"{rows_text(grid.page, run.total, run.kept)}, {_columns(len(grid.names))}, " if grid is not None else ""
        if grid is None and self.has_page:
            rows = "0 rows, "
        by = f", by {grid.names[order.column]} {order_sign(order)}" if grid is not None and order is not None else ""
        self.pane.border_title = Content(f"{rows}{now}{by}" if rows or self.is_running else "result")

    def _tick(self) -> None:
        """The time goes on in the title."""
        if self.is_running and self.run is not None:
            self._show_time(self.run)

    def _deed(self, run: Run) -> str:
        if run.is_cancelled:
            return "to be cancelled after the value it is at"
        if self.has_page:
            return "counting all rows"
        return "running" if run is self._unsorted else "sorting all rows"

    def _begin(self, run: Run) -> None:
        """Read a run in a thread, with its time in the title."""
        self.run, self.is_running = run, True
        self.pane.border_subtitle = f"f6 cancels, {LIMITS}"
        self.show_title()
        if self._timer is None:
            self._timer = self._screen.set_interval(TICK_SECONDS, self._tick)
        self._timer.resume()
        self._screen.run_worker(partial(self._read, run, self.sought), group="query", thread=True)

    def _turn_to(self, first: int) -> None:
        if self.run is not None:
            read = partial(self._read_page, self.run, first, self.sought)
            self._screen.run_worker(read, group="page", thread=True, exclusive=True)

    def _drop_sorted(self) -> None:
        """Of two orders only one is kept."""
        if self.run is not None and self.run is not self._unsorted:
            self.run.drop()

    def _show_unsorted(self) -> None:
        """The rows as the query gives them."""
        self._drop_sorted()
        self.run, self.order, self.has_page, self.is_running = self._unsorted, None, True, False
        self._turn_to(0)

    def _search(self, grid: ResultGrid, text: str) -> None:
        """Look for a text, in a thread."""
        self._screen.call_later(self._show_found, grid, text, grid.page.find(text))

    def _show_found(self, grid: ResultGrid, text: str, found: Found | None) -> None:
        """Unless another page, or another text, has been asked for since."""
        if grid is self.pane.grid and text == self.sought:
            grid.show_found(found)
            self.show_title()

    def _read(self, run: Run, sought: str) -> None:
        """Run it, in a thread."""
        from dear_tui.widgets.sql.result_grid import PreparedPage

        screen, problem, place, is_cancelled = self._screen, "", "", False
        try:
            run.read(
                self._session,
                lambda page: screen.call_later(self._show_page, run, PreparedPage(page, sought), run.seconds),
                lambda total: screen.call_later(self._show_total, run, total),
            )
        except CancelledError:
            is_cancelled = True
        except DearError as error:
            problem, place = str(error), getattr(error, "place", "")
        screen.call_later(self._end, run, problem, place, is_cancelled)

    def _read_page(self, run: Run, first: int, sought: str) -> None:
        """Read another page, in a thread."""
        from dear_tui.widgets.sql.result_grid import PreparedPage

        try:
            self._screen.call_later(self._show_page, run, PreparedPage(run.page(first), sought))
        except CancelledError:
            refusal = "the query was cancelled before it came so far; f5 runs it again"
            self._screen.call_later(self._refuse, run, refusal)
        except DearError as error:
            self._screen.call_later(self._refuse, run, str(error))

    async def _show_page(self, run: Run, page: PreparedPage, seconds: float | None = None) -> None:
        """Show rows, and give them the keys unless someone types; `seconds` is what the first page took."""
        if run is not self.run:
            return
        screen, pane = self._screen, self.pane
        self.has_page = True
        if seconds is not None:
            self._seconds, self._page_rows = seconds, page.count
        had_keys = self.is_shown and (screen.focused is None or screen.focused in pane.walk_children())
        await pane.show_page(page, self.order, pane.grid.cursor_column if pane.grid is not None else 0)
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
        pane = self.pane
        self.is_running = False
        if self._timer is not None:
            self._timer.pause()
        if problem and pane.grid is not None:
            self._refuse(run, problem)
        elif problem:
            sentence = Content.styled(problem.removeprefix("SQL: "), "$text-error")
            pane.say(Content("\n\n").join([sentence, Content(place.replace(" ", NO_BREAK))]), is_error=True)
            if self.is_shown:
                self._screen.editor.text.go_to_place(place)
        elif is_cancelled and pane.grid is None:
            pane.say(muted(f"Cancelled after {stopwatch(run.seconds)}."))
        if not self.has_page and run is not self._unsorted:
            self._show_unsorted()  # the rows are still there
        self.show_title()


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count:,} columns"
