"""A report as plain text and as Markdown."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from engine.analysis.renderers.markdown import escaped
from engine.analysis.renderers.registry import render
from engine.report.document import Answers, NamedTable, Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.report.document import Document

WIDTH = 100
"""of a paragraph's lines"""


def as_text(document: Document) -> str:
    """Chapters under underlined titles; a picture is named by its file."""
    return "".join(f"{line}\n" for line in _text_lines(document))


def title_lines(document: Document, width: int = WIDTH) -> Iterator[str]:
    """What stands before the chapters."""
    yield from (document.title, "=" * len(document.title), document.made_by)
    for mark in document.marks:
        yield wrapped(f"! {mark}", width)


def wrapped(text: str, width: int = WIDTH) -> str:
    """A paragraph in lines."""
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def answered(answers: Answers, width: int = WIDTH) -> str:
    """Each question before its answer, whose lines stand below each other."""
    column = max(len(question) for question, _ in answers.rows) + 2
    return "\n".join(
        textwrap.fill(answer, width, initial_indent=f"{question:{column}}", subsequent_indent=" " * column,
                      break_long_words=False, break_on_hyphens=False)
        for question, answer in answers.rows
    )  # fmt: skip


def _text_lines(document: Document) -> Iterator[str]:
    yield from title_lines(document)
    for chapter in document.chapters:
        yield from ("", chapter.title, "-" * len(chapter.title))
        for block in chapter.blocks:
            yield ""
            if isinstance(block, Paragraph):
                yield wrapped(block.text)
            elif isinstance(block, Answers):
                yield answered(block)
            elif isinstance(block, NamedTable):
                yield from render(block.table, "text").splitlines()
                yield from (textwrap.indent(wrapped(line), "  ") for line in block.table.legend)
            else:
                yield wrapped(f"[{block.name}.svg] {block.caption}")


def as_markdown(document: Document) -> str:
    """The report in Markdown; pictures are those in the folder `figures`."""
    return "".join(f"{line}\n" for line in _markdown_lines(document))


def _markdown_lines(document: Document) -> Iterator[str]:
    yield from (f"# {escaped(document.title)}", "", escaped(document.made_by))
    for mark in document.marks:
        yield from ("", f"> {escaped(mark)}")
    for chapter in document.chapters:
        yield from ("", f"## {escaped(chapter.title)}")
        for block in chapter.blocks:
            yield ""
            if isinstance(block, Paragraph):
                yield escaped(block.text)
            elif isinstance(block, Answers):
                yield "\n\n".join(f"**{escaped(question)}** {escaped(answer)}" for question, answer in block.rows)
            elif isinstance(block, NamedTable):
                yield from render(block.table, "md").splitlines()
            else:
                yield from (f"![{escaped(block.figure.title)}](figures/{block.name}.svg)", "", escaped(block.caption))
