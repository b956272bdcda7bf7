"""A grid of characters and inks; no Textual in here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

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


OVERLAYS = (Ink.OVERLAY_0, Ink.OVERLAY_1, Ink.OVERLAY_2, Ink.OVERLAY_3, Ink.OVERLAY_4)


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
        end = min(column + len(text), self.width)
        self.characters[row, column:end] = [ord(character) for character in text[: end - column]]
        self.inks[row, column:end] = ink

    def rows(self) -> Iterator[str]:
        """The characters of each row, top first."""
        for row in self.characters:
            yield "".join(map(chr, row))
