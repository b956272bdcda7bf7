"""What a query may do: read the views, at any depth, and nothing else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from engine.store.schema import VIEWS
from engine.store.sql.errors import TOO_DEEP, VIEWS_THERE, QueryError, reported

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import duckdb

READING_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
"""Query nodes that read. The others (COPY_QUERY_NODE, INSERT_QUERY_NODE ...) can stand in a WITH and write files."""

TABLE_FUNCTIONS = {
    *("range", "generate_series", "repeat", "unnest", "json_each", "json_tree"),
    *("duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_types", "duckdb_views", "pragma_table_info"),
}
"""Those that may follow FROM. Others read files, run SQL given as text, write profiles and logs, or list secrets."""

SYSTEM_VIEWS = {"sqlite_master", "duckdb_columns", "duckdb_views", "duckdb_tables", "duckdb_types"}
"""DuckDB's own, which list the views"""

DATABASES = {"memory", "system", "temp"}
SYSTEM_SCHEMAS = {"information_schema", "pg_catalog"}
"""of which every table lists what there is"""
SCHEMAS = {"main", *SYSTEM_SCHEMAS}

FILE_NAME = re.compile(r"[./\\]")
"""in the name of a table: DuckDB would read the file of that name"""


def check_select(connection: duckdb.DuckDBPyConnection, select: str) -> None:
    """Refuse one SELECT that does more than read the views, at any depth.

    Args:
        connection: one whose session holds the views; nothing of the SELECT is run.
        select: its text.

    Raises:
        QueryError: it does, or it is nested too deeply to be looked through.
    """
    with reported():
        tree = connection.execute("SELECT json_serialize_sql($1)", [select]).fetchone()
    try:
        parsed = json.loads(tree[0]) if tree else {"error": True}
    except RecursionError:
        raise QueryError(f"SQL: {TOO_DEEP}", "") from None
    if parsed["error"]:
        raise QueryError(f"SQL: {parsed.get('error_message', 'not a SELECT')}", "")
    nodes = list(_nodes(parsed))
    names = {*VIEWS, *SYSTEM_VIEWS, *(name.lower() for name in _named_in_with(nodes))}
    for node in nodes:
        kind = str(node.get("type"))
        if kind.endswith("_NODE") and kind not in READING_NODES:
            raise QueryError(
                f"SQL: only SELECT is allowed here, not {kind.split('_')[0]} in a WITH; write a SELECT there", ""
            )
        if kind == "TABLE_FUNCTION" and (name := str(node["function"]["function_name"])) not in TABLE_FUNCTIONS:
            raise QueryError(f"SQL: FROM {name}() is not allowed here; {VIEWS_THERE}", "")
        if kind == "BASE_TABLE":
            _check_table([str(part) for part in node["qualified_name"]["path"]], names)


def _check_table(path: list[str], names: set[str]) -> None:
    """Refuse a table that is neither a view nor named by a WITH: of any other, DuckDB would look for a file.

    Args:
        path: `[catalogue, schema, table]` as far as they are written; DuckDB joins them to the name of a file.
        names: what may stand last.
    """
    *qualifiers, table = path
    if any(FILE_NAME.search(part) for part in path):
        name = ".".join(path)
        raise QueryError(f"SQL: FROM '{name}' is not allowed here, files are not read; {VIEWS_THERE}", "")
    for qualifier in qualifiers:
        if qualifier.lower() not in DATABASES | SCHEMAS:
            raise QueryError(f'SQL: schema "{qualifier}" does not exist; leave it out: {VIEWS_THERE}', "")
    if table.lower() not in names and not SYSTEM_SCHEMAS.intersection(map(str.lower, qualifiers)):
        raise QueryError(f"SQL: there is no view {table}; {VIEWS_THERE}", "")


def _named_in_with(nodes: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The names that WITH gives, anywhere in a query."""
    for node in nodes:
        if "cte_map" in node:
            yield from (str(entry["key"]) for entry in node["cte_map"]["map"])
        if "cte_name" in node:
            yield str(node["cte_name"])


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    """Every object of a JSON tree, however deep."""
    waiting = [tree]
    while waiting:
        match waiting.pop():
            case dict() as node:
                yield node
                waiting += node.values()
            case list() as nodes:
                waiting += nodes
