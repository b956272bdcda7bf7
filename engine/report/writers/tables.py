"""The tables of a report alone, for programs and papers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.analysis.renderers.registry import render

if TYPE_CHECKING:
    from engine.report.document import Document


def as_csv(document: Document) -> str:
    """All tables, an empty line between them."""
    return _all(document, "csv")


def as_latex(document: Document) -> str:
    """All tables, with the rules of booktabs."""
    return _all(document, "latex")


def _all(document: Document, format_name: str) -> str:
    return "\n".join(render(each.table, format_name) for each in document.tables())
