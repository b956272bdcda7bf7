"""A report as PDF, by reportlab, with its figures as vectors, by svglib; both are of the extra `report`."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.figures.svg import to_svg
from engine.report.document import Answers, NamedTable
from engine.report.document import Paragraph as Words
from engine.report.writers.extra import needs_extra
from engine.report.writers.pictures import vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.analysis.result_table import Table
    from engine.report.document import Document

FONT, BOLD = "Vera", "VeraBd"
MARGIN = 40
"""points"""
SMALL, NORMAL = 6.5, 9.0
MOST_LINES = 3
"""of marks at the head of a page"""
MOST_COLUMNS = 6
"""of a table in the normal size of letters"""


def as_pdf(document: Document) -> bytes:
    """A4 pages; every one has the marks of the report at its head.

    Raises:
        MissingExtraError: reportlab or svglib is not installed.
    """
    with needs_extra("PDF"):
        import reportlab
        from reportlab.lib.pagesizes import A4
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
        from reportlab.platypus import SimpleDocTemplate
    fonts = Path(reportlab.__file__).parent / "fonts"
    for name in (FONT, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(fonts / f"{name}.ttf")))
    marks = " | ".join(document.marks)
    many = f"{len(document.marks)} remarks on these campaigns stand on the first page: not all are whole"
    buffer = io.BytesIO()
    template = SimpleDocTemplate(
        buffer, pagesize=A4, title=document.title, author=document.made_by,
        leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN + (24 if marks else 0), bottomMargin=MARGIN,
    )  # fmt: skip
    width = A4[0] - 2 * MARGIN

    def on_page(canvas: Any, _template: Any) -> None:
        canvas.setFont(FONT, SMALL)
        canvas.drawString(MARGIN, MARGIN / 2, document.made_by)
        canvas.drawRightString(A4[0] - MARGIN, MARGIN / 2, str(canvas.getPageNumber()))
        lines = _wrapped(marks, width)
        for line, text in enumerate(lines if len(lines) <= MOST_LINES else [many]):
            canvas.drawString(MARGIN, A4[1] - MARGIN / 2 - 9 * line, text)

    template.build(list(_flowables(document, width)), onFirstPage=on_page, onLaterPages=on_page)
    return buffer.getvalue()


def _wrapped(text: str, width: float) -> list[str]:
    from reportlab.lib.utils import simpleSplit

    lines: list[str] = simpleSplit(text, FONT, SMALL, width)
    return lines


def _flowables(document: Document, width: float) -> Iterator[Any]:
    from reportlab.platypus import KeepTogether, Spacer

    yield _words(document.title, 16, BOLD)
    for mark in document.marks:
        yield _words(mark, NORMAL)
    for chapter in document.chapters:
        yield Spacer(1, 12)
        yield _words(chapter.title, 12, BOLD)
        for block in chapter.blocks:
            yield Spacer(1, 6)
            if isinstance(block, Words):
                yield _words(block.text, NORMAL)
            elif isinstance(block, Answers):
                for question, answer in block.rows:
                    yield _words(question, NORMAL, BOLD)
                    yield _words(answer, NORMAL)
                    yield Spacer(1, 4)
            elif isinstance(block, NamedTable):
                yield from _table(block.table, width)
            else:
                yield KeepTogether([_drawing(to_svg(block.figure), width), _words(block.caption, SMALL)])


def _words(text: str, size: float, font: str = FONT) -> Any:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle("words", fontName=font, fontSize=size, leading=size * 1.35, splitLongWords=1)
    return Paragraph(escape(text), style)


def _table(table: Table, width: float) -> Iterator[Any]:
    from reportlab.lib import colors
    from reportlab.platypus import Spacer
    from reportlab.platypus import Table as Grid

    size = NORMAL - 1 if len(table.columns) <= MOST_COLUMNS else SMALL
    if table.title:
        yield _words(table.title, NORMAL, BOLD)
        yield Spacer(1, 3)
    headings = [[_words(column.title, size, BOLD) for column in table.columns]]
    has_headings = any(column.title for column in table.columns)
    rows = [[_words(cell, size) for cell in row] for row in table.texts()]
    longest = [max(len(text) for text in (column.title, *cells)) for column, cells in
               zip(table.columns, zip(*table.texts(), strict=True) if table.rows else [()] * len(table.columns),
                   strict=True)]  # fmt: skip
    shares = [min(max(length, 5), 60) for length in longest]
    widths = [width * share / sum(shares) for share in shares]
    yield Grid(
        (headings if has_headings else []) + rows,
        colWidths=widths,
        repeatRows=int(has_headings),
        style=[
            ("LINEBELOW", (0, 0), (-1, -1), 0.3, colors.grey),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ],
    )


def _drawing(svg: str, width: float) -> Any:
    """As vectors, as wide as the page."""
    drawing = vectors(svg)
    scale = width / drawing.width
    drawing.scale(scale, scale)
    drawing.width, drawing.height = width, drawing.height * scale
    return drawing
