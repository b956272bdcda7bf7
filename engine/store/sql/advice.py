"""DuckDB's reasons as one sentence each that says what to write instead."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from engine.severity import SEVERITY_NAMES
from engine.store.schema import COLUMNS, COMPUTED, VIEWS

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = str | Callable[[re.Match[str], str], str]

_KIND = re.compile(r"^[A-Z][A-Za-z ]+ Error: ")
_MORE = re.compile(r" (Candidate (functions|bindings|tables)|You might need|Did you mean|Either add it).*")
_PAIRS = {"(": ")", "[": "]"}
_KEYS = ("fault_id", "image_id", "layer_index", "rank")
"""that rows of two views have in common, beside `campaign`"""

_OF_VIEWS = {view: (*COLUMNS.get(view, ()), *COMPUTED.get(view, ())) for view in VIEWS}
"""View -> its columns."""


def advised(reason: str, excerpt: str) -> str:
    """What is wrong with a query, and what to write instead.

    Args:
        reason: DuckDB's message on one line, with its kind: `Binder Error: ...`.
        excerpt: the line of the query that it names, with a mark below; empty where it names none.
    """
    for pattern, answer in _ANSWERS:
        if found := pattern.search(reason):
            return answer(found, excerpt) if callable(answer) else found.expand(answer)
    sentence = _MORE.sub("", _KIND.sub("", reason)).rstrip(".! ")
    return f"{sentence[:1].lower()}{sentence[1:]}; write that part of the query in another way"


def _no_column(found: re.Match[str], excerpt: str) -> str:
    name = found[1]
    tables, views = ([view for view in of if name.lower() in of[view]] for of in (COLUMNS, _OF_VIEWS))
    homes = tables or views
    if f'"{name}"' in excerpt and not homes:
        return f"there is no column {name}; if it is meant as text, write it in single quotes: '{name}'"
    if homes:
        key = next((f", {key}" for key in _KEYS if key in _OF_VIEWS[homes[0]]), "")
        return f"{name} is a column of {' and of '.join(homes)}; write JOIN {homes[0]} USING (campaign{key})"
    for of, cutoff in ((COLUMNS, 0.6), (_OF_VIEWS, 0.75)):
        known = {column: view for view in reversed(of) for column in of[view]}
        if near := get_close_matches(name.lower(), sorted(known), n=1, cutoff=cutoff):
            return f"there is no column {name}; did you mean {near[0]} (of {known[near[0]]})?"
    return f"there is no column {name}; DESCRIBE lists those of a view: DESCRIBE faults"


def _syntax(found: re.Match[str], excerpt: str) -> str:
    token, query = found[1], excerpt.split("\n")[0]
    words = re.findall(r"\w+", query.lower())
    if words and token.lower() == words[0]:
        near = get_close_matches(token.lower(), ("select", "from", "with", "describe", "summarize", "show"), n=1)
        mend = f"did you mean {near[0].upper()}?" if near else "a query begins with SELECT, FROM or WITH"
        return f"{token} begins no query; {mend}"
    if "top" in words and token.isdigit():
        return f"TOP {token} is not known here; write LIMIT {token} at the end"
    if words.count("case") > words.count("end"):
        return f"the query cannot be read at {token}; a CASE needs END: CASE WHEN bit > 22 THEN 1 ELSE 0 END"
    for opened, closed in _PAIRS.items():
        if query.count(opened) > query.count(closed):
            return f"the query cannot be read at {token}; a closing {closed} is missing"
        if query.count(opened) < query.count(closed):
            return f"the query cannot be read at {token}; there is a {closed} too many"
    if query.lower().rstrip("; ").endswith(token.lower()):
        return f"the query ends after {token}; write what belongs there, or leave it out"
    return f"the query cannot be read at {token}; before it a comma, a quote or a word is missing, or one is too many"


def _no_function(found: re.Match[str], _excerpt: str) -> str:
    name = found[1]
    near = re.search(r'Did you mean "(\w+)"', found.string)
    mend = f"did you mean {near[1]}?" if near else "FROM duckdb_functions() lists those there are"
    return f"there is no function {name}; {mend}"


def _wrong_types(found: re.Match[str], _excerpt: str) -> str:
    name, types = found[1], found[2].replace("_LITERAL", "")
    if name == "~~":
        return f"LIKE takes text on both sides, not {types}; write a pattern in single quotes: layer LIKE 'conv%'"
    called = name if re.fullmatch(r"\w+", name) else f"the operator {name}"
    if "VARCHAR" in types:
        return f"{called} does not take ({types}); text becomes a number with TRY_CAST(layer AS DOUBLE)"
    return f"{called} does not take ({types}); write it with other arguments"


def _answers() -> tuple[tuple[re.Pattern[str], Answer], ...]:
    known: tuple[tuple[str, Answer], ...] = (
        (r'Referenced column "(.+?)" not found', _no_column),
        (r'Column "(.+?)" in EXCLUDE list not found', _no_column),
        (r'does not have a column named "(.+?)"', _no_column),
        (r'Referenced table "(.+?)" not found', r"\1 is not in FROM; write FROM \1, or the name that FROM gives it"),
        (r'syntax error at or near "(.+?)"', _syntax),
        (r"syntax error at end of input", "the query ends too early; write what belongs to its last word"),
        (r"unterminated string literal", "text begins and does not end; a single quote is missing: 'conv1'"),
        (
            r'column "(.+?)" must appear in the GROUP BY',
            r"\1 is neither grouped nor counted; add it to GROUP BY, or write any_value(\1)",
        ),
        (r"No function matches the given name and argument types '(.+?)\((.*?)\)'", _wrong_types),
        (r"Function with name (\S+) does not exist", _no_function),
        (
            r"""Ambiguous reference to column name "(.+?)" \(use: '(.+?)' or '(.+?)'""",
            r"\1 is in more than one of them; write \2 or \3, or join with USING (\1)",
        ),
        (
            r'Ambiguous reference to table "(.+?)"',
            r"\1 stands for two; give each a name of its own: FROM faults a",
        ),
        (
            r"ORDER term out of range - should be between 1 and (\d+)",
            r"ORDER BY counts the columns from 1 to \1; write one of these, or a column's name",
        ),
        (
            r"(?:WHERE|where) clause cannot contain aggregates",
            "WHERE comes before counting; write that condition as HAVING, after GROUP BY",
        ),
        (r"LIMIT/OFFSET cannot be negative", "LIMIT and OFFSET take 0 or more; write LIMIT 10"),
        (
            r"same number of result columns",
            "both sides of UNION, INTERSECT or EXCEPT need as many columns; write the missing ones as NULL",
        ),
        (
            r"Window functions are not supported here",
            "a window function needs OVER; write it as row_number() OVER (ORDER BY fault_id), in SELECT",
        ),
        (
            r"aggregate function calls cannot be nested",
            "one count cannot stand in another; give the inner one a name: WITH part AS (SELECT ...)",
        ),
        (r"UNNEST\(\) can only be applied to lists", "unnest takes a list; write one: unnest([1, 2])"),
        (
            rf"Could not convert string '({'|'.join(SEVERITY_NAMES)}|non_critical)' to",
            r"a severity is a number; write severity_name(severity) = '\1'",
        ),
        (
            r"Could not convert string '(.*?)' to (\w+)",
            r"'\1' cannot become \2; write TRY_CAST(... AS \2), which gives NULL there",
        ),
        (
            r"value (\S+) can't be cast .* out of range for the destination type (\w+)",
            r"\1 does not fit into \2; write a larger type, such as BIGINT or DOUBLE",
        ),
        (r"Overflow in (\w+)", r"\1 of whole numbers gets too large; make one a DOUBLE first: x::DOUBLE"),
        (r"Values were not provided for", "? and $1 stand for nothing here; write the value itself"),
        (
            r"maximum execution time",
            "the query took longer than its maximum execution time; ask for less, or raise the limit",
        ),
        (r"INTERRUPT Error", "interrupted"),
        (r"Invalid Input Error: (a confidence is .*)", r"\1"),
        (
            r"Macro (\w+)\(\) does not support the supplied arguments.*?Candidate macros?: (\S.*?\))",
            r"\1 takes other arguments; write \2",
        ),
        (r"Subquery returns (\d+) columns - expected 1", r"the query in brackets gives \1 columns; let it select one"),
    )
    return tuple((re.compile(pattern), answer) for pattern, answer in known)


_ANSWERS = _answers()
