"""The user's queries: saved ones, a file each, and those of the past, in one file."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platformdirs import user_config_path, user_state_path

from dear_tui.query.questions import NamedQuery
from engine.errors import InputError
from engine.paths import is_file, own_folder, replace_text

if TYPE_CHECKING:
    from pathlib import Path

MOST_PAST = 500
LONGEST_PAST = 100_000
"""characters; a longer query is not remembered"""

FILE_NAME = re.compile(r"[^/\\\0]{1,100}")


@dataclass(frozen=True)
class PastQuery:
    """A query that was run."""

    when: str
    sql: str


class QueryBook:
    """Both on disk; every call may block."""

    def __init__(self, saved: Path | None = None, past: Path | None = None) -> None:
        """The book of this user.

        Args:
            saved: the folder of saved queries, `NAME.sql` each.
            past: the file of past ones, a JSON object a line.
        """
        self.folder = saved or own_folder(user_config_path) / "queries"
        self._past = past or own_folder(user_state_path) / "sql-history.jsonl"

    def saved(self) -> list[NamedQuery]:
        """By name; a file that cannot be read is passed over."""
        queries = []
        for path in filter(is_file, sorted(self.folder.glob("*.sql"))):  # a pipe would be waited for
            try:
                queries.append(NamedQuery(path.stem, path.read_text(encoding="utf-8").strip()))
            except (OSError, UnicodeDecodeError):
                continue
        return queries

    def save(self, name: str, sql: str) -> None:
        """Keep a query under a name, in the place of one that has it.

        Raises:
            InputError: the name cannot be a file's, or the file cannot be written.
        """
        if not FILE_NAME.fullmatch(name) or name.startswith("."):
            raise InputError(f"{name}: cannot be a name; leave out slashes and a dot at the beginning")
        path = self.folder / f"{name}.sql"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_text(path, sql + "\n")
        except OSError as error:
            raise InputError(
                f"{path}: cannot be written ({error.strerror}); give it a shorter name, or check the folder"
            ) from None

    def has(self, name: str) -> bool:
        """Whether a query is saved under this name."""
        return is_file(self.folder / f"{name}.sql")

    def delete(self, name: str) -> None:
        """Forget a saved query.

        Raises:
            InputError: its file cannot be removed.
        """
        path = self.folder / f"{name}.sql"
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{path}: cannot be removed ({error.strerror}); check the folder") from None

    def past(self) -> list[PastQuery]:
        """The newest first, each query once; a damaged line is passed over."""
        found: dict[str, PastQuery] = {}
        for line in reversed(self._lines()):
            try:
                entry = json.loads(line)
                query = PastQuery(str(entry["when"]), str(entry["sql"]))
            except (ValueError, TypeError, KeyError):
                continue
            found.setdefault(query.sql, query)
        return list(found.values())

    def remember(self, query: PastQuery) -> None:
        """Add a query to the past; where that cannot be written, it is forgotten."""
        if len(query.sql) > LONGEST_PAST:
            return
        lines = [*self._lines(), json.dumps({"when": query.when, "sql": query.sql}, ensure_ascii=False)]
        try:
            self._past.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if len(lines) > 2 * MOST_PAST:
                replace_text(self._past, "\n".join(lines[-MOST_PAST:]) + "\n")
            elif is_file(self._past) or not os.path.lexists(self._past):
                with self._past.open("a", encoding="utf-8") as file:
                    file.write(lines[-1] + "\n")
        except OSError:
            return

    def _lines(self) -> list[str]:
        """Those that are no UTF-8 are damaged, the others are not."""
        if not is_file(self._past):
            return []
        try:
            text = self._past.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        return [line for line in text.split("\n") if line]  # other line ends may stand in a query
