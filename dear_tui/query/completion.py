"""What a word that is being typed may become."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.store.sql.names import Names, View

MOST = 50
QUOTED = re.compile(r"'(?:[^']|'')*(?P<text>'|\Z)|--[^\n]*(?P<line>\n|\Z)|/\*.*?(?P<block>\*/|\Z)", re.S)
WORD = re.compile(r"(?:(\w+)\.)?(\w*)\Z")
AFTER_FROM = re.compile(r"\b(?:from|join)\s+\w*\Z", re.I)
AT_START = re.compile(r"(?:\A|[(;])\s*\w*\Z")
"""where a query begins, so that a keyword is likelier than a name"""
SOURCE = re.compile(r"\b(?:from|join)\s+(\w+)(?:\s+(?:as\s+)?(\w+))?", re.I)


@dataclass(frozen=True)
class Completion:
    """A name that begins with the word."""

    text: str
    kind: str
    """view, column, function or keyword"""
    detail: str = ""


def complete(before: str, after: str, names: Names) -> tuple[int, list[Completion]]:
    """The letters of the word typed so far, and what it may become, likeliest first.

    Nothing is offered in texts and comments, before a first letter, and for a word that is whole already.
    """
    match = WORD.search(before)
    is_quoted = any(quote.end() == len(before) and not any(quote.groups()) for quote in QUOTED.finditer(before))
    if match is None or is_quoted:
        return 0, []
    qualifier, word = match[1], match[2]
    if not word and not qualifier:
        return 0, []
    found: dict[str, Completion] = {}
    for offer in _offers(qualifier, before, before + after, names):
        if offer.text.startswith(word.lower()):
            found.setdefault(offer.text.lower(), offer)
    if word.lower() in found:
        return 0, []
    offers = [_as_typed(offer, word) for offer in found.values()]
    return len(word), offers[:MOST]


def _offers(qualifier: str | None, before: str, text: str, names: Names) -> Iterator[Completion]:
    sources = {alias.lower(): view for view, alias in _sources(text, names)}
    if qualifier is not None:
        yield from _columns([sources[qualifier.lower()]] if qualifier.lower() in sources else [])
        return
    views = (Completion(view.name, "view") for view in names.views)
    if AFTER_FROM.search(before):
        yield from views
        return
    keywords = [Completion(keyword, "keyword") for keyword in names.keywords]
    if AT_START.search(before):
        yield from keywords
    yield from _columns(sources.values() or names.views)
    yield from views
    yield from keywords
    yield from (Completion(function, "function") for function in names.functions)


def _sources(text: str, names: Names) -> Iterator[tuple[View, str]]:
    """The views that a query reads, each under its name and under its alias."""
    by_name = {view.name: view for view in names.views}
    for match in SOURCE.finditer(text):
        if view := by_name.get(match[1].lower()):
            yield view, match[1]
            if match[2] and match[2].lower() not in names.keywords:
                yield view, match[2]


def _columns(views: Iterable[View]) -> Iterator[Completion]:
    for view in views:
        for column in view.columns:
            yield Completion(column.name, "column", column.type)


def _as_typed(offer: Completion, word: str) -> Completion:
    """A keyword in capitals where the word is."""
    shouts = offer.kind == "keyword" and word.isupper()
    return Completion(offer.text.upper(), offer.kind, offer.detail) if shouts else offer
