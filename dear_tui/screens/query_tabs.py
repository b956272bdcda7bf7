"""The last few results of the SQL screen, each with its query: one is shown, the others wait, or still run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.query.runs import LateSession
from dear_tui.screens.query_runner import QueryRunner
from dear_tui.widgets.sql.result_pane import ResultPane
from dear_tui.widgets.sql.result_tabs import ResultTab, ResultTabs

if TYPE_CHECKING:
    from textual.content import Content

    from dear_tui.screens.sql import SqlScreen

MOST = 5
"""results that are kept, each with a page in memory and at most 128 MB of rows on disk"""


class QueryTabs:
    """At most MOST results; what is closed, or pushed out by a newer one, lets its rows go."""

    def __init__(self, screen: SqlScreen, hint: Content) -> None:
        """For a screen that shows the panes; the first one says a hint until there is a result."""
        self._screen = screen
        self.session = LateSession(screen.dear.store)
        panes = [ResultPane(hint) for _ in range(MOST)]
        self._unused = [QueryRunner(screen, pane, self.session) for pane in panes]
        self._open = [self._unused.pop(0)]
        self.shown = self._open[0]
        """the one that the user sees"""
        self.line = ResultTabs()
        """what there is, above the panes"""
        self.panes = panes
        """all of them, which are there from the beginning"""
        for pane in panes[1:]:
            pane.display = False

    @property
    def count(self) -> int:
        """How many results there are."""
        return len(self._open)

    def run(self, sql: str) -> None:
        """Run this: in the tab of the same query, in the one that is shown if it has no rows, else in another one."""
        same = next((one for one in self._open if one.run is not None and one.run.sql == sql), None)
        if same is not None:
            self._show(same)
        elif self.shown.pane.grid is not None:
            self._show(self._another())
        self.shown.start(sql)

    def step(self, steps: int) -> None:
        """Show another result and its query, after the last one the first."""
        self.show(self._open.index(self.shown) + steps)

    def show(self, index: int) -> None:
        """Show one result; its query comes into the editor unless something else has been written there."""
        before, editor = self.shown, self._screen.editor.text
        self._show(self._open[index % len(self._open)])
        is_written = before.run is not None and editor.query_text != before.run.sql
        if self.shown is not before and self.shown.run is not None and not is_written:
            editor.show_query(self.shown.run.sql)

    def close(self) -> None:
        """Let the result go that is shown, and show its neighbour."""
        index, closed = self._open.index(self.shown), self.shown
        if len(self._open) > 1:
            self.show(index + 1 if index == 0 else index - 1)
            self._forget(closed)
            self.tell()

    def drop(self) -> None:
        """Stop all queries: no thread outlives the app."""
        for runner in self._open:
            runner.drop()

    def tell(self) -> None:
        """Say in the line of tabs what there is."""
        tabs = [ResultTab(one.run.sql if one.run is not None else "", one.is_running) for one in self._open]
        self.line.show(tabs, self._open.index(self.shown))

    def _another(self) -> QueryRunner:
        """An empty one; where there is none, the oldest result goes, of those that do not run if there are some."""
        if not self._unused:
            others = [one for one in self._open if one is not self.shown]
            self._forget(next((one for one in others if not one.is_running), others[0]))
        self._open.append(self._unused.pop())
        return self._open[-1]

    def _forget(self, runner: QueryRunner) -> None:
        runner.close()
        self._open.remove(runner)
        self._unused.append(runner)

    def _show(self, runner: QueryRunner) -> None:
        """Its pane in the place of another one, as large, with the keys if that had them."""
        before, screen = self.shown, self._screen
        if runner is before:
            return
        has_keys = screen.focused is None or screen.focused in before.pane.walk_children()
        is_maximized = screen.maximized is before.pane
        if is_maximized:
            screen.minimize()
        self.shown = runner
        before.pane.display, runner.pane.display = False, True
        if is_maximized:
            screen.maximize(runner.pane, container=False)
        if has_keys:
            screen.set_focus(runner.pane.shown)
        runner.show_title()
        self.tell()
