"""What a report is made of, whatever format it is written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.analysis.result_table import Table
    from engine.figures.figure import Figure


@dataclass(frozen=True)
class Paragraph:
    """A few sentences."""

    text: str


@dataclass(frozen=True)
class Answers:
    """Questions, and what the report answers."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class NamedTable:
    """A table, and the name of its files."""

    name: str
    """letters, digits and hyphens"""
    table: Table


@dataclass(frozen=True)
class Picture:
    """A figure, the name of its files, and what it shows in a sentence."""

    name: str
    """letters, digits and hyphens"""
    figure: Figure
    caption: str


Block = Paragraph | Answers | NamedTable | Picture


@dataclass(frozen=True)
class Chapter:
    """What belongs under one heading."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A report."""

    title: str
    made_by: str
    """program, version and date, for the foot of each page"""
    marks: tuple[str, ...]
    """what every page says of it, such as that a campaign is not finished"""
    chapters: tuple[Chapter, ...]

    def tables(self) -> Iterator[NamedTable]:
        """All tables, in order."""
        for chapter in self.chapters:
            yield from (block for block in chapter.blocks if isinstance(block, NamedTable))

    def pictures(self) -> Iterator[Picture]:
        """All pictures, in order."""
        for chapter in self.chapters:
            yield from (block for block in chapter.blocks if isinstance(block, Picture))
