"""The golden values of a block as the fast method reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine.injection.network.folded import in_order
from engine.injection.network.golden import GoldenBlock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from torch import fx

    from engine.injection.fast.channel_updates import ChannelUpdates
    from engine.injection.network.graph import Network


class RowsInOrder(dict["fx.Node", Any]):
    """Golden values in the memory order that is fastest, each made when it is first read: few layers read few."""

    def __init__(self, golden: Mapping[fx.Node, Any]) -> None:
        """`golden`: in any order."""
        super().__init__()
        self._golden = golden

    def __missing__(self, node: fx.Node) -> Any:
        """Two workers may make the same one: the last one is kept."""
        value = self[node] = in_order(self._golden[node])
        return value


@dataclass(frozen=True)
class FastBlock(GoldenBlock):
    """Golden values in the memory order that `fast` runs in, beside the ones that `exact` reads."""

    rows: Mapping[fx.Node, Any]
    largest: dict[fx.Node, Tensor]
    """largest magnitude of each image's value, [rows]"""
    top1: Tensor
    """[count] the golden class of each image"""
    top1_lead: Tensor
    """[count] by how much the golden class leads the second best"""
    largest_of_all: Tensor
    """[count] the largest magnitude of each image, of all values and logits"""
    slopes: dict[fx.Node, Tensor]
    """gradient of a mix of the logits at the values that bounded layers change, [rows, ...]"""
    faultless: dict[fx.Node, Tensor] = field(default_factory=dict)
    """by faulty layer: the logits that its steps give without a fault, [classes, count]; made when first needed"""
    updates: dict[int, ChannelUpdates] = field(default_factory=dict)
    """by faulty layer: its first stage; of the layers that workers are at"""

    @classmethod
    def of(
        cls, block: GoldenBlock, copies: AbstractSet[fx.Node], network: Network, slopes: dict[fx.Node, Tensor]
    ) -> FastBlock:
        """A block with copies of the golden values that `fast` reads.

        Args:
            block: the golden values.
            copies: the nodes whose values to copy.
            network: the graph.
            slopes: [rows, ...] of each value that has bounds, as `bounds.margins.slopes` gives them.
        """
        values = {node: block.values[node] for node in copies}
        largest = {
            node: value.abs().amax(tuple(range(1, value.ndim)))
            for node, value in values.items()
            if isinstance(value, Tensor) and value.is_floating_point() and value.ndim > 1
            if node in network.batch_dependent
        }
        most = torch.stack([block.logits.abs().amax(1), *(value[: block.count] for value in largest.values())]).amax(0)
        best = block.logits.topk(min(2, block.logits.shape[1]), 1).values
        lead, top1 = best[:, 0] - best[:, -1], block.logits.argmax(1)
        in_memory_order = RowsInOrder(values)
        return cls(
            block.images, block.count, block.logits, block.values, in_memory_order, largest, top1, lead, most, slopes,
            audit=block.audit,
        )  # fmt: skip

    def keep(self, layer: int, updates: ChannelUpdates) -> ChannelUpdates:
        """Keep the first stage of a layer, for the next group of its faults; let go of those before the last."""
        for other in [other for other in list(self.updates) if other < layer - 1]:
            self.updates.pop(other, None)
        self.updates[layer] = updates
        return updates
