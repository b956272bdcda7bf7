"""A grid of characters and inks; no Textual in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class Ink(IntEnum):
    """What a cell belongs to; the widget gives each its colour."""

    TEXT = 0
    AXIS = 1
    BAND = 2
    FINAL = 3
    METRIC = 4
    MASKED = 5
    NON_CRITICAL = 6
    CRITICAL = 7
    CURSOR = 8
    OVERLAY_0 = 9
    OVERLAY_1 = 10
    OVERLAY_2 = 11
    OVERLAY_3 = 12
    OVERLAY_4 = 13
    SCREENED = 14
    TITLE = 15


OVERLAYS = (Ink.OVERLAY_0, Ink.OVERLAY_1, Ink.OVERLAY_2, Ink.OVERLAY_3, Ink.OVERLAY_4)


FOLLOWS = 0
"""in the second cell of a character that takes two"""

Area = tuple[int, int, int, int]
"""Top, left, rows and columns of the part of a picture that holds the lines and points."""


@dataclass
class Picture:
    """Characters (code points) and inks, both [height, width]."""

    width: int
    height: int
    characters: NDArray[np.uint32] = field(init=False)
    inks: NDArray[np.uint8] = field(init=False)
    area: Area = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        self.characters = np.full((self.height, self.width), ord(" "), dtype=np.uint32)
        self.inks = np.zeros((self.height, self.width), dtype=np.uint8)

    def put(self, row: int, column: int, text: str, ink: Ink) -> None:
        """Write text, cut at the right edge."""
        cells = _cells(text)
        end = min(column + len(cells), self.width)
        line, shown = self.characters[row], cells[: max(end - column, 0)]
        for place in (column, end):  # no half of a wide character stays of what stood there
            if place < self.width and line[place] == FOLLOWS:
                line[place - 1] = line[place] = ord(" ")
        if len(cells) > len(shown) > 0 and cells[len(shown)] == FOLLOWS:
            shown[-1] = ord(" ")
        line[column:end] = shown
        self.inks[row, column:end] = ink

    def rows(self) -> Iterator[str]:
        """The characters of each row, top first."""
        for row in self.characters:
            yield text_of(row)


def text_of(cells: NDArray[np.uint32]) -> str:
    """The text that stands in a row's cells."""
    return "".join(map(chr, cells[cells != FOLLOWS]))


def _cells(text: str) -> list[int]:
    """The code points of a text, one a cell; what takes no cell is left out."""
    if text.isascii():
        return list(map(ord, text))
    return [point for character in text for point in (ord(character), FOLLOWS)[: cell_len(character)]]
