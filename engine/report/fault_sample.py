"""The faults of a campaign as a sample: shares of all faults that could be drawn, and of some layers and bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.estimate import estimate_mean, estimate_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.analysis.estimate import Confidence, Share
    from engine.report.material import Material

LEAST_FAULTS = 10
"""drawn from a group: of fewer, even if none is hit, a third of all might be, and nothing is told of them"""


@dataclass(frozen=True, eq=False)
class FaultSample:
    """F faults in cells of layer and bit, [L, B]."""

    layer: NDArray[np.int64]
    bit: NDArray[np.int64]
    stratum: NDArray[np.int64]
    """[F] place among the H strata"""
    images: int
    """of each fault"""
    population: NDArray[np.int64]
    """[L, B] different faults that could be drawn"""
    stratum_of: NDArray[np.int32]
    """[L, B] of which stratum these are; -1: they cannot be drawn"""
    confidence: Confidence

    @classmethod
    def of(cls, material: Material) -> FaultSample:
        """The sample of a campaign; the faults of a list as if they had been drawn from all that the network has."""
        rates, summary = material.rates, material.summary
        stratum_of = rates.stratum
        if stratum_of is None or material.is_list:
            stratum_of = np.where(rates.population > 0, np.int32(0), np.int32(-1))
        return cls(
            layer=material.layer,
            bit=material.bit,
            stratum=np.zeros_like(summary.stratum) if material.is_list else summary.stratum,
            images=summary.status.images,
            population=rates.population // rates.repeats,
            stratum_of=stratum_of,
            confidence=material.confidence,
        )

    @property
    def everything(self) -> NDArray[np.bool_]:
        """[L, B] all cells."""
        return np.ones(self.population.shape, np.bool_)

    def of_layer(self, layer: int) -> NDArray[np.bool_]:
        """[L, B] the cells of one layer."""
        cells = np.zeros(self.population.shape, np.bool_)
        cells[layer] = True
        return cells

    def of_bits(self, first: int, stop: int) -> NDArray[np.bool_]:
        """[L, B] the cells of some bits, the last one excluded."""
        cells = np.zeros(self.population.shape, np.bool_)
        cells[:, first:stop] = True
        return cells

    def faults_in(self, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """[F] whether each fault is in one of these cells."""
        inside: NDArray[np.bool_] = cells[self.layer, self.bit]
        return inside

    def bits_in(self, cells: NDArray[np.bool_]) -> int:
        """Faults of these cells that could be drawn, which of flips are as many as stored bits."""
        return int(self.population[cells].sum())

    def mean(self, counts: NDArray[np.int64], cells: NDArray[np.bool_] | None = None) -> Share | None:
        """The share of pairs for which something holds.

        Args:
            counts: [F] images of each fault for which it does.
            cells: of the faults; None: all.

        Returns:
            None where too few faults were drawn there.
        """
        cells = self.everything if cells is None else cells
        inside = self.faults_in(cells)
        if np.count_nonzero(inside) < min(LEAST_FAULTS, max(self.bits_in(cells), 1)):
            return None
        population = self._population(cells)
        return estimate_mean(counts[inside], self.images, self.stratum[inside], population, self.confidence.of_interval)

    def share(self, hit: NDArray[np.bool_], cells: NDArray[np.bool_] | None = None) -> Share | None:
        """The share of faults that are hit, [F]; as `mean`."""
        cells = self.everything if cells is None else cells
        inside = self.faults_in(cells)
        if np.count_nonzero(inside) < min(LEAST_FAULTS, max(self.bits_in(cells), 1)):
            return None
        population = self._population(cells)
        sample = np.bincount(self.stratum[inside], minlength=len(population))
        hits = np.bincount(self.stratum[inside & hit], minlength=len(population))
        return estimate_share(hits, sample, population, self.confidence.of_interval)

    def _population(self, cells: NDArray[np.bool_]) -> NDArray[np.int64]:
        """[H] of these cells."""
        chosen = cells & (self.stratum_of >= 0)
        strata = int(max(self.stratum_of.max(initial=0), self.stratum.max(initial=0))) + 1
        return np.bincount(self.stratum_of[chosen], self.population[chosen], strata).astype(np.int64)
