"""What the threads of the SQL screen tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from dear_tui.query.export import Export
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
class ExportEnded(Message):
    """A file is whole, or is not there."""

    export: Export
    problem: str = ""
    is_cancelled: bool = False
