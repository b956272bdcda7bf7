"""The second stage of screening: what the exact change of a pair takes of each lead, to first order.

The bound of the first stage is a product of norms. Of the pairs above it, the first stage of `fast` gives the change
itself where channels mix; its dot product with the gradient of a lead says far more: docs/screening.md, (4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from torch import Tensor, fx

    from engine.injection.outcomes import WeightFaults
    from engine.injection.pairs import Pairs, PairSource
    from engine.injection.recording import Recorder

LARGEST_CHANGE = 1.0
"""norm of a change, relative to the image's largest value there, up to which its first order is believed"""

_REMAINDER = 0.3
"""weight of what the first order leaves out: with the change, the gradient changes by about its relative size"""


@dataclass(frozen=True)
class Slopes:
    """How the leads of a block's images fall with each value that a channel of one layer can change, by such value."""

    of_node: Mapping[fx.Node, Tensor]
    """[count, channels, rivals, width x rest] share of each lead that a change of 1 takes, to 8 bits"""
    norms: Mapping[fx.Node, Tensor]
    """[count, channels, rivals] Euclidean norms of the slopes of a channel"""
    largest: Mapping[fx.Node, Tensor]
    """[count] the largest magnitude of each image's value; 0 where the golden class leads by nothing"""

    @classmethod
    def empty(cls, shapes: Mapping[fx.Node, tuple[int, int, int]], largest: Mapping[fx.Node, Tensor]) -> Slopes:
        """Room for the slopes of a layer.

        Args:
            shapes: channels, rivals, and values of a channel (width x rest), of each node.
            largest: [count] of each node, see `largest`.
        """
        of_node, norms = {}, {}
        with torch.inference_mode(False):  # it is filled where gradients are computed
            for node, shape in shapes.items():
                count, device = len(largest[node]), largest[node].device
                of_node[node] = torch.empty(count, *shape, dtype=torch.bfloat16, device=device)
                norms[node] = torch.empty(count, *shape[:2], device=device)
        return cls(of_node, norms, largest)

    def put(self, node: fx.Node, rows: slice, rival: int, slope: Tensor, norm: Tensor) -> None:
        """Keep slopes of some images for a rival, [images, channels, values], and their norms [images, channels]."""
        self.of_node[node][rows, :, rival] = slope
        self.norms[node][rows, :, rival] = norm

    def shares(self, pairs: Pairs) -> Tensor:
        """What each pair's change takes of a lead at most, [pairs]: (4) in docs/screening.md.

        Infinite, or NaN, where the change is too large. `pairs` hold differences from golden, as `fast` makes them.
        """
        nothing = torch.zeros(1, device=pairs.image.device)
        taken, most, size = nothing, nothing, nothing
        for node, slope in self.of_node.items():
            changed = pairs.changed[node].flatten(1)
            row = pairs.image * slope.shape[1] + pairs.channel
            of_pair = slope.flatten(0, 1).index_select(0, row).to(changed.dtype)
            taken = taken + torch.bmm(of_pair, changed[:, :, None]).squeeze(2)
            norm = torch.linalg.vector_norm(changed, dim=1)
            most = most + self.norms[node].flatten(0, 1).index_select(0, row) * norm[:, None]
            largest = self.largest[node].index_select(0, pairs.image)
            size = torch.maximum(size, norm / largest)
            if pairs.met is not None:  # where rounding depends on the largest product of the faulty weight
                size = torch.maximum(size, pairs.met / largest)
        share = taken.amax(-1).clamp(min=0) + _REMAINDER * size * most.amax(-1)
        return torch.where(size <= LARGEST_CHANGE, share, torch.inf)


class SafePairs(NamedTuple):
    """Pairs that need no run."""

    fault: Tensor
    """[pairs] row of the fault"""
    image: Tensor
    """[pairs] row of the image in its block"""
    share: Tensor
    """[pairs] of a lead that the change takes, or may take"""

    def take(self, index: Tensor) -> SafePairs:
        """The pairs at `index`, bool [pairs] or int64 [n]."""
        return SafePairs(self.fault[index], self.image[index], self.share[index])

    @staticmethod
    def none(device: torch.device) -> SafePairs:
        """No pairs."""
        nothing = torch.zeros(0, dtype=torch.int64, device=device)
        return SafePairs(nothing, nothing, torch.zeros(0, device=device))

    @staticmethod
    def concat(*parts: SafePairs) -> SafePairs:
        """All of them, in order."""
        return SafePairs(*map(torch.cat, zip(*parts, strict=True)))


class SecondStage:
    """Pairs of another source, without those whose change takes too little of every lead."""

    def __init__(
        self,
        source: PairSource[WeightFaults],
        slopes: Slopes,
        theta: float,
        is_drawn: Callable[[Tensor, Tensor], Tensor],
    ) -> None:
        """Ready to run.

        Args:
            source: made of the first stage of `fast`.
            slopes: of the same layer and block.
            theta: the share of a lead that the change of a safe pair takes at most.
            is_drawn: which pairs, given by rows of faults and of images, are run although they are safe.
        """
        self._source = source
        self._slopes = slopes
        self._theta = theta
        self._is_drawn = is_drawn
        self.safe: list[SafePairs] = []
        """the safe pairs seen so far, also those that were run all the same"""

    def run(self, faults: WeightFaults, recorder: Recorder) -> Iterator[Pairs]:
        """The pairs that have to be run."""
        for pairs in self._source.run(faults, recorder):
            share = self._slopes.shares(pairs)
            is_safe = share <= self._theta
            self.safe.append(SafePairs(pairs.fault, pairs.image, share).take(is_safe))
            is_run = ~is_safe | self._is_drawn(pairs.fault, pairs.image)
            yield pairs.take(is_run.nonzero().squeeze(1))
