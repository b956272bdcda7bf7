"""An image in the terminal: two pixels a cell, as half blocks, or as shades where there is no colour at all."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from numpy.typing import NDArray

Colour = tuple[int, int, int]

HALF_BLOCK = "▀"
SHADES = " ░▒▓█"


def fit(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Enlarge an image by the largest whole number that fits, or shrink it by the mean of areas where none does.

    Args:
        pixels: [H, W, C].
        width, height: of the room, in pixels; at least 1.
    """
    rows, columns = pixels.shape[:2]
    times = min(width // columns, height // rows)
    if times >= 1:
        return pixels.repeat(times, axis=0).repeat(times, axis=1)
    scale = min(width / columns, height / rows)
    down, across = max(int(rows * scale), 1), max(int(columns * scale), 1)
    return _shrink(_shrink(pixels.astype(np.float64), down, 0), across, 1).round().astype(np.uint8)


def lines_for(pixels: NDArray[np.uint8], width: int, most: int) -> int:
    """How many lines of the screen an image takes in a room of this width and at most so many lines."""
    return -(-len(fit(pixels, max(width, 1), max(most, 1) * 2)) // 2)


def _shrink(values: NDArray[np.float64], size: int, axis: int) -> NDArray[np.float64]:
    """The means of `size` runs of about equal length along an axis."""
    edges = np.arange(size + 1) * values.shape[axis] // size
    shape = [1] * values.ndim
    shape[axis] = size
    sums: NDArray[np.float64] = np.add.reduceat(values, edges[:-1], axis=axis)
    sums /= np.diff(edges).reshape(shape)
    return sums


class ImagePicture(Widget):
    """One image in the middle of its room."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._pixels: NDArray[np.uint8] | None = None
        self._strips: list[Strip] = []

    def show(self, pixels: NDArray[np.uint8] | None) -> None:
        """Draw an image [H, W, 1 or 3], or nothing."""
        if self._pixels is None or pixels is None or not np.array_equal(pixels, self._pixels):
            self._pixels = pixels
            self._draw()

    def render_line(self, y: int) -> Strip:
        """One kept line."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _draw(self) -> None:
        width, height = self.size
        self._strips = []
        if self._pixels is not None and width and height:
            picture = fit(self._pixels, width, height * 2)
            is_plain = self.app.no_color and self.app.native_ansi_color
            left = (width - picture.shape[1]) // 2
            for row in range(0, len(picture), 2):
                pair = picture[row : row + 2]
                cells = [Segment(_shaded(pair), self.rich_style)] if is_plain else _coloured(pair)
                segments = [Segment(" " * left, self.rich_style), *cells]
                self._strips.append(Strip(segments).adjust_cell_length(width, self.rich_style))
        self.refresh()

    on_resize = _draw


def _coloured(pair: NDArray[np.uint8]) -> list[Segment]:
    """Two rows of pixels [1 or 2, W, C] as half blocks; an odd last row stands alone."""
    rows = [list(map(tuple, row)) for row in np.broadcast_to(pair, (*pair.shape[:2], 3)).tolist()]
    bottoms = rows[1] if len(rows) == 2 else [None] * len(rows[0])
    return [
        Segment(HALF_BLOCK * len(list(same)), _style(top, bottom))
        for (top, bottom), same in groupby(zip(rows[0], bottoms, strict=True))
    ]


@lru_cache(maxsize=4096)
def _style(top: Colour, bottom: Colour | None) -> Style:
    """Of a half block: its upper and its lower pixel."""
    return Style(color=Color.from_rgb(*top), bgcolor=None if bottom is None else Color.from_rgb(*bottom))


def _shaded(pair: NDArray[np.uint8]) -> str:
    """Two rows of pixels as one row of shades."""
    brightness = pair.mean(axis=(0, 2))
    places = np.minimum(brightness / 256 * len(SHADES), len(SHADES) - 1).astype(int)
    return "".join(SHADES[place] for place in places.tolist())
