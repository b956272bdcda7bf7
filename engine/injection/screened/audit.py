"""Which screened pairs and faults of a campaign are run all the same, drawn before anything is known of them.

Every pair is as likely to be drawn as any other, so that those of the drawn ones which are screened are a sample of all
that are. What is drawn depends on the seed, the layer and its theta alone: neither on blocks nor on the order of work,
and a layer whose theta has fallen is drawn for anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class DrawnPairs:
    """What is drawn of some faults (rows) and a block of images (columns)."""

    fault: NDArray[np.int64]
    """[pairs] row of each pair that was drawn by itself"""
    image: NDArray[np.int64]
    """[pairs] column of each"""
    whole: NDArray[np.bool_]
    """[faults] whether all screened pairs of a fault are run"""


@dataclass(frozen=True)
class _LayerDraw:
    """What is drawn of one layer at one theta."""

    pairs: NDArray[np.int64]
    """place of the fault within the layer times the workload's images, plus the image's rank; ascending"""
    faults: NDArray[np.int64]
    """places within the layer, ascending"""


@dataclass(frozen=True)
class AuditPlan:
    """The draws of one campaign.

    >>> plan = AuditPlan(np.array([0, 0, 1, 1]), images=1000, pairs=100, faults=1, seed=0)
    >>> len(plan.of_ranks(0, 1000).drawn(1, 0.3, np.array([2, 3])).fault)
    50
    """

    layer: NDArray[np.int32]
    """[faults] layer of each fault, by its place in the fault list"""
    images: int
    """of the workload"""
    pairs: int
    """that are drawn by themselves, of all"""
    faults: int
    """of which all screened pairs are run"""
    seed: int
    places: NDArray[np.int64] | None = None
    """[faults that are run] their places in the fault list, by which they are asked for; None: all of it"""
    _draws: dict[tuple[int, float], _LayerDraw] = field(default_factory=dict, repr=False)

    def of_ranks(self, start: int, stop: int) -> BlockAudit:
        """What is drawn of the images of these ranks."""
        return BlockAudit(self, start, stop)

    def members(self, layer: int) -> NDArray[np.int64]:
        """The n faults of a layer, by their places in the fault list, [n] ascending."""
        first, stop = self._bounds[layer : layer + 2]
        return self._by_layer[first:stop]

    def of_layer(self, layer: int, theta: float) -> _LayerDraw:
        """What is drawn of a layer as long as its theta is this one."""
        if (layer, theta) not in self._draws:
            self._draws[layer, theta] = self._draw(layer, theta)
        return self._draws[layer, theta]

    def _draw(self, layer: int, theta: float) -> _LayerDraw:
        bits = int(np.float64(theta).view(np.uint64))
        generator = np.random.default_rng((self.seed, layer, bits))
        faults = len(self.members(layer))
        expected = self.pairs * faults / len(self.layer)
        pairs = int(expected + generator.random())  # as many in the long run
        return _LayerDraw(
            np.sort(generator.choice(faults * self.images, pairs, replace=False)),
            np.sort(generator.choice(faults, self._faults_per_layer[layer], replace=False)),
        )

    @cached_property
    def _by_layer(self) -> NDArray[np.int64]:
        return np.argsort(self.layer, kind="stable")

    @cached_property
    def _bounds(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(np.bincount(self.layer))])

    @cached_property
    def _faults_per_layer(self) -> NDArray[np.int64]:
        """As a draw from all faults would spread over the layers."""
        spread = np.random.default_rng(self.seed).permutation(self.layer)[: self.faults]
        return np.bincount(spread, minlength=len(self._bounds) - 1)


@dataclass(frozen=True)
class BlockAudit:
    """What is drawn of the images of some ranks."""

    plan: AuditPlan
    rank_start: int
    rank_stop: int

    def drawn(self, layer: int, theta: float, positions: NDArray[np.int64]) -> DrawnPairs:
        """What is drawn of faults of a layer; `positions` [faults] are their places in the fault list, in any order."""
        drawn = self.plan.of_layer(layer, theta)
        listed = positions if self.plan.places is None else self.plan.places[positions]
        place = np.searchsorted(self.plan.members(layer), listed)
        first_pair = place * self.plan.images + self.rank_start
        first = np.searchsorted(drawn.pairs, first_pair)
        count = np.searchsorted(drawn.pairs, first_pair + (self.rank_stop - self.rank_start)) - first
        fault = np.repeat(np.arange(len(positions)), count)
        nth = np.arange(len(fault)) - np.repeat(np.cumsum(count) - count, count)
        image = drawn.pairs[first[fault] + nth] - first_pair[fault]
        return DrawnPairs(fault, image, np.isin(place, drawn.faults))
