"""Questions to the store in SQL: an editor, the views there are, and the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content

from dear_tui.query.desk import LIMITS, CancelledError, Desk, Run
from dear_tui.query.messages import NamesFailed, NamesRead, PageRead, RunEnded, TotalRead
from dear_tui.screens.sql_files import SqlFiles
from dear_tui.screens.value import ValueScreen
from dear_tui.widgets.export_line import ExportLine
from dear_tui.widgets.result_pane import ResultPane, muted, rows_text, seconds_text
from dear_tui.widgets.schema_tree import SchemaTree
from dear_tui.widgets.sql_text import SqlEditor
from engine.errors import DearError

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.timer import Timer

    from dear_tui.source import Snapshot

FIRST_QUERY = """\
SELECT campaign, name, state, faults, images, masked, non_critical, critical
FROM campaigns ORDER BY campaign DESC"""
TICK_SECONDS = 0.1
NO_BREAK = "\N{NO-BREAK SPACE}"
"""so that the mark stays under its place"""
TREE_FROM = 110
"""columns of the terminal: the views are shown without being asked for"""
HINT = Content.from_markup(
    "[b]f5[/b] runs the query, [b]o[/b] lists ready questions, [b]i[/b] goes into the editor.\n"
    f"It can change nothing; it {LIMITS}."
)


class SqlScreen(SqlFiles):
    """One query at a time; everything slow in threads, whose messages of an older query are not heard."""

    TAB = "SQL"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+enter,r", "run", "run", tooltip="run the query"),
        Binding("f6", "cancel", "cancel", tooltip="stop the query, the counting, or the export"),
        Binding("i,enter", "edit", "edit", tooltip="into the editor"),
        Binding("o,f7", "list_queries", "queries", tooltip="ready questions and saved queries"),
        Binding("f8,H", "list_past", "history", show=False, tooltip="queries that were run before"),
        Binding("w,ctrl+s", "save", "save", show=False, tooltip="keep this query under a name"),
        Binding("e", "export", "export", tooltip="all rows to a CSV, Parquet or JSON file"),
        Binding("p", "plot", "plot", tooltip="numbers as a curve, as dots, and as rows again"),
        Binding("t", "toggle_views", "views", show=False, tooltip="the views and their columns"),
        Binding("right_square_bracket", "page(1)", "next rows", key_display="]", tooltip="the next 100,000 rows"),
        Binding("left_square_bracket", "page(-1)", "rows before", key_display="[", tooltip="the 100,000 rows before"),
    ]
    DEFAULT_CSS = """
    SqlScreen {
        Horizontal { height: 1fr; max-height: 14; min-height: 5; }
        SqlEditor { height: 1fr; }
        ResultPane { height: 2fr; }
        SchemaTree { display: none; }
        &.-views Horizontal { min-height: 10; }
        &.-views SchemaTree { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._desk: Desk | None = None
        self._run: Run | None = None
        self._is_running = False
        self._has_page = False
        """whether the rows on the screen are of this run, and not of the page before"""
        self._knows = False
        self._wants_views: bool | None = None
        self._seconds = 0.0
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """Views, editor, result, and the line of an export."""
        with Horizontal():
            yield SchemaTree()
            yield SqlEditor(FIRST_QUERY)
        yield ResultPane(HINT)
        yield ExportLine()

    def on_mount(self) -> None:
        """Ready to type at once; the session opens in a thread."""
        self._desk = Desk(self.dear.store)
        self._timer = self.set_interval(TICK_SECONDS, self._tick, pause=True)
        self.editor.border_title = "query"
        self.editor.border_subtitle = "i writes, f5 runs"
        self.call_after_refresh(self._learn, self._desk)
        self.watch(self.app, "sql_text", self._take)

    def on_unmount(self) -> None:
        """A thread must not outlive the app."""
        if self._run is not None:
            self._run.cancel()

    @property
    def is_ready(self) -> bool:
        """Whether it knows what a query may name."""
        return self._knows

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

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Views beside a wide editor; and a store that has come to be is asked for its names."""
        self.set_class(self.size.width >= TREE_FROM if self._wants_views is None else self._wants_views, "-views")
        if snapshot.campaigns and not self._knows and self._desk is not None:
            self._learn(self._desk)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is a key."""
        if not self.is_mounted:
            return True
        match action:
            case "cancel":
                return self._is_running or self.query_one(ExportLine).export is not None
            case "plot":
                return self.pane.can_plot
            case "export":
                return self._run is not None and self.pane.grid is not None
            case "page":
                page = self.pane.grid.page if self.pane.grid else None
                return page is not None and (page.more if parameters == (1,) else page.first > 0)
            case "edit":
                return not self.editor.text.has_focus
        return super().check_action(action, parameters)

    def action_edit(self) -> None:
        """Into the editor."""
        self.minimize()
        self.editor.text.focus()

    def on_sql_text_left(self) -> None:
        """Out of it, to the rows if there are some."""
        self.set_focus(self.pane.shown)

    def action_run(self) -> None:
        """Run what stands in the editor."""
        sql = self.editor.text.query_text
        if sql.strip():
            self.run_query(sql)

    def run_query(self, sql: str) -> None:
        """Run this; the result of an older query goes."""
        if self.focused in self.pane.walk_children():
            self.set_focus(None)  # else the rows, going, would hand the keys to another pane
        self.pane.drop()
        self._begin(Run(sql))
        self.remember(sql)

    def action_cancel(self) -> None:
        """Stop the query; else the export."""
        if self._is_running and self._run is not None:
            self._run.cancel()
        else:
            self.query_one(ExportLine).cancel()

    def action_page(self, pages: int) -> None:
        """Read another page of the same result."""
        if self._run is not None and self.pane.grid is not None:
            page = self.pane.grid.page
            first = page.first + page.count if pages > 0 else max(page.first - self._run.page_rows, 0)
            self._begin(Run(self._run.sql, first, self._run.total, self._run.page_rows))

    def action_plot(self) -> None:
        """Show the rows another way."""
        self.pane.show_next_view()
        self._show_title()
        self.set_focus(self.pane.shown)

    def action_toggle_views(self) -> None:
        """Show or hide the side bar, and go there."""
        self._wants_views = not self.has_class("-views")
        self.set_class(self._wants_views, "-views")
        self.minimize()
        self.set_focus(self.query_one(SchemaTree) if self._wants_views else self.pane.shown)

    def action_view_cell(self) -> None:
        """Show one value whole."""
        grid = self.pane.grid
        if grid is not None:
            self.app.push_screen(ValueScreen(grid.names[grid.cursor_column], grid.cell_text()))

    def on_schema_tree_chosen(self, message: SchemaTree.Chosen) -> None:
        """Write the name; the tree keeps the keys, for the next one."""
        self.editor.insert_name(message.name)

    def on_names_read(self, message: NamesRead) -> None:
        """Complete them and list them."""
        self._knows = True
        self.editor.know(message.names)
        self.query_one(SchemaTree).show(message.names)

    def on_names_failed(self, message: NamesFailed) -> None:
        """Say it unless a query has already."""
        if self._run is None:
            self.pane.say(Content(message.problem))

    async def on_page_read(self, message: PageRead) -> None:
        """Show rows, and give them the keys unless someone types."""
        if message.run is not self._run:
            return
        self._seconds, self._has_page = message.seconds, True
        self._run.page_rows = max(self._run.page_rows, message.page.count)
        had_keys = self.focused is None or self.focused in self.pane.walk_children()
        await self.pane.show_page(message.page)
        if had_keys:
            self.set_focus(self.pane.shown)
        self._show_title()

    def on_total_read(self, message: TotalRead) -> None:
        """How many there are in all."""
        if message.run is self._run:
            self._run.total = message.total
            self._show_title()

    def on_run_ended(self, message: RunEnded) -> None:
        """Say why, where there are no rows."""
        if message.run is not self._run:
            return
        self._is_running = False
        if self._timer is not None:
            self._timer.pause()
        has_rows = self.pane.grid is not None
        if message.is_cancelled and not has_rows:
            self.pane.say(muted(f"Cancelled after {seconds_text(message.run.seconds)}."))
        elif message.problem and has_rows:
            self.notify(message.problem, severity="error", timeout=10, markup=False)
        elif message.problem:
            self._show_problem(message)
        self._show_title()

    def _begin(self, run: Run) -> None:
        if self._run is not None:
            self._run.cancel()
        self._run, self._is_running, self._has_page = run, True, False
        self.pane.border_subtitle = f"f6 cancels, {LIMITS}"
        self._tick()
        if self._timer is not None:
            self._timer.resume()
        self.refresh_bindings()
        if self._desk is not None:
            self._read(self._desk, run)

    def _show_problem(self, message: RunEnded) -> None:
        sentence = Content.styled(message.problem.removeprefix("SQL: "), "$text-error")
        place = Content(message.place.replace(" ", NO_BREAK))
        self.pane.say(Content("\n\n").join([sentence, place]), is_error=True)
        self.editor.text.go_to_place(message.place)

    def _tick(self) -> None:
        """The time goes on in the title; and what is to stop is told so until it does."""
        if self._run is None or not self._is_running:
            return
        if self._run.is_cancelled:
            self._run.cancel()
        self._show_title()

    def _show_title(self) -> None:
        grid, run, pane = self.pane.grid, self._run, self.pane
        if run is None:
            return
        if self._is_running:
            deed = "counting all rows" if self._has_page else "running"
            now = f"{deed}, {seconds_text(run.seconds)}"
        else:
            now = seconds_text(self._seconds)
        rows = f"{rows_text(grid.page, run.total)}, {_columns(len(grid.names))}, " if grid is not None else ""
        pane.border_title = Content(f"{rows}{now}" if grid is not None or self._is_running else "result")
        if not self._is_running:
            pane.border_subtitle = "p: rows again" if pane.view == "dots" else ""
            self.refresh_bindings()

    def _take(self, sql: str) -> None:
        """A query that another screen asks."""
        if sql:
            self.dear.sql_text = ""
            self.editor.text.show_query(sql)
            self.run_query(sql)

    @work(thread=True, exclusive=True, group="names")
    def _learn(self, desk: Desk) -> None:
        try:
            self.post_message(NamesRead(desk.names()))
            from dear_tui.widgets import result_grid  # noqa: F401 - Arrow is there before the first result
        except DearError as error:
            self.post_message(NamesFailed(str(error)))

    @work(thread=True, group="query")
    def _read(self, desk: Desk, run: Run) -> None:
        from dear_tui.widgets.result_grid import PreparedPage

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


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count:,} columns"
