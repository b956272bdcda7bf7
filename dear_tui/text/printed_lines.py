"""The last look at every line that the screens draw: nothing in it steers the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter

from engine.printable import IN_LINE

if TYPE_CHECKING:
    from textual.color import Color

STAND_IN = "�"


NO_STYLE = Style()


class NothingSteers(LineFilter):
    """Takes out what `printable` would have made visible, and keeps every cell where it is.

    It stands before Textual's own filters, of which that for NO_COLOR ends the screens at a segment without a style.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """Make cells printable: a sign that takes none goes, one that takes some is replaced."""
        if not any(segment.style is None or IN_LINE.search(segment.text) for segment in segments):
            return segments
        return [
            segment if segment.control else Segment(_tame(segment.text), segment.style or NO_STYLE)
            for segment in segments
        ]


def _tame(text: str) -> str:
    return IN_LINE.sub(lambda match: STAND_IN * cell_len(match[0]), text)
