"""Every fault that could be drawn, as an index space that is never materialised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from engine.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

FaultModel = Literal["bit_flip", "stuck_at_0", "stuck_at_1", "stuck_at"]

Convention = Literal["x32", "x64"]
"""How single-polarity faults are counted: 32 per weight, or 64 as published lists count flips."""

ALL_BITS = tuple(range(32))
"""Bits of a float32 weight; 31 is the sign."""

FIXED_STUCK = {"bit_flip": -1, "stuck_at_0": 0, "stuck_at_1": 1}
"""`FaultSites.stuck` of the models that do not draw a polarity."""


def copies_per_bit(model: FaultModel, convention: Convention) -> int:
    """How often each bit counts: `stuck_at` has both polarities by itself, x64 counts every flip twice.

    Raises:
        InputError: for x64 with one polarity only, whose weights have 32 faults each by any count.
    """
    if convention == "x64" and model in ("stuck_at_0", "stuck_at_1"):
        raise InputError(f'[faults] population: "x64" does not apply to {model}; use "x32", or model = "stuck_at"')
    return 2 if model == "stuck_at" or convention == "x64" else 1


@dataclass(frozen=True)
class Layer:
    """An injectable layer (convolution or linear): its place in module order, dotted module name and weight shape."""

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
    copies: int
    chosen: tuple[int, ...]
    """indices of the layers the faults are in, ascending"""
    bits: tuple[int, ...] = ALL_BITS
    """ascending"""

    def __post_init__(self) -> None:
        if self.model == "stuck_at" and self.copies != 2:
            raise ValueError("stuck_at has two faults per bit: copies must be 2")

    @classmethod
    def whole(cls, layers: tuple[Layer, ...], model: FaultModel, convention: Convention = "x32") -> Population:
        """Every fault of the network."""
        return cls(layers, model, copies_per_bit(model, convention), tuple(layer.index for layer in layers))

    def __len__(self) -> int:
        return int(self._offsets[-1])

    @property
    def repeats(self) -> int:
        """How many indices in a row stand for the same fault: 2 for flips under the x64 convention."""
        return 1 if self.model == "stuck_at" else self.copies

    @property
    def distinct(self) -> int:
        """How many different faults there are."""
        return len(self) // self.repeats

    @cached_property
    def _chosen(self) -> npt.NDArray[np.int32]:
        return np.array(self.chosen, dtype=np.int32)

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
