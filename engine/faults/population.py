"""Every fault that could be drawn, as an index space that is never materialised."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from engine.errors import InputError
from engine.faults.strata import Stratum
from engine.formats.fault_model import STUCK_OF_MODEL
from engine.formats.float32 import FLOAT32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from engine.formats.fault_model import FaultModel
    from engine.formats.weight_format import WeightFormat

Convention = Literal["x32", "x64"]
"""How single-polarity faults are counted: once per bit, or twice as published lists count flips of float32."""


def copies_per_bit(model: FaultModel, convention: Convention) -> int:
    """How often each bit counts: `stuck_at` has both polarities by itself, x64 counts every flip twice.

    Raises:
        InputError: for x64 with one polarity only, whose bits have one fault each by any count.
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
    weights: Callable[[], npt.NDArray[np.float32]] | None = field(default=None, compare=False, repr=False)
    """gives its weights, [weights] in C order; None where only the shape is known"""

    @property
    def size(self) -> int:
        """How many weights the layer has."""
        return math.prod(self.shape)


class FaultSites(NamedTuple):
    """F faults as arrays: where they are and what they do."""

    layer: npt.NDArray[np.int32]
    """[F] index of the layer in the network"""
    weight_index: npt.NDArray[np.int64]
    """[F] flat, C order"""
    bit: npt.NDArray[np.uint8]
    """[F] 0 is the lowest of the weight's format"""
    stuck: npt.NDArray[np.int8]
    """[F] -1 = bit_flip, 0 or 1 = stuck at that value"""


def no_sites(count: int) -> FaultSites:
    """Room for so many faults."""
    return FaultSites(
        np.empty(count, np.int32), np.empty(count, np.int64), np.empty(count, np.uint8), np.empty(count, np.int8)
    )


def put_sites(sites: FaultSites, start: int, some: FaultSites) -> None:
    """Put some faults at their place among all."""
    place = slice(start, start + len(some.layer))
    sites.layer[place], sites.weight_index[place] = some.layer, some.weight_index
    sites.bit[place], sites.stuck[place] = some.bit, some.stuck


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
    bits: tuple[int, ...] = FLOAT32.all_bits
    """bits of the weights' format, ascending"""
    format: WeightFormat = FLOAT32
    """of the weights"""

    def __post_init__(self) -> None:
        if self.model == "stuck_at" and self.copies != 2:
            raise ValueError("stuck_at has two faults per bit: copies must be 2")

    @classmethod
    def whole(
        cls,
        layers: tuple[Layer, ...],
        model: FaultModel,
        convention: Convention = "x32",
        weight_format: WeightFormat = FLOAT32,
    ) -> Population:
        """Every fault of the network, whose weights are in a format."""
        chosen = tuple(layer.index for layer in layers)
        return cls(layers, model, copies_per_bit(model, convention), chosen, weight_format.all_bits, weight_format)

    def __len__(self) -> int:
        return int(self._offsets[-1])

    def each_layer(self) -> Iterator[tuple[str, Population]]:
        """The name of each chosen layer, and its own part."""
        for index in self.chosen:
            yield self.layers[index].name, replace(self, chosen=(index,))

    def each_bit(self) -> Iterator[tuple[int, Population]]:
        """Each bit, and its own part."""
        for bit in self.bits:
            yield bit, replace(self, bits=(bit,))

    def stratum(self, name: str, faults: int) -> Stratum:
        """The population as a stratum of which so many faults were drawn."""
        return Stratum(name, self.chosen, self.bits, self.copies, len(self), faults)

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
        """The faults at these indices of the population, [n] -> four arrays [n]."""
        slot = np.searchsorted(self._offsets, index, side="right") - 1
        bit_index, copy = np.divmod(index - self._offsets[slot], self.copies)
        weight_index, bit = np.divmod(bit_index, len(self.bits))
        stuck = copy if self.model == "stuck_at" else np.full(len(index), STUCK_OF_MODEL[self.model])
        bits = np.array(self.bits, dtype=np.uint8)
        return FaultSites(self._chosen[slot], weight_index, bits[bit], stuck.astype(np.int8))

    def encode(self, sites: FaultSites) -> npt.NDArray[np.int64]:
        """The indices of n faults of this population, [n]; of a flip counted twice, the first."""
        slot = np.searchsorted(self._chosen, sites.layer)
        bit = np.searchsorted(self.bits, sites.bit)
        copy = sites.stuck if self.model == "stuck_at" else 0
        index = (sites.weight_index * len(self.bits) + bit) * self.copies + copy
        return np.asarray(self._offsets[slot] + index, dtype=np.int64)
