"""The dialogs of the SQL screen that touch files: lists of queries, saving one, exporting a result."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from textual import work

from dear_tui.query.book import PastQuery, QueryBook
from dear_tui.query.export import Export, export_target
from dear_tui.query.messages import ExportEnded, ExportStarted, ListRead, PromptAgain, Saved
from dear_tui.query.questions import NamedQuery, questions
from dear_tui.screens.base import SnapshotScreen
from dear_tui.screens.dialogs.prompt import Prompt
from dear_tui.screens.dialogs.query_list import Choice, Entry, QueryList
from dear_tui.widgets.sql.export_line import ExportLine
from dear_tui.widgets.sql.sql_text import SqlEditor
from engine.errors import DearError
from engine.paths import exists, present_folder

if TYPE_CHECKING:
    from dear_tui.query.desk import Run

SAVE, EXPORT = "save", "export"
PROMPTS = {
    SAVE: ("save this query as", "A file of this name, .sql, in your configuration folder."),
    EXPORT: (
        "export all rows to",
        "A file that ends with .csv, .parquet or .json; ~ is your home. The query runs once more.",
    ),
}


class SqlFiles(SnapshotScreen):
    """What the screen asks and what comes of it; every look at a file is a thread's."""

    _run: Run | None

    @property
    def editor(self) -> SqlEditor:
        """The query."""
        return self.query_one(SqlEditor)

    def run_query(self, sql: str) -> None:
        """Run it."""
        raise NotImplementedError

    def action_list_queries(self) -> None:
        """Ready questions about the chosen campaign, and saved queries."""
        app = self.dear
        known = [status.id for status in app.snapshot.campaigns or ()]
        chosen = app.campaign if app.campaign is not None else next(iter(known), 1)
        others = [*sorted(app.marked - {chosen}), *(other for other in known if other != chosen)]
        self._read_queries(chosen, others[0] if others else None)

    def action_list_past(self) -> None:
        """What was run before."""
        self._read_past()

    def action_save(self) -> None:
        """Ask for a name."""
        self._ask(PromptAgain(SAVE, "", ""))

    def action_export(self) -> None:
        """Ask for a file."""
        self._ask(PromptAgain(EXPORT, str(present_folder() / "result.csv"), ""))

    def remember(self, sql: str) -> None:
        """Add a query to the past."""
        self._remember(PastQuery(datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")[:19], sql))

    def on_list_read(self, message: ListRead) -> None:
        """Let the user choose."""
        saved = [Entry(query.sql, query.name, "saved", is_saved=True) for query in message.saved]
        ready = [Entry(query.sql, query.name, "ready" if saved else "") for query in message.ready]
        past = [Entry(query.sql, note=query.when) for query in message.past]
        self.app.push_screen(
            QueryList(message.title, [*saved, *ready, *past], "No query has been run yet; f5 runs one."), self._chosen
        )

    def on_prompt_again(self, message: PromptAgain) -> None:
        """Ask again, with what was wrong."""
        self._ask(message)

    def on_saved(self, message: Saved) -> None:
        """Say so."""
        self.notify(f"saved as {message.name}; o lists it", markup=False)

    def on_export_started(self, message: ExportStarted) -> None:
        """Write it beside what goes on."""
        self.query_one(ExportLine).begin(message.export, self._run.total if self._run else None)
        self.refresh_bindings()

    def on_export_ended(self, _message: ExportEnded) -> None:
        """Nothing to cancel any more."""
        self.refresh_bindings()

    def _ask(self, last: PromptAgain) -> None:
        title, explanation = PROMPTS[last.purpose]
        self.app.push_screen(Prompt(title, last.answer, explanation, last.problem), partial(self._answered, last))

    def _answered(self, last: PromptAgain, answer: str | None) -> None:
        if not answer:
            return
        is_confirmed = last.confirms and answer == last.answer
        if last.purpose == SAVE:
            self._save(answer, self.editor.text.query_text, is_confirmed)
        elif self._run is not None:
            self._export(answer, self._run.sql, is_confirmed)

    def _chosen(self, choice: Choice | None) -> None:
        if choice is None:
            return
        if choice.deed == "delete":
            self._delete(choice.entry.name)
            return
        self.editor.text.show_query(choice.entry.sql)
        if choice.deed == "run":
            self.run_query(choice.entry.sql)
        else:
            self.editor.text.focus()

    @work(thread=True, exclusive=True, group="list")
    def _read_queries(self, campaign: int, other: int | None) -> None:
        ready: list[NamedQuery] = questions(campaign, other)
        title = f"questions about campaign {campaign}" + (f", compared with {other}" if other is not None else "")
        self.post_message(ListRead(title, saved=QueryBook().saved(), ready=ready))

    @work(thread=True, exclusive=True, group="list")
    def _read_past(self) -> None:
        self.post_message(ListRead("history, newest first", past=QueryBook().past()))

    @work(thread=True, group="book")
    def _remember(self, query: PastQuery) -> None:
        QueryBook().remember(query)

    @work(thread=True, group="book")
    def _delete(self, name: str) -> None:
        try:
            QueryBook().delete(name)
        except DearError as error:
            self.app.call_from_thread(partial(self.notify, str(error), severity="error"))
        self.app.call_from_thread(self.action_list_queries)

    @work(thread=True, group="book")
    def _save(self, name: str, sql: str, is_confirmed: bool) -> None:
        book = QueryBook()
        try:
            if book.has(name) and not is_confirmed:
                self.post_message(PromptAgain(SAVE, name, "There is one of this name; enter replaces it.", True))
                return
            book.save(name, sql)
        except DearError as error:
            self.post_message(PromptAgain(SAVE, name, str(error)))
            return
        self.post_message(Saved(name))

    @work(thread=True, group="export")
    def _export(self, answer: str, sql: str, is_confirmed: bool) -> None:
        try:
            target = export_target(answer, self.dear.store)
        except DearError as error:
            self.post_message(PromptAgain(EXPORT, answer, str(error)))
            return
        if exists(target) and not is_confirmed:
            self.post_message(PromptAgain(EXPORT, answer, "There is such a file; enter again writes over it.", True))
            return
        self.post_message(ExportStarted(Export(self.dear.store, sql, target)))
