"""The faults of a campaign as a sample: shares of all faults that could be drawn, and of some layers and bits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.estimate import Share, estimate_mean, estimate_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.analysis.estimate import Confidence
    from engine.report.material import Material

LEAST_FAULTS = 10
"""drawn from a group: of fewer, even if none is hit, a third of all might be, and nothing is told of them"""


@dataclass(frozen=True, eq=False)
class FaultSample:
    """F faults in cells of layer and bit, [L, B]."""

    layer: NDArray[np.int64]
    """[F] index of each fault's layer"""
    bit: NDArray[np.int64]
    """[F] of each fault"""
    stratum: NDArray[np.int64]
    """[F] place among the H strata"""
    images: int
    """of each fault"""
    population: NDArray[np.int64]
    """[L, B] different faults that could be drawn"""
    stratum_of: NDArray[np.int32]
    """[L, B] of which stratum these are; -1: they cannot be drawn"""
    confidence: Confidence
    is_list: bool = False
    """whether the faults were given: they stand for no others, and have no intervals"""
    missed_pairs: float = 0.0
    """critical pairs that screening may have missed at most, which every upper end has room for"""
    missed_faults: float = 0.0
    """critical faults that screening may have missed at most, which every upper end has room for"""

    @classmethod
    def of(cls, material: Material) -> FaultSample:
        """The sample of a campaign."""
        rates, summary, audit = material.rates, material.summary, material.results.audit
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
            is_list=material.is_list,
            missed_pairs=0.0 if audit is None else audit.pairs.missed_at_most,
            missed_faults=0.0 if audit is None else audit.faults.missed_at_most,
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
        """[F] whether each fault is in one of `cells` [L, B]."""
        inside: NDArray[np.bool_] = cells[self.layer, self.bit]
        return inside

    def bits_in(self, cells: NDArray[np.bool_]) -> int:
        """Faults of `cells` [L, B] that could be drawn, which of flips are as many as stored bits."""
        return int(self.population[cells].sum())

    def mean(self, counts: NDArray[np.int64], cells: NDArray[np.bool_] | None = None) -> Share | None:
        """The share of pairs for which something holds.

        Args:
            counts: [F] images of each fault for which it does.
            cells: [L, B] of the faults; None: all.

        Returns:
            None where too few faults were drawn there.
        """
        cells = self.everything if cells is None else cells
        inside = self.faults_in(cells)
        if self._is_too_few(inside, cells):
            return None
        if self.is_list:
            return Share.known(float(counts[inside].mean()) / self.images)
        population, strata = self._population(cells), self.stratum[inside]
        share = estimate_mean(counts[inside], self.images, strata, population, self.confidence.of_interval)
        return self._with_missed(share, self.missed_pairs / self.images, strata, population)

    def share(self, hit: NDArray[np.bool_], cells: NDArray[np.bool_] | None = None) -> Share | None:
        """The share of faults that are hit.

        Args:
            hit: [F] whether each is.
            cells: [L, B] of the faults; None: all.

        Returns:
            None where too few faults were drawn there.
        """
        cells = self.everything if cells is None else cells
        inside = self.faults_in(cells)
        if self._is_too_few(inside, cells):
            return None
        if self.is_list:
            return Share.known(float(hit[inside].mean()))
        population = self._population(cells)
        sample = np.bincount(self.stratum[inside], minlength=len(population))
        hits = np.bincount(self.stratum[inside & hit], minlength=len(population))
        share = estimate_share(hits, sample, population, self.confidence.of_interval)
        return self._with_missed(share, self.missed_faults, self.stratum[inside], population)

    def opened(self, share: Share) -> Share:
        """A share of all pairs that was worked out elsewhere, with room for what was missed; of a list without ends."""
        if self.is_list:
            return Share.known(share.value)
        return self._with_missed(
            share, self.missed_pairs / self.images, self.stratum, self._population(self.everything)
        )

    def _is_too_few(self, inside: NDArray[np.bool_], cells: NDArray[np.bool_]) -> bool:
        faults = int(np.count_nonzero(inside))
        return faults == 0 or faults < min(LEAST_FAULTS, self.bits_in(cells))

    def _with_missed(
        self, share: Share, faults: float, stratum: NDArray[np.int64], population: NDArray[np.int64]
    ) -> Share:
        """A share whose upper end has room for what was missed of so many whole faults, which may weigh the most."""
        if not faults:
            return share
        drawn = np.bincount(stratum, minlength=len(population))
        there = drawn > 0
        most = float((population[there] / drawn[there]).max())
        return replace(share, high=min(1.0, share.high + faults * most / float(population[there].sum())))

    def _population(self, cells: NDArray[np.bool_]) -> NDArray[np.int64]:
        """[H] different faults of `cells` [L, B] that could be drawn."""
        chosen = cells & (self.stratum_of >= 0)
        strata = int(max(self.stratum_of.max(initial=0), self.stratum.max(initial=0))) + 1
        return np.bincount(self.stratum_of[chosen], self.population[chosen], strata).astype(np.int64)
