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
    from collections.abc import Iterator, Sequence

    from engine.analysis.result_table import Table
    from engine.report.document import Document

FONT, BOLD = "Vera", "VeraBd"
LEAST_WIDTH = 10.0
"""points of a column"""
PADDING = 6
"""points beside the text of a cell"""
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
        yield _words(chapter.title, 12, BOLD, with_next=True)
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


def _widest(texts: Sequence[str], size: float) -> float:
    """What a column takes in one line, a heading by its longest word."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    heading, *cells = texts
    words = max(heading.split(), key=len, default="")
    widths: list[float] = [stringWidth(words, BOLD, size), *(stringWidth(cell, FONT, size) for cell in cells)]
    return PADDING + max(*widths, LEAST_WIDTH)


def _words(text: str, size: float, font: str = FONT, with_next: bool = False) -> Any:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle(
        "words", fontName=font, fontSize=size, leading=size * 1.35, splitLongWords=1, keepWithNext=int(with_next)
    )
    return Paragraph(escape(text), style)


def _table(table: Table, width: float) -> Iterator[Any]:
    from reportlab.lib import colors
    from reportlab.platypus import Spacer
    from reportlab.platypus import Table as Grid

    size = NORMAL - 1 if len(table.columns) <= MOST_COLUMNS else SMALL
    if table.title:
        yield _words(table.title, NORMAL, BOLD, with_next=True)
    texts, headings = table.texts(), [column.title for column in table.columns]
    natural = [_widest(column, size) for column in zip(headings, *texts, strict=True)]
    numbers = sum(wide for wide, column in zip(natural, table.columns, strict=True) if column.is_number)
    others = sum(natural) - numbers
    squeeze = min(1.0, max(width - numbers, width / 4) / others) if others else 1.0
    widths = [wide if column.is_number else wide * squeeze
              for wide, column in zip(natural, table.columns, strict=True)]  # fmt: skip
    # a number is never broken: what is left of it would be another one
    rows = [
        [text if column.is_number else _words(text, size) for text, column in zip(row, table.columns, strict=True)]
        for row in texts
    ]
    has_headings = any(headings)
    if has_headings:
        rows.insert(0, [_words(title, size, BOLD) for title in headings])
    yield Grid(
        rows,
        colWidths=widths,
        repeatRows=int(has_headings),
        hAlign="LEFT",
        style=[
            ("FONT", (0, 0), (-1, -1), FONT, size),
            *(
                ("ALIGN", (place, 0), (place, -1), "RIGHT")
                for place, column in enumerate(table.columns)
                if column.is_number
            ),
            ("LINEBELOW", (0, 0), (-1, -1), 0.3, colors.grey),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ],
    )

    yield Spacer(1, 2)
    for line in table.legend:
        yield _words(line, SMALL)


def _drawing(svg: str, width: float) -> Any:
    """As vectors, as wide as the page."""
    drawing = vectors(svg)
    scale = width / drawing.width
    drawing.scale(scale, scale)
    drawing.width, drawing.height = width, drawing.height * scale
    return drawing
