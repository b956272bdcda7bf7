"""What the SQL screen asks about files: lists of queries, the name of one, where a result goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from dear_tui.query.book import PastQuery, QueryBook
from dear_tui.query.export import Export, export_target
from dear_tui.query.questions import questions
from dear_tui.screens.dialogs.prompt import Prompt
from dear_tui.screens.dialogs.query_list import Chosen, Entry, QueryList
from dear_tui.widgets.sql.export_line import ExportLine
from engine.errors import DearError
from engine.paths import exists, present_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from dear_tui.screens.sql import SqlScreen
    from engine.store.sql.sql import Order

SAVE, EXPORT = "save", "export"
PROMPTS = {
    SAVE: ("save this query as", "A file of this name, .sql, in your configuration folder."),
    EXPORT: (
        "export all rows to",
        "A file that ends with .csv, .parquet or .json; ~ is your home. The query runs once more.",
    ),
}


@dataclass(frozen=True)
class Asked:
    """A question, and an answer to it that will not do yet."""

    purpose: str
    answer: str = ""
    problem: str = ""
    confirms: bool = False
    """whether the same answer, given again, is meant"""


class QueryFiles:
    """Asks, and carries out what is answered; every look at a file is a thread's."""

    def __init__(self, screen: SqlScreen) -> None:
        """For the queries of one screen."""
        self._screen = screen

    def list_queries(self) -> None:
        """Let the user choose from ready questions about the chosen campaign, and saved queries."""
        app = self._screen.dear
        known = [status.id for status in app.snapshot.campaigns or ()]
        chosen = app.campaign if app.campaign is not None else next(iter(known), 1)
        others = [*sorted(app.marked - {chosen}), *(other for other in known if other != chosen)]
        self._in_thread("list", partial(self._read_queries, chosen, others[0] if others else None))

    def list_past(self) -> None:
        """Let the user choose from what was run before."""
        self._in_thread("list", self._read_past)

    def save(self) -> None:
        """Ask for a name, and keep the query of the editor under it."""
        self._ask(Asked(SAVE))

    def export(self) -> None:
        """Ask for a file, and write all rows of the last query to it."""
        self._ask(Asked(EXPORT, str(present_folder() / "result.csv")))

    def remember(self, sql: str) -> None:
        """Add a query to the past."""
        query = PastQuery(datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")[:19], sql)
        self._in_thread("book", lambda: QueryBook().remember(query))

    def _in_thread(self, group: str, do: Callable[[], None]) -> None:
        """Of two lists that are asked for, only the second one is shown."""
        self._screen.run_worker(do, group=group, thread=True, exclusive=group == "list")

    def _ask(self, last: Asked) -> None:
        title, explanation = PROMPTS[last.purpose]
        prompt = Prompt(title, last.answer, explanation, last.problem)
        self._screen.app.push_screen(prompt, partial(self._answered, last))

    def _ask_again(self, purpose: str, answer: str, problem: str, confirms: bool = False) -> None:
        """From a thread."""
        self._screen.call_later(self._ask, Asked(purpose, answer, problem, confirms))

    def _answered(self, last: Asked, answer: str | None) -> None:
        if not answer:
            return
        is_confirmed, runner = last.confirms and answer == last.answer, self._screen.runner
        if last.purpose == SAVE:
            sql = self._screen.editor.text.query_text
            self._in_thread("book", partial(self._save, answer, sql, is_confirmed))
        elif runner.run is not None:
            self._in_thread("export", partial(self._export, answer, runner.run.sql, runner.order, is_confirmed))

    def _show_list(self, title: str, entries: list[Entry]) -> None:
        """Let the user choose."""
        listing = QueryList(title, entries, "No query has been run yet; f5 runs one.")
        self._screen.app.push_screen(listing, self._chosen)

    def _chosen(self, choice: Chosen | None) -> None:
        if choice is None:
            return
        if choice.deed == "delete":
            self._in_thread("book", partial(self._delete, choice.entry.name))
            return
        editor = self._screen.editor.text
        editor.show_query(choice.entry.sql)
        if choice.deed == "run":
            self._screen.run_query(choice.entry.sql)
        else:
            editor.focus()

    def _read_queries(self, campaign: int, other: int | None) -> None:
        saved = [Entry(query.sql, query.name, "saved", is_saved=True) for query in QueryBook().saved()]
        ready = [Entry(query.sql, query.name, "ready" if saved else "") for query in questions(campaign, other)]
        title = f"questions about campaign {campaign}" + (f", compared with {other}" if other is not None else "")
        self._screen.call_later(self._show_list, title, [*saved, *ready])

    def _read_past(self) -> None:
        past = [Entry(query.sql, note=query.when) for query in QueryBook().past()]
        self._screen.call_later(self._show_list, "history, newest first", past)

    def _delete(self, name: str) -> None:
        try:
            QueryBook().delete(name)
        except DearError as error:
            self._screen.call_later(self._screen.notify, str(error), severity="error", markup=False)
        self._screen.call_later(self.list_queries)

    def _save(self, name: str, sql: str, is_confirmed: bool) -> None:
        book = QueryBook()
        try:
            if book.has(name) and not is_confirmed:
                self._ask_again(SAVE, name, "There is one of this name; enter replaces it.", confirms=True)
                return
            book.save(name, sql)
        except DearError as error:
            self._ask_again(SAVE, name, str(error))
            return
        self._screen.call_later(self._screen.notify, f"saved as {name}; o lists it", markup=False)

    def _export(self, answer: str, sql: str, order: Order | None, is_confirmed: bool) -> None:
        store = self._screen.dear.store
        try:
            target = export_target(answer, store)
        except DearError as error:
            self._ask_again(EXPORT, answer, str(error))
            return
        if exists(target) and not is_confirmed:
            self._ask_again(EXPORT, answer, "There is such a file; enter again writes over it.", confirms=True)
            return
        self._screen.call_later(self._begin_export, Export(store, sql, target, order))

    def _begin_export(self, export: Export) -> None:
        """Write it beside what goes on."""
        run = self._screen.runner.run
        self._screen.query_one(ExportLine).begin(export, run.total if run else None)
        self._screen.refresh_bindings()
