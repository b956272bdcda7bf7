"""What the threads of the SQL screen tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dear_tui.query.book import PastQuery
    from dear_tui.query.desk import Run
    from dear_tui.query.export import Export
    from dear_tui.query.questions import NamedQuery
    from dear_tui.widgets.sql.result_grid import PreparedPage
    from engine.store.sql.names import Names


@dataclass
class NamesRead(Message):
    """What a query may name."""

    names: Names


@dataclass
class NamesFailed(Message):
    """Why nothing can be asked."""

    problem: str


@dataclass
class PageRead(Message):
    """Rows to show."""

    run: Run
    page: PreparedPage
    seconds: float | None = None
    """what the first page took; None: it is another one"""


@dataclass
class PageRefused(Message):
    """Why there is no other page."""

    run: Run
    problem: str


@dataclass
class TotalRead(Message):
    """How many rows there are in all."""

    run: Run
    total: int


@dataclass
class RunEnded(Message):
    """Nothing more comes of a run."""

    run: Run
    problem: str = ""
    place: str = ""
    is_cancelled: bool = False


@dataclass
class ListRead(Message):
    """Queries to choose from."""

    title: str
    saved: Sequence[NamedQuery] = ()
    ready: Sequence[NamedQuery] = ()
    past: Sequence[PastQuery] = ()


@dataclass
class PromptAgain(Message):
    """An answer that will not do yet."""

    purpose: str
    answer: str
    problem: str
    confirms: bool = False
    """whether the same answer, given again, is meant"""


@dataclass
class Saved(Message):
    """A query has its name."""

    name: str


@dataclass
class ExportStarted(Message):
    """A file is being written."""

    export: Export


@dataclass
class ExportEnded(Message):
    """A file is whole, or is not there."""

    export: Export
    problem: str = ""
    is_cancelled: bool = False
