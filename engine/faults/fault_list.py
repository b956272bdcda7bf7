"""The faults of one campaign, as columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.faults.order import execution_order
from engine.formats.fault_model import MODEL_OF_STUCK
from engine.formats.float32 import FLOAT32

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.faults.population import FaultSites, Layer
    from engine.faults.strata import Stratum
    from engine.formats.fault_model import FaultModel
    from engine.formats.weight_format import WeightFormat


@dataclass(frozen=True, eq=False)
class FaultList:
    """F faults; row i of every array is the fault at position i."""

    layers: tuple[Layer, ...]
    """all injectable layers of the network, index i at position i"""
    fault_id: npt.NDArray[np.uint32]
    """0-based place in the list as drawn or read, kept when rows are taken"""
    layer: npt.NDArray[np.int32]
    weight_index: npt.NDArray[np.int64]
    bit: npt.NDArray[np.uint8]
    stuck: npt.NDArray[np.int8]
    model: FaultModel
    strata: tuple[Stratum, ...]
    """of the population that the faults stand for, filters applied"""
    stratum: npt.NDArray[np.int32]
    """place in `strata`"""
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
        return cls(layers, fault_id, *sites, model=model, strata=tuple(strata), stratum=stratum, format=weight_format)

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

    def take(self, positions: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> FaultList:
        """The faults at these positions (or under this mask), ids kept."""
        columns = ("fault_id", "layer", "weight_index", "bit", "stuck", "stratum")
        taken = replace(self, **{column: getattr(self, column)[positions] for column in columns})
        counts = np.bincount(taken.stratum, minlength=len(self.strata)).tolist()
        strata = [replace(each, faults=count) for each, count in zip(self.strata, counts, strict=True)]
        return replace(taken, strata=tuple(strata))

    def execution_order(self) -> npt.NDArray[np.int64]:
        """Positions in the order in which the faults are run, [F]."""
        per_channel = np.array([layer.size // layer.shape[0] for layer in self.layers])
        return execution_order(self.layer, self.weight_index // per_channel[self.layer], self.fault_id)

    def tensor_index(self) -> list[str]:
        """Each weight's place in its layer's weight, as text such as `(3, 0, 2, 1)`."""
        texts = np.empty(len(self), dtype=object)
        for layer in self.layers:
            rows = np.flatnonzero(self.layer == layer.index)
            places = np.stack(np.unravel_index(self.weight_index[rows], layer.shape), axis=1)
            texts[rows] = [f"({', '.join(map(str, place))})" for place in places.tolist()]
        return list(texts)

    def models(self) -> list[FaultModel]:
        """Each fault's own model: `stuck_at` as the polarity that was drawn."""
        return [MODEL_OF_STUCK[stuck] for stuck in self.stuck.tolist()]
