"""What writes each of `engine.report.formats`; another one is a file beside this one, a line here and a name there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.report.writers.page import as_html
from engine.report.writers.pdf import as_pdf
from engine.report.writers.pictures import as_pdf_figure, as_png, as_svg
from engine.report.writers.tables import as_csv, as_latex
from engine.report.writers.text_pages import as_markdown, as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.report.document import Document, Picture

TEXTS: dict[str, Callable[[Document], str]] = {
    "text": as_text,
    "csv": as_csv,
    "md": as_markdown,
    "latex": as_latex,
    "html": as_html,
}
"""Formats of one text."""

BINARIES: dict[str, Callable[[Document], bytes]] = {"pdf": as_pdf}
"""Formats of one file that is no text."""

PICTURES: dict[str, Callable[[Picture], bytes]] = {"svg": as_svg, "png": as_png, "pdf": as_pdf_figure}
"""Formats of one file for each picture."""
