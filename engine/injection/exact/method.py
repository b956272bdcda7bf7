"""The `exact` method: logits equal, to the bit, to flipping the bit in place and running the whole network.

Only what lies after the faulty layer is run again, from golden values kept per block, and in two stages. Until channels
mix, faults in different output channels share one run of the real operations (see `packs`), and pairs in which nothing
differs from golden any more are masked and dropped. The pairs that are left, of many faults, are gathered into large
batches for the rest of the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from torch import Tensor, fx

from engine.injection.exact.packed_runs import PackedRuns
from engine.injection.method import Method
from engine.injection.network.golden import LayerContext, take_rows
from engine.injection.pairs import Pairs, PairSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.injection.batch_rows import BatchRows
    from engine.injection.method import Plan
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.network.graph import Network
    from engine.injection.network.suffix import Suffix
    from engine.injection.network.traced import TracedNetwork
    from engine.injection.outcomes import WeightFaults
    from engine.injection.recording import Recorder
    from engine.steps import OnStep

Faults = TypeVar("Faults")


def exact_methods(traced: TracedNetwork) -> Sequence[Method]:
    """The method `exact` for one network."""
    return (ExactMethod(traced),)


class ExactMethod(Method):
    """Runs what lies after the faulty layer, with the network's own operations at the shapes of the plain loop."""

    name = "exact"
    is_bit_equal = True

    def __init__(self, traced: TracedNetwork) -> None:
        self._traced = traced
        self._plan: Plan

    def golden_copies(self) -> Mapping[fx.Node, int]:
        """What the suffixes read, once."""
        return {node: 1 for suffix in self._traced.suffixes.values() for node in suffix.golden}

    def start(self, plan: Plan, images: Tensor, on_step: OnStep) -> None:  # noqa: ARG002 - as a Method
        """Take over the plan; nothing is measured on `images` [n, C, H, W]."""
        self._plan = plan

    def macs(self, layer: int) -> int:
        """Multiplications of the dense nodes."""
        suffix = self._traced.suffixes.get(layer)
        return suffix.macs if suffix else 0

    def run(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
        """Record the logits of every pair that differs from golden where channels mix."""
        self.run_source(self.packed_runs(block, layer), block, layer, faults, recorder)

    def packed_runs(self, block: GoldenBlock, layer: int) -> PackedRuns:
        """The first stage for faults in the weights of a layer."""
        network = self._traced.network
        context = LayerContext(network, network.layers[layer], block)
        return PackedRuns(context, self._traced.suffixes[layer], whole_blocks=not self._plan.rows.interchangeable)

    def run_source(
        self, source: PairSource[Faults], block: GoldenBlock, layer: int, faults: Faults, recorder: Recorder
    ) -> None:
        """Run the pairs that any source yields through the rest of the network, and record their logits.

        Args:
            source: of pairs whose changed values replace golden ones after `layer`.
            block: what the pairs' images are rows of.
            layer: index of the injectable layer after which values have changed.
            faults: what the source takes.
            recorder: gets the logits of each pair.
        """
        runner = self.runner(block, layer, recorder)
        for pairs in source.run(faults, recorder):
            runner.add(pairs)
        runner.finish()

    def runner(self, block: GoldenBlock, layer: int, recorder: Recorder) -> ExactRunner:
        """The second stage after a layer: takes pairs as they come."""
        rows = self._plan.rows
        batch = max(self._plan.sizes.dense[layer], rows.floor)
        return ExactRunner(self._traced.network, self._traced.suffixes[layer], rows, batch, block, recorder)


class ExactRunner:
    """Runs waiting pairs through the rest of the network, in batches of usable sizes."""

    def __init__(
        self, network: Network, suffix: Suffix, rows: BatchRows, batch: int, block: GoldenBlock, recorder: Recorder
    ) -> None:
        self._network = network
        self._suffix = suffix
        self._rows = rows
        self._batch = batch if rows.interchangeable else len(block.images)
        self._block = block
        self._recorder = recorder
        self._waiting: list[Pairs] = []

    def add(self, pairs: Pairs) -> None:
        """Run as many full batches as there are."""
        self._waiting.append(pairs)
        if sum(map(len, self._waiting)) >= self._batch:
            waiting = Pairs.concat(self._waiting)
            full = len(waiting) - len(waiting) % self._batch
            for start in range(0, full, self._batch):
                self._run(waiting.take(slice(start, start + self._batch)))
            self._waiting = [waiting.take(slice(full, None))]

    def finish(self) -> None:
        """Run what is left."""
        if sum(map(len, self._waiting)):
            self._run(Pairs.concat(self._waiting))
        self._waiting = []

    def _run(self, pairs: Pairs) -> None:
        count = len(pairs)
        padded = pairs.padded(self._rows.fit(count))
        logits = DenseBatch(self._network, self._block, self._suffix, padded).logits()[:count]
        if not self._rows.interchangeable:
            real = pairs.image < self._block.count
            pairs, logits = pairs.take(real.nonzero().squeeze(1)), logits[real]
        self._recorder.record(pairs.fault, pairs.image, logits)


class DenseBatch:
    """Values of the dense nodes for one batch, of whose rows each is a pair: made when asked for, dropped after use."""

    def __init__(self, network: Network, block: GoldenBlock, suffix: Suffix, pairs: Pairs) -> None:
        self._network = network
        self._block = block
        self._suffix = suffix
        self._pairs = pairs
        self._values: dict[fx.Node, Any] = {}

    def logits(self) -> Tensor:
        """Faulty logits [pairs, classes]."""
        for node in self._suffix.dense:
            self._values[node] = self._network.evaluate(node, self._value_of)
            for parent in self._suffix.last_use[node]:
                self._values.pop(parent, None)
        logits: Tensor = self._value_of(self._network.output)
        return logits

    def _value_of(self, node: fx.Node) -> Any:
        if node not in self._values:
            self._values[node] = self._from_golden(node)
        return self._values[node]

    def _from_golden(self, node: fx.Node) -> Any:
        golden = self._block.values[node]
        if node not in self._network.batch_dependent:
            return golden
        if not isinstance(golden, Tensor):  # a size: it counts the rows of this batch, not of the block
            return self._network.evaluate(node, self._value_of)
        value = take_rows(golden, self._pairs.image)
        if node in self._suffix.frontier:
            self._suffix.frontier[node].put(value, self._pairs.channel, self._pairs.changed[node])
        return value
