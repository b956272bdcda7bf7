"""One image file: what its header says, and its pixels. Few formats, no pipes, no bombs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import InputError
from engine.paths import file_bytes, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL.Image import Image

    from engine.datasets.images import Array

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"})

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "PPM")
"""the only ones that are tried, whatever a file is called: others, such as EPS, start other programs"""

MOST_PIXELS = 2**26
"""of one image, 8192 x 8192"""

MOST_BYTES = 2**29
"""of one image file, twice the pixels of the largest"""

BITS_PER_SAMPLE = 258
"""TIFF's tag"""

MEND = "fix or remove it"


@dataclass(frozen=True)
class Header:
    """What can be known of an image without its pixels."""

    width: int
    height: int
    is_grey: bool
    """one channel in the file, without transparency"""
    frames: int


def read_header(file: Path) -> Header:
    """Open a file as far as its header.

    Raises:
        InputError: it is no regular file, no image of the known formats, too large, or has over 8 bits per channel.
    """
    with _open(file) as image:
        if image.width * image.height > MOST_PIXELS:
            raise InputError(
                f"{shown(file)}: is {image.width} x {image.height} pixels, and one may have {MOST_PIXELS:,}; {MEND}"
            )
        if _is_deep(image):
            raise InputError(f"{shown(file)}: has more than 8 bits per channel; save it as an 8-bit image")
        return Header(image.width, image.height, image.mode in ("1", "L"), getattr(image, "n_frames", 1))


def read_pixels(file: Path, header: Header, channels: int) -> Array:
    """uint8 [channels, H, W] with 1 or 3 channels; grey is repeated where there are 3.

    Of several frames the first is taken, transparency is left out, CMYK and palettes become RGB, and a rotation that
    EXIF asks for is not made: all as torchvision's ImageFolder does.

    Raises:
        InputError: it cannot be decoded, or is not of the size that its header had before.
    """
    with _open(file) as image:
        if image.size != (header.width, header.height) or _is_deep(image):
            raise InputError(f"{shown(file)}: was changed while the images were read; run this again")
        pixels = np.asarray(image.convert("L" if header.is_grey else "RGB"))
    planes = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, 2, 0)
    return np.broadcast_to(planes, (channels, *planes.shape[1:]))


@contextmanager
def _open(file: Path) -> Iterator[Image]:
    from PIL import Image, UnidentifiedImageError  # only this kind of data set needs it

    size = file_bytes(file, MEND)
    if size > MOST_BYTES:
        raise InputError(f"{shown(file)}: has {size:,} bytes, and an image file may have {MOST_BYTES:,}; {MEND}")
    try:
        with Image.open(file, formats=FORMATS) as image:
            yield image
    except (
        *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, RuntimeError, EOFError, OverflowError),
        *(UnidentifiedImageError, Image.DecompressionBombError),
    ) as error:
        reason = str(error).replace(str(file), "the file").replace("\n", " ")
        raise InputError(f"{shown(file)}: cannot be read as an image ({reason}); {MEND}") from None


def _is_deep(image: Any) -> bool:
    """Whether a channel has more than 8 bits; PIL opens 16-bit colour as 8-bit RGB and drops the lower halves."""
    if image.mode[0] in "IF":
        return True
    bits = getattr(image, "tag_v2", {}).get(BITS_PER_SAMPLE, (8,))
    if max(bits if isinstance(bits, tuple) else (bits,)) > 8:
        return True
    for tile in image.tile:
        if tile[0] == "ppm":
            return bool(tile[3][-1] > 255)
        if ";16" in str(tile[3]):
            return True
    return False
