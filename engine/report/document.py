"""What a report is made of, whatever format it is written in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.analysis.glossary import once
from engine.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    marks: tuple[str, ...] = ()
    """what must be said beside all of it, such as that its campaign is not finished"""


@dataclass(frozen=True)
class Document:
    """A report."""

    title: str
    made_by: str
    """program, version and date, for the foot of each page"""
    marks: tuple[str, ...]
    """those of all chapters, each once"""
    chapters: tuple[Chapter, ...]

    def cleaned(self) -> Document:
        """The report without what would steer a terminal or break a page: names are whatever their owner likes."""
        chapters = (
            Chapter(
                printable_line(chapter.title),
                tuple(map(_cleaned, chapter.blocks)),
                tuple(map(printable_line, chapter.marks)),
            )
            for chapter in self.chapters
        )
        return Document(
            printable_line(self.title), self.made_by, tuple(map(printable_line, self.marks)), tuple(chapters)
        )

    def with_legends_once(self) -> Document:
        """The report as it is read from its start: what a word means stands below the first table that has it."""
        return replace(self, chapters=tuple(_with_legends_once(self.chapters)))

    def tables(self) -> Iterator[NamedTable]:
        """All tables, in order."""
        for chapter in self.chapters:
            yield from (block for block in chapter.blocks if isinstance(block, NamedTable))

    def pictures(self) -> Iterator[Picture]:
        """All pictures, in order."""
        for chapter in self.chapters:
            yield from (block for block in chapter.blocks if isinstance(block, Picture))


def _with_legends_once(chapters: Sequence[Chapter]) -> Iterator[Chapter]:
    tables = once(block.table for chapter in chapters for block in chapter.blocks if isinstance(block, NamedTable))
    for chapter in chapters:
        blocks = (
            replace(block, table=next(tables)) if isinstance(block, NamedTable) else block for block in chapter.blocks
        )
        yield replace(chapter, blocks=tuple(blocks))


def _cleaned(block: Block) -> Block:
    if isinstance(block, Paragraph):
        return Paragraph(printable_line(block.text))
    if isinstance(block, Answers):
        return Answers(tuple((question, printable_line(answer)) for question, answer in block.rows))
    if isinstance(block, NamedTable):
        table = block.table
        rows = tuple(
            tuple(printable_line(cell) if isinstance(cell, str) else cell for cell in row) for row in table.rows
        )
        return NamedTable(block.name, replace(table, title=printable_line(table.title), rows=rows))
    figure = block.figure
    figure = replace(figure, title=printable_line(figure.title), x_name=printable_line(figure.x_name))
    return Picture(block.name, figure, printable_line(block.caption))
