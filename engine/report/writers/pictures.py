"""The figures of a report as pictures: SVG by ourselves, PNG by resvg, which the extra `report` installs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from engine.figures.svg import to_svg
from engine.report.writers.extra import needs_extra

if TYPE_CHECKING:
    from engine.report.document import Picture

PIXELS_WIDE = 1600


def as_svg(picture: Picture) -> bytes:
    """A file of its own, in UTF-8."""
    return to_svg(picture.figure).encode()


def as_pdf_figure(picture: Picture) -> bytes:
    """A page of its own, as vectors.

    Raises:
        MissingExtraError: svglib or reportlab is not installed.
    """
    with needs_extra("PDF"):
        import reportlab  # noqa: F401 - by itself, because its parts may be loaded already
        from reportlab.graphics import renderPDF
    drawing = vectors(to_svg(picture.figure))
    return bytes(renderPDF.drawToString(drawing))


def vectors(svg: str) -> Any:
    """A drawing of reportlab.

    Raises:
        MissingExtraError: svglib is not installed.
    """
    with needs_extra("PDF"):
        from svglib.svglib import svg2rlg
    return svg2rlg(io.BytesIO(svg.encode()))


def as_png(picture: Picture) -> bytes:
    """Draw a picture as pixels.

    Raises:
        MissingExtraError: resvg or the fonts are not installed.
    """
    return svg_as_png(to_svg(picture.figure))


def svg_as_png(svg: str) -> bytes:
    """Draw an SVG as pixels.

    Raises:
        MissingExtraError: resvg or the fonts are not installed.
    """
    with needs_extra("PNG"):
        from pathlib import Path

        import reportlab
        import resvg_py
    font = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"  # a server may have no font at all
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            width=PIXELS_WIDE,
            font_files=[str(font)],
            skip_system_fonts=True,
            font_family="Bitstream Vera Sans",
            sans_serif_family="Bitstream Vera Sans",
        )
    )
