"""A table as LaTeX, with the rules of the package booktabs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.analysis.result_table import Table

ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    " %": r"\,\%",
    "±": r"$\pm$",
} | {sign: f"\\{sign}" for sign in "&%$#_{}"}
SPECIAL = re.compile("|".join(map(re.escape, sorted(ESCAPES, key=len, reverse=True))))


def lines(table: Table) -> Iterator[str]:
    """A table environment; title and legend become its caption and notes. It needs `\\usepackage{booktabs}`."""
    yield from (r"\begin{table}", r"\centering")
    if table.title:
        yield f"\\caption{{{_escaped(table.title)}}}"
    yield f"\\begin{{tabular}}{{{''.join('r' if column.is_number else 'l' for column in table.columns)}}}"
    yield from (r"\toprule", _row([column.title for column in table.columns]), r"\midrule")
    yield from map(_row, table.texts())
    yield from (r"\bottomrule", r"\end{tabular}")
    if table.legend:
        yield from ("", r"\smallskip\footnotesize\raggedright", *(rf"{_escaped(line)}\par" for line in table.legend))
    yield r"\end{table}"


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(map(_escaped, cells))} \\\\"


def _escaped(text: str) -> str:
    return SPECIAL.sub(lambda match: ESCAPES[match[0]], text)
