"""Questions to the store in SQL: an editor, the views there are, and the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from dear_tui.query.runs import LIMITS
from dear_tui.screens.base import SnapshotScreen
from dear_tui.screens.dialogs.plot_columns import PlotColumns
from dear_tui.screens.dialogs.prompt import Prompt
from dear_tui.screens.dialogs.value import ValueScreen
from dear_tui.screens.query_files import QueryFiles
from dear_tui.screens.query_tabs import QueryTabs
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.common.panes import Panes
from dear_tui.widgets.sql.export_line import ExportLine
from dear_tui.widgets.sql.schema_tree import SchemaTree
from dear_tui.widgets.sql.sql_text import SqlEditor
from engine.errors import DearError

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from dear_tui.access.store_location import Snapshot
    from dear_tui.query.runs import LateSession
    from dear_tui.screens.query_runner import QueryRunner
    from dear_tui.widgets.sql.result_grid import ResultGrid
    from dear_tui.widgets.sql.result_pane import ResultPane
    from dear_tui.widgets.sql.result_tabs import ResultTabs
    from engine.store.sql.names import Names

FIRST_QUERY = """\
SELECT campaign, name, state, faults, images, masked, non_critical, critical
FROM campaigns ORDER BY campaign DESC"""
TREE_FROM = 110
"""columns of the terminal: the views are shown without being asked for"""
LEAST_WIDTH, LEAST_HEIGHT = (20, 30), (5, 6)
"""columns of views and editor, lines of the editor and of the rows, that can be read"""
SEARCH = "A text, in capitals or not; n and N go to the next cell with it. Nothing ends the search."
HINT = Content.from_markup(
    "[b]f5[/b] runs the query, [b]o[/b] lists ready questions, [b]i[/b] goes into the editor.\n"
    f"It can change nothing; it {LIMITS}."
)


class SqlScreen(SnapshotScreen):
    """Where queries are written and their results looked at; everything slow is a thread's."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "sql-screen",
        Binding("f5,ctrl+enter,r", "run", "run", tooltip="run the query"),
        Binding("f6", "cancel", "cancel", tooltip="stop the query, the counting, or the export"),
        Binding("i,enter", "edit", "edit", tooltip="into the editor"),
        Binding("o,f7", "list_queries", "queries", tooltip="ready questions and saved queries"),
        Binding("f8,H", "list_past", "history", show=False, tooltip="queries that were run before"),
        Binding("c", "clear", "clear", show=False, tooltip="an empty editor; ctrl+z there undoes it"),
        Binding("w,ctrl+s", "save", "save", show=False, tooltip="keep this query under a name"),
        Binding("e", "export", "export", tooltip="all rows to a CSV, Parquet or JSON file"),
        Binding("p", "plot", "plot", tooltip="numbers as a picture, and as rows again"),
        Binding("t", "toggle_views", "views", show=False, tooltip="go to the views; there, hide them"),
        Binding("greater_than_sign", "tab(1)", "next tab", key_display=">", tooltip="the result of another query"),
        Binding("less_than_sign", "tab(-1)", "tab before", show=False, key_display="<", tooltip="the one before"),
        Binding("x", "close_tab", "close tab", tooltip="this result, whose rows are let go"),
        Binding("right_square_bracket", "page(1)", "next rows", key_display="]", tooltip="the next 100,000 rows"),
        Binding("left_square_bracket", "page(-1)", "rows before", key_display="[", tooltip="the 100,000 rows before"),
    )
    DEFAULT_CSS = """
    SqlScreen {
        .all { layout: vertical; }
        .query { max-height: 14; min-height: 5; }
        .results { height: 2fr; }
        SqlEditor { height: 1fr; }
        SchemaTree { display: none; }
        &.-views .query { min-height: 10; }
        &.-views SchemaTree { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.tabs = QueryTabs(self, HINT)
        self.files = QueryFiles(self)
        self._knows = False
        self._names_problem = ""
        """why it does not know what a query may name"""
        self._asked_with: tuple[int, ...] = ()
        """the campaigns when the store was asked last what a query may name: it is asked again once there are others"""
        self._wants_views: bool | None = None

    def compose_body(self) -> ComposeResult:
        """Views, editor, result, and the line of an export."""
        with Panes("sql", least_height=LEAST_HEIGHT, is_border_of_first=True, classes="all"):
            with Panes("sql-views", least_width=LEAST_WIDTH, classes="query"):
                yield SchemaTree()
                yield SqlEditor(FIRST_QUERY)
            with Vertical(classes="results"):
                yield self.tabs.line
                yield from self.tabs.panes
        yield ExportLine()

    def on_mount(self) -> None:
        """Ready to type at once; the session opens in a thread."""
        self.editor.border_title = "query"
        self.editor.border_subtitle = "i writes, f5 runs"
        self.call_after_refresh(self._learn, self.tabs.session)
        self.watch(self.app, "sql_text", self._take)

    def on_unmount(self) -> None:
        """No thread outlives the app."""
        self.tabs.drop()

    @property
    def editor(self) -> SqlEditor:
        """The widget that holds the query."""
        return self.query_one(SqlEditor)

    @property
    def runner(self) -> QueryRunner:
        """What runs the query whose result is shown."""
        return self.tabs.shown

    @property
    def pane(self) -> ResultPane:
        """The widget that shows the result."""
        return self.runner.pane

    def run_query(self, sql: str) -> None:
        """Run this, and list it among those that were."""
        self.tabs.run(sql)
        self.files.remember(sql)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Views beside a wide editor; and a store that has come to be is asked for its names."""
        self.set_class(self.size.width >= TREE_FROM if self._wants_views is None else self._wants_views, "-views")
        campaigns = tuple(status.id for status in snapshot.campaigns or ())
        if campaigns and not self._knows and campaigns != self._asked_with:
            self._asked_with = campaigns
            self._learn(self.tabs.session)
        self.say_names_problem()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something now is a key."""
        if not self.is_mounted:
            return True
        match action:
            case "cancel":
                return self.runner.is_running or self.query_one(ExportLine).export is not None
            case "plot":
                return self.pane.can_plot
            case "export":
                return self.runner.run is not None and self.pane.grid is not None
            case "page":
                page = self.pane.grid.page if self.pane.grid else None
                return page is not None and (page.more if parameters == (1,) else page.first > 0)
            case "tab" | "close_tab":
                return self.tabs.count > 1
            case "edit":
                return not self.editor.text.has_focus
        return super().check_action(action, parameters)

    def action_edit(self) -> None:
        """Put the cursor into the editor."""
        self.minimize()
        self.editor.text.focus()

    def action_clear(self) -> None:
        """Into the editor, for another query."""
        self.editor.text.clear()
        self.action_edit()

    def on_sql_text_left(self) -> None:
        """Out of it, to the rows if there are some."""
        self.set_focus(self.pane.shown)

    def action_run(self) -> None:
        """Run what stands in the editor."""
        sql = self.editor.text.query_text
        if sql.strip():
            self.run_query(sql)

    def action_cancel(self) -> None:
        """Stop the query; where its rows are there already, the export; where there is none, the counting."""
        export = self.query_one(ExportLine)
        if self.runner.is_running and not (self.runner.has_page and export.export is not None):
            self.runner.cancel()
        else:
            export.cancel()

    def action_page(self, pages: int) -> None:
        """Read another page of the same result."""
        self.runner.turn(pages)

    def action_tab(self, steps: int) -> None:
        """Show the result of another query."""
        self.tabs.step(steps)

    def action_close_tab(self) -> None:
        """Let this result go."""
        self.tabs.close()

    def on_result_tabs_chosen(self, message: ResultTabs.Chosen) -> None:
        """A click on a tab."""
        self.tabs.show(message.index)

    def action_sort(self) -> None:
        """By the column under the cursor."""
        if self.pane.grid is not None:
            self.runner.sort(self.pane.grid.cursor_column)

    def on_result_grid_sort_asked(self, message: ResultGrid.SortAsked) -> None:
        """By the column whose head was clicked."""
        self.runner.sort(message.column)

    def action_search(self) -> None:
        """Ask for a text, and look for it in the rows."""
        prompt = Prompt("search these rows", self.runner.sought, SEARCH)
        self.app.push_screen(prompt, lambda text: None if text is None else self.runner.search(text))

    def action_list_queries(self) -> None:
        """Ready questions and saved queries."""
        self.files.list_queries()

    def action_list_past(self) -> None:
        """What was run before."""
        self.files.list_past()

    def action_save(self) -> None:
        """Keep the query under a name."""
        self.files.save()

    def action_export(self) -> None:
        """Write the rows to a file."""
        self.files.export()

    def on_export_line_ended(self) -> None:
        """Nothing to cancel any more."""
        self.refresh_bindings()

    def action_plot(self) -> None:
        """Show the rows as a plot, and as rows again."""
        self.pane.toggle_plot()
        self.runner.show_title()
        self.set_focus(self.pane.shown)

    def action_choose_columns(self) -> None:
        """Ask which columns are plotted."""
        plot = self.pane.plot
        if plot.rows is not None and plot.choice is not None:
            self.app.push_screen(PlotColumns(plot.rows, plot.choice), plot.take)

    def action_toggle_views(self) -> None:
        """Go to the side bar, which is shown for that; from there, hide it."""
        tree = self.query_one(SchemaTree)
        self._wants_views = not tree.has_focus
        self.set_class(self._wants_views, "-views")
        self.minimize()
        self.set_focus(tree if self._wants_views else self.pane.shown)

    def action_view_cell(self) -> None:
        """Show one value whole."""
        grid = self.pane.grid
        if grid is not None:
            self.app.push_screen(ValueScreen(grid.names[grid.cursor_column], grid.cell_text()))

    def on_schema_tree_chosen(self, message: SchemaTree.Chosen) -> None:
        """Write the name; the tree keeps the keys, for the next one."""
        self.editor.insert_name(message.name)

    def _take_names(self, names: Names) -> None:
        """Complete them and list them."""
        self._knows = True
        self.editor.know(names)
        self.query_one(SchemaTree).show(names)

    def say_names_problem(self, problem: str = "") -> None:
        """Why nothing can be asked, unless a query has said so, with the key that leads on where nothing is there."""
        self._names_problem = problem or self._names_problem
        if self.runner.run is None and not self._knows and self._names_problem:
            mend = "\n\n[b]n[/b] makes a campaign here." if self.dear.snapshot.campaigns == () else ""
            self.pane.say(Content(self._names_problem) + Content.from_markup(mend))

    def _take(self, sql: str) -> None:
        """A query that another screen asks."""
        if sql:
            self.dear.sql_text = ""
            self.editor.text.show_query(sql)
            self.run_query(sql)

    @work(thread=True, exclusive=True, group="names")
    def _learn(self, session: LateSession) -> None:
        try:
            self.call_later(self._take_names, session.names())
            from dear_tui.widgets.sql import result_grid  # noqa: F401 - Arrow is there before the first result
        except DearError as error:
            self.call_later(self.say_names_problem, str(error))
