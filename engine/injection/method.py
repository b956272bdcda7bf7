"""What an injection method is: one way to run the faults of a network's layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from engine.injection.network.golden import golden_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, fx

    from engine.injection.batch_rows import BatchRows
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.network.sizes import Sizes
    from engine.injection.network.traced import TracedNetwork
    from engine.injection.outcomes import WeightFaults
    from engine.injection.recording import Recorder
    from engine.injection.workers import Workers
    from engine.steps import OnStep


FAILURES = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, NotImplementedError)
"""what running a part of a graph raises where something in it is not as it was taken to be"""


@dataclass(frozen=True)
class Plan:
    """How a traced network is run: its golden values to keep, its batch sizes, and who computes."""

    traced: TracedNetwork
    keep: frozenset[fx.Node]
    """nodes whose golden values a block keeps"""
    sizes: Sizes
    rows: BatchRows
    workers: Workers

    def load(self, images: Tensor) -> GoldenBlock:
        """The golden values of a block of images [n, C, H, W], padded to a usable batch size."""
        return self._golden(images, self.keep)

    def golden_logits(self, images: Tensor) -> Tensor:
        """The fault-free logits [n, classes] of images [n, C, H, W], to the bit those of `load`."""
        return self._golden(images, frozenset()).logits

    def _golden(self, images: Tensor, keep: frozenset[fx.Node]) -> GoldenBlock:
        rows = self.rows.fit(len(images))
        return golden_block(self.traced.network, images, rows, keep, self._rows_at_once(rows), self.workers)

    def _rows_at_once(self, rows: int) -> int:
        """Of a block's rows, those that one worker runs at once: its share, where batches of that size are usable."""
        network = self.traced.network
        counts_rows = any(node in network.batch_dependent and node not in network.shapes for node in self.keep)
        share = rows
        if not counts_rows and self.rows.interchangeable:
            while share > self.rows.floor and share * self.workers.count > rows:
                share //= 2
        return share


class Method(Protocol):
    """One way to run the faults of the layers of one network.

    `Injection` owns the network, its blocks, workers and groups of faults, and asks a method, in this order: for the
    golden values to keep, for the batch sizes that its own arithmetic needs, and to start; then, for each block, to
    add what it reads to the golden values; then to run faults. Only `run` has no default.
    """

    name: str
    """for a person"""
    is_bit_equal: bool = False
    """whether its logits are those of the plain loop in every bit, so that masked pairs are too"""
    runs_alone: bool = False
    """whether it changes the weights of the network itself, so that nothing may run beside it"""

    def left_to_the_next(self) -> Mapping[int, str]:
        """By index, the layers whose faults the next slower method runs, and why; known once it has started."""
        return {}

    def golden_copies(self) -> Mapping[fx.Node, int]:
        """The nodes whose golden values are read, and how many copies of each one a block holds."""
        return {}

    def probe(self, images: Tensor, rows: BatchRows) -> Iterator[BatchRows]:  # noqa: ARG002 - for methods that need it
        """The batch sizes at which this method's own arithmetic gives equal bits, given those of the network.

        Args:
            images: [n, C, H, W] on the device.
            rows: of the network's own operations.
        """
        return iter(())

    def start(self, plan: Plan, images: Tensor, on_step: OnStep) -> None:  # noqa: ARG002 - for methods that need it
        """Take over the plan, and measure on `images` [n, C, H, W] what is to be measured."""
        return

    @property
    def measured(self) -> Mapping[str, float]:
        """Name -> value of what was measured at the start and decides about results."""
        return {}

    def recall(self, measured: Mapping[str, float | str]) -> None:  # noqa: ARG002 - for methods that learn
        """Go on as it was when these were `measured` on this network, among things that are not this method's."""
        return

    def tighten(self, layer: int, bound: float) -> None:  # noqa: ARG002 - for methods that leave pairs out
        """Leave less out in a layer from now on: a pair was critical whose `bound` called it safe."""
        return

    def extend(self, block: GoldenBlock) -> GoldenBlock:
        """`block` with what this method reads beside the golden values."""
        return block

    def macs(self, layer: int) -> int:  # noqa: ARG002 - for methods that know it
        """Multiplications left for a pair after a fault in a layer, once channels mix; 0 where unknown."""
        return 0

    def run(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
        """Hand what the faults of a layer do to a block to `recorder`; pairs it never hears of are masked.

        Args:
            block: as `extend` gives it.
            layer: index of the injectable layer.
            faults: of that layer, each in one output channel; those without `changes` are left out.
            recorder: takes faults as rows of `faults`, and images as rows of the block.
        """
