"""Every fault that could be drawn, as an index space that is never materialised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

FaultModel = Literal["bit_flip", "stuck_at_0", "stuck_at_1", "stuck_at"]

WEIGHT_BITS = 32
"""Bits of a float32 weight; 31 is the sign."""

FIXED_STUCK = {"bit_flip": -1, "stuck_at_0": 0, "stuck_at_1": 1}
"""`FaultSites.stuck` of the models that do not draw a polarity."""


@dataclass(frozen=True)
class Layer:
    """An injectable layer (Conv2d or Linear): its place in module order, dotted module name and weight shape."""

    index: int
    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of weights."""
        return math.prod(self.shape)


class FaultSites(NamedTuple):
    """Faults as arrays of equal length: where they are and what they do."""

    layer: npt.NDArray[np.int32]
    """index of the layer in the network"""
    weight_index: npt.NDArray[np.int64]
    """flat, C order"""
    bit: npt.NDArray[np.uint8]
    """0..31, 31 = sign"""
    stuck: npt.NDArray[np.int8]
    """-1 = bit_flip, 0 or 1 = stuck at that value"""


@dataclass(frozen=True)
class Population:
    """The faults of the chosen layers and bits, numbered 0 .. len - 1 by (layer, weight, bit, copy), copy fastest.

    `copies` is how often each bit counts: 2 for `stuck_at` (one fault per polarity) and for flips under the x64
    convention (every flip counted twice), else 1.
    """

    layers: tuple[Layer, ...]
    """all injectable layers of the network, index i at position i"""
    model: FaultModel
    copies: int = 1
    chosen: tuple[int, ...] | None = None
    """ascending indices of the layers the faults are in; None = all"""
    bits: tuple[int, ...] = tuple(range(WEIGHT_BITS))
    """ascending"""

    def __post_init__(self) -> None:
        if self.model == "stuck_at" and self.copies != 2:
            raise ValueError("stuck_at has two faults per bit: copies must be 2")

    def __len__(self) -> int:
        return int(self._offsets[-1])

    @cached_property
    def _chosen(self) -> npt.NDArray[np.int32]:
        return np.array(range(len(self.layers)) if self.chosen is None else self.chosen, dtype=np.int32)

    @cached_property
    def _offsets(self) -> npt.NDArray[np.int64]:
        """First index of each chosen layer, and the end: [chosen + 1]."""
        sizes = [self.layers[layer].size * len(self.bits) * self.copies for layer in self._chosen]
        return np.cumsum([0, *sizes], dtype=np.int64)

    def decode(self, index: npt.NDArray[np.int64]) -> FaultSites:
        """The faults at these indices, [n] -> four arrays [n]."""
        slot = np.searchsorted(self._offsets, index, side="right") - 1
        bit_index, copy = np.divmod(index - self._offsets[slot], self.copies)
        weight_index, bit = np.divmod(bit_index, len(self.bits))
        stuck = copy if self.model == "stuck_at" else np.full(len(index), FIXED_STUCK[self.model])
        bits = np.array(self.bits, dtype=np.uint8)
        return FaultSites(self._chosen[slot], weight_index, bits[bit], stuck.astype(np.int8))

    def encode(self, sites: FaultSites) -> npt.NDArray[np.int64]:
        """The indices of faults of this population; of a flip counted twice, the first."""
        slot = np.searchsorted(self._chosen, sites.layer)
        bit = np.searchsorted(self.bits, sites.bit)
        copy = sites.stuck if self.model == "stuck_at" else 0
        index = (sites.weight_index * len(self.bits) + bit) * self.copies + copy
        return np.asarray(self._offsets[slot] + index, dtype=np.int64)
