"""What a failed query is told: DuckDB's reason in a sentence, and the place."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from engine.errors import InputError
from engine.store.files import lack_of_room
from engine.store.parquet import interruptible
from engine.store.schema import VIEWS
from engine.store.sql.advice import advised

if TYPE_CHECKING:
    from collections.abc import Iterator

VIEWS_THERE = f"there are {', '.join([*VIEWS][:-1])} and {[*VIEWS][-1]}"

TOO_LARGE = "the query needs more memory than it may take; ask for less, or raise the limit"

TOO_DEEP = "the query is nested too deeply; break it into parts, each with a name: WITH part AS (SELECT ...)"

NO_TABLE = re.compile(r"Catalog Error: Table with name (.+?) does not exist!")

STORED_FILE = re.compile(r"/campaign=(\d{6})/")
"""in DuckDB's reason, of a file that it cannot read; the campaign"""

PLACE = re.compile(r"^LINE (\d+): (.*\n *\^)", re.M)
"""DuckDB's excerpt of the query with a mark below; it becomes the place of the error"""


class QueryError(InputError):
    """A query that is refused or has failed."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.place = place
        """the line with a mark below it; empty where DuckDB names none"""


@contextmanager
def reported(lines_before: int = 0) -> Iterator[None]:
    """Errors as this program says them.

    Args:
        lines_before: of what runs, above what was typed.

    Raises:
        QueryError: what DuckDB, the system or the memory refused, in one sentence.
    """
    try:
        with interruptible():
            yield
    except duckdb.Error as error:
        raise _refused(error, lines_before) from None
    except OSError as error:  # so Arrow's reader says what DuckDB has told it
        raise _refused(duckdb.Error(error), lines_before) from None
    except MemoryError:
        raise QueryError(f"SQL: {TOO_LARGE}", "") from None


def reason(error: duckdb.Error) -> str:
    """DuckDB's message without the excerpt of the query below it."""
    return " ".join(str(error).split("\n\n")[0].split())


def _refused(error: duckdb.Error, lines_before: int) -> QueryError:
    """DuckDB's reason, in words of this program where DuckDB would advise what cannot be done here."""
    sentence = reason(error)
    if isinstance(error, duckdb.OutOfMemoryException) or sentence.startswith("Out of Memory Error"):
        sentence = TOO_LARGE
    if why := lack_of_room(error):  # queries keep nothing on disk, so it was the output
        sentence = f"the result cannot be written ({why}); give it another place"
    if "Max expression depth" in sentence:
        sentence = TOO_DEEP
    if unknown := NO_TABLE.match(sentence):
        sentence = f"there is no view {unknown[1]}; {VIEWS_THERE}"
    if (stored := STORED_FILE.search(sentence)) and not isinstance(error, duckdb.PermissionException):
        campaign = int(stored[1])
        sentence = (
            f"{sentence.rstrip('.')}; `dear-tui verify {campaign}` sets it aside, and the query works again; "
            f"until then leave the campaign out: WHERE campaign <> {campaign}"
        )
    place = PLACE.search(str(error))
    if sentence == reason(error):
        sentence = advised(sentence, place[2] if place else "")
    return QueryError(f"SQL: {sentence}", f"LINE {int(place[1]) - lines_before}: {place[2]}" if place else "")
