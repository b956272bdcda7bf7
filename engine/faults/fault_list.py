"""The faults of one campaign, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, overload

import numpy as np

from engine.faults.order import execution_order
from engine.formats.fault_model import MODEL_OF_STUCK
from engine.formats.float32 import FLOAT32

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.faults.population import FaultSites, Layer
    from engine.faults.strata import Stratum
    from engine.formats.fault_model import FaultModel
    from engine.formats.weight_format import WeightFormat


@dataclass(frozen=True, eq=False)
class FaultList:
    """F faults as arrays [F]; row i of every array is the fault at position i."""

    layers: tuple[Layer, ...]
    """all injectable layers of the network, index i at position i"""
    fault_id: npt.NDArray[np.uint32]
    """[F] 0-based place in the list as drawn or read, kept when rows are taken"""
    layer: npt.NDArray[np.int32]
    """[F] place in `layers`"""
    weight_index: npt.NDArray[np.int64]
    """[F] flat index into the layer's weight, C order"""
    bit: npt.NDArray[np.uint8]
    """[F] 0 is the lowest of `format`"""
    stuck: npt.NDArray[np.int8]
    """[F] -1 = bit_flip, 0 or 1 = stuck at that value"""
    model: FaultModel
    strata: tuple[Stratum, ...]
    """of the population that the faults stand for, filters applied"""
    stratum: npt.NDArray[np.int32]
    """[F] place in `strata`"""
    wave: npt.NDArray[np.uint8]
    """[F] which runs the fault: those of the next one come after all pairs of the last; 0 where there are no waves"""
    format: WeightFormat = FLOAT32
    """which the weights are stored in, and `bit` counts in"""

    @classmethod
    def of(
        cls,
        sites: FaultSites,
        layers: tuple[Layer, ...],
        model: FaultModel,
        strata: Sequence[Stratum],
        weight_format: WeightFormat = FLOAT32,
    ) -> FaultList:
        """Number the faults in the order given, which is that of the strata."""
        fault_id = np.arange(len(sites.layer), dtype=np.uint32)
        stratum = np.repeat(np.arange(len(strata), dtype=np.int32), [each.faults for each in strata])
        return cls(
            layers,
            fault_id,
            *sites,
            model=model,
            strata=tuple(strata),
            stratum=stratum,
            wave=np.broadcast_to(np.uint8(0), len(fault_id)),  # which takes one byte for all
            format=weight_format,
        )

    @property
    def population(self) -> int:
        """How many faults these stand for."""
        return sum(each.population for each in self.strata)

    @property
    def weight(self) -> npt.NDArray[np.float64]:
        """How many faults of the population each one stands for, [F]."""
        return np.array([each.weight for each in self.strata])[self.stratum]

    def __len__(self) -> int:
        return len(self.fault_id)

    def take(self, positions: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice) -> FaultList:
        """The faults at these positions, [n] or a slice, or under this mask, bool [F]; ids kept."""
        columns = ("fault_id", "layer", "weight_index", "bit", "stuck", "stratum", "wave")
        taken = replace(self, **{column: getattr(self, column)[positions] for column in columns})
        counts = np.bincount(taken.stratum, minlength=len(self.strata)).tolist()
        strata = [replace(each, faults=count) for each, count in zip(self.strata, counts, strict=True)]
        return replace(taken, strata=tuple(strata))

    def execution_order(self) -> npt.NDArray[np.int64]:
        """Positions in the order in which the faults are run, [F]."""
        per_channel = np.array([layer.size // layer.shape[0] for layer in self.layers])
        return execution_order(self.layer, self.weight_index // per_channel[self.layer], self.fault_id, self.wave)

    def layer_names(self) -> Texts:
        """The name of each fault's layer."""
        return Texts([layer.name for layer in self.layers], self.layer)

    def tensor_index(self) -> Texts:
        """Each weight's place in its layer's weight, as text such as `(3, 0, 2, 1)`."""
        kinds: list[str] = []
        code = np.empty(len(self), np.int32)
        for layer in self.layers:
            rows = np.flatnonzero(self.layer == layer.index)
            weights, place = np.unique(self.weight_index[rows], return_inverse=True)
            code[rows] = place + len(kinds)
            places = np.stack(np.unravel_index(weights, layer.shape), axis=1)
            kinds += [f"({', '.join(map(str, place))})" for place in places.tolist()]
        return Texts(kinds, code)

    def models(self) -> Texts:
        """Each fault's own model: `stuck_at` as the polarity that was drawn."""
        return Texts(list(MODEL_OF_STUCK.values()), np.searchsorted(list(MODEL_OF_STUCK), self.stuck))


class Texts(Sequence[str]):
    """A text for each fault, of which each different one is held once."""

    def __init__(self, kinds: list[str], code: npt.NDArray[np.integer]) -> None:
        self.kinds = kinds
        """the different ones"""
        self.code = code
        """[F] place of each fault's text among them"""

    def __len__(self) -> int:
        return len(self.code)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Texts: ...
    def __getitem__(self, place: int | slice) -> str | Texts:
        return Texts(self.kinds, self.code[place]) if isinstance(place, slice) else self.kinds[self.code[place]]
