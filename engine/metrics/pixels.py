"""How unusual each image is, from its pixels: the network plays no part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.metrics.kennard_stone import earliness
from engine.metrics.metric import Metric

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.metrics.metric import MetricInput, Values

LUMA = (0.299, 0.587, 0.114)
"""of red, green and blue in grey (ITU-R BT.601)"""

SHADES = 256


def _pixel_entropy(given: MetricInput) -> Values:
    """-sum h log2 h of the histogram h of 256 shades of grey: 0 of one shade .. 8 of all alike, in bits, [N]."""
    return np.concatenate([_entropies(_shades(_grey(batch), batch.dtype == np.uint8)) for batch in given.pixels()])


def _grey(images: npt.NDArray[np.uint8] | npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Images [n, C, H, W] as [n, H * W]: luma of three channels, else the mean of them."""
    channels = images.shape[1]
    weights = LUMA if channels == len(LUMA) else (1 / channels,) * channels
    grey = np.tensordot(weights, images.astype(np.float64), axes=(0, 1))
    return grey.reshape(len(images), -1)


def _shades(grey: npt.NDArray[np.float64], are_bytes: bool) -> npt.NDArray[np.int64]:
    """Each pixel's shade, 0 to 255: of floats within 0..1 in steps of 1/255, of others from their image's own ends."""
    if not are_bytes:
        low, high = grey.min(axis=1, keepdims=True), grey.max(axis=1, keepdims=True)
        is_share = (low >= 0) & (high <= 1)
        low, width = np.where(is_share, 0, low), np.where(is_share | (high == low), 1, high - low)
        grey = (grey - low) / width * (SHADES - 1)
    return np.rint(grey).astype(np.int64)


def _entropies(shades: npt.NDArray[np.int64]) -> Values:
    images, pixels = shades.shape
    places = shades + SHADES * np.arange(images)[:, None]
    share = np.bincount(places.reshape(-1), minlength=SHADES * images).reshape(images, SHADES) / pixels
    return np.asarray(0.0 - (share * np.log2(np.where(share > 0, share, 1))).sum(axis=1))


def _kennard_stone_pixels(given: MetricInput) -> Values:
    """N - k for the image that is picked after k others, by the Euclidean distance of pixels, [N]."""
    pixels = np.concatenate([batch.reshape(len(batch), -1) for batch in given.pixels()])
    return earliness(pixels.astype(np.float64), given.on_step)


PIXEL_ENTROPY = Metric(
    name="pixel_entropy",
    title="the entropy of its shades of grey",
    written="pixel entropy",
    compute=_pixel_entropy,
    needs="pixels",
    source="Shannon 1948; of images, Gonzalez and Woods 2018",
)
KENNARD_STONE_PIXELS = Metric(
    name="kennard_stone_pixels",
    title="how early it is picked, where each is as far as can be in pixels from those before",
    written="Kennard-Stone (pixels)",
    compute=_kennard_stone_pixels,
    needs="pixels",
    source="Kennard and Stone 1969",
)
