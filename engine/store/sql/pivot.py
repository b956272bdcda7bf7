"""PIVOT without IN: DuckDB makes a type for it, which only a writer may; here its values are looked up before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.store.parquet import sql_text
from engine.store.sql.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MOST_COLUMNS = 1000
"""that a PIVOT makes of one column's values"""

TOKEN = re.compile(
    r"""(?P<gap>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|(?P<tag>\$\w*\$).*?(?P=tag))
    |(?P<word>\w+)
    |(?P<sign>.)""",
    re.S | re.X,
)
PIVOTS = {"PIVOT", "PIVOT_WIDER"}
AFTER_ON = {"USING", "GROUP", "ORDER", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", ";"}
MAIN_QUERY = {"SELECT", "FROM", "VALUES", "TABLE", "DESCRIBE", "SUMMARIZE", "SHOW", *PIVOTS}
"""words that end the list of a WITH"""


@dataclass(frozen=True)
class Token:
    """A word, a sign, or a text in quotes."""

    text: str
    """words in capitals"""
    start: int
    end: int
    depth: int
    """brackets that are open around it; an opening and its closing one stand outside of theirs"""


@dataclass(frozen=True)
class Item:
    """One expression of a PIVOT's ON, for which values are needed."""

    source: str
    expression: str
    start: int
    """where the expression begins in the query"""


def with_values(sql: str, values_of: Callable[[str], Sequence[str]]) -> str:
    """The query with `IN (values)` written after each expression of a PIVOT that has none.

    The text is only rearranged here: whoever runs the result has to check it as if it had been typed.

    Args:
        sql: one statement.
        values_of: runs a query of one column, and returns its texts.

    Raises:
        QueryError: there is none to be completed, or one would make too many columns.
    """
    before = None
    while before != sql:
        before = sql
        tokens = list(_tokens(sql))
        for place in reversed([index for index, token in enumerate(tokens) if token.text in PIVOTS]):
            if item := _incomplete(sql, tokens, place):
                sql = _completed(sql, tokens, place, item, values_of)
                break
    return sql


def _completed(sql: str, tokens: list[Token], place: int, item: Item, values_of: Callable[[str], Sequence[str]]) -> str:
    found = values_of(
        f"{_with_before(sql, tokens, place)} SELECT v::VARCHAR FROM (SELECT ({item.expression}\n) AS v "
        f"FROM {item.source}\n) WHERE v IS NOT NULL GROUP BY v ORDER BY v LIMIT {MOST_COLUMNS + 1}"
    )
    if not found:
        raise QueryError(f"SQL: PIVOT ON {item.expression} finds no values; write which: IN (...)", "")
    if len(found) > MOST_COLUMNS:
        raise QueryError(
            f"SQL: PIVOT ON {item.expression} makes more than {MOST_COLUMNS:,} columns; write which: IN (...)", ""
        )
    end = item.start + len(item.expression)
    return f"{sql[: item.start]}({item.expression}) IN ({', '.join(map(sql_text, found))}){sql[end:]}"


def _incomplete(sql: str, tokens: list[Token], place: int) -> Item | None:
    """The first expression without IN of the PIVOT at this token."""
    depth = tokens[place].depth
    mine: list[Token] = []
    for token in tokens[place + 1 :]:
        if token.depth < depth:
            break
        mine += [token] if token.depth == depth else []
    has_on = [index for index, token in enumerate(mine) if token.text == "ON"]
    if not has_on:
        return None
    end_words = [index for index, token in enumerate(mine) if token.text in AFTER_ON]
    using = next((index for index in end_words if index > has_on[0]), len(mine))
    on = max(index for index in has_on if index < using)
    source = sql[tokens[place].end : mine[on].start].strip()
    parts: list[list[Token]] = [[]]
    for token in mine[on + 1 : using]:
        if token.text == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    for part in parts:
        if part and not _has_values(part):
            return Item(source, sql[part[0].start : part[-1].end], part[0].start)
    return None


def _has_values(part: list[Token]) -> bool:
    """Whether an expression is a name, or one in brackets, and IN follows."""
    texts = [token.text for token in part]
    if "IN" not in texts:
        return False
    before = texts[: texts.index("IN")]
    return before == ["(", ")"] or all(text == "." for text in before[1::2])


def _with_before(sql: str, tokens: list[Token], place: int) -> str:
    """What WITH has defined before this token, as the beginning of a query; empty where there is none."""
    if tokens[0].text != "WITH":
        return ""
    end = 0
    for token in tokens[1:place]:
        if token.depth == 0 and token.text in MAIN_QUERY:
            break
        if token.depth == 0 and token.text == ")":
            end = token.end
    return sql[tokens[0].start : end]


def _tokens(sql: str) -> Iterator[Token]:
    depth = 0
    for match in TOKEN.finditer(sql):
        if match["gap"]:
            continue
        text = match[0].upper() if match["word"] else match[0]
        if text in (")", "]", "}"):
            depth -= 1
        yield Token(text, match.start(), match.end(), depth)
        if text in ("(", "[", "{"):
            depth += 1
