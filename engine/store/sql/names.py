"""The names that a query may use: the views with their columns, the functions, the keywords."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.store.schema import VIEWS
from engine.store.sql.check import TABLE_FUNCTIONS

if TYPE_CHECKING:
    from engine.store.sql.sql import SqlSession

COLUMNS_QUERY = f"""
SELECT table_name, column_name, data_type FROM duckdb_columns()
WHERE schema_name = 'main' AND NOT internal AND table_name IN {tuple(VIEWS)}
ORDER BY table_name, column_index"""

FUNCTIONS_QUERY = f"""
SELECT DISTINCT function_name FROM duckdb_functions()
WHERE regexp_full_match(function_name, '[a-z][a-z0-9_]*') AND NOT regexp_matches(function_name, '^pg_|collate_')
    AND (function_type IN ('scalar', 'aggregate', 'window', 'macro')
        OR function_name IN {tuple(sorted(TABLE_FUNCTIONS))})
ORDER BY 1"""

KEYWORDS_QUERY = """
SELECT keyword_name FROM duckdb_keywords()
WHERE keyword_category IN ('reserved', 'type_function')
    OR keyword_name IN ('by', 'over', 'partition', 'rows', 'range', 'first', 'last', 'nulls', 'filter', 'exclude',
        'replace', 'recursive', 'within', 'values', 'between', 'exists', 'extract', 'sets', 'rollup', 'cube', 'if')
ORDER BY 1"""
"""Most unreserved keywords belong to statements that are refused here."""


@dataclass(frozen=True)
class ViewColumn:
    """A column of a view."""

    name: str
    type: str
    """DuckDB's type name"""


@dataclass(frozen=True)
class View:
    """A view of the store."""

    name: str
    columns: tuple[ViewColumn, ...]


@dataclass(frozen=True)
class Names:
    """All names that a query may use."""

    views: tuple[View, ...] = ()
    functions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


def read_names(session: SqlSession) -> Names:
    """Ask DuckDB.

    Raises:
        InputError: a view cannot be read.
    """
    columns: dict[str, list[ViewColumn]] = {name: [] for name in VIEWS}
    for view, column, kind in session.query(COLUMNS_QUERY):
        columns[view].append(ViewColumn(column, kind))
    return Names(
        views=tuple(View(name, tuple(found)) for name, found in columns.items()),
        functions=tuple(name for (name,) in session.query(FUNCTIONS_QUERY)),
        keywords=tuple(name for (name,) in session.query(KEYWORDS_QUERY)),
    )
