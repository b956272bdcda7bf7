"""The dense part of a suffix: every row of the batch is one (fault, image) pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor, fx

from engine.injection.network.golden import take_rows

if TYPE_CHECKING:
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.network.graph import Network
    from engine.injection.network.suffix import Suffix
    from engine.injection.pairs import Pairs


class DenseBatch:
    """Values of the dense nodes for one batch of pairs, made when asked for and dropped after their last use."""

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
