"""The dense part of a suffix as the fast method runs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx, nn

from engine.injection.golden import GoldenBlock
from engine.injection.pairs import Pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.injection.batch_rows import BatchRows
    from engine.injection.channels import ChannelMap
    from engine.injection.folded import FoldedLayer
    from engine.injection.graph import Network
    from engine.injection.suffix import Suffix


@dataclass(frozen=True)
class FastSuffix:
    """A suffix with its layers folded."""

    suffix: Suffix
    steps: tuple[fx.Node, ...]
    """the dense nodes, without those folded into the next"""
    updates: dict[fx.Node, FoldedLayer]
    """by result: layers that read nothing but one frontier value"""
    layers: dict[fx.Node, FoldedLayer]
    """by result: all other layers"""
    golden: frozenset[fx.Node]
    """golden values that any step reads"""
    last_use: dict[fx.Node, tuple[fx.Node, ...]]


def fast_suffix(suffix: Suffix, folded: dict[fx.Node, FoldedLayer], network: Network) -> FastSuffix:
    """Split the dense nodes of a suffix into updates, folded layers and the rest."""
    dense = set(suffix.dense)
    usable = {node: layer for node, layer in folded.items() if {node, layer.inner} <= dense}
    updates = {node: layer for node, layer in usable.items() if _is_update(layer, suffix)}
    inner = {layer.inner for layer in usable.values()}
    steps = tuple(node for node in suffix.dense if node in usable or node not in inner)
    reads = {
        node: () if node in updates else (usable[node].source,) if node in usable else tuple(node.all_input_nodes)
        for node in steps
    }
    last_reader = {parent: node for node in steps for parent in reads[node] if parent is not network.output}
    read = {parent for parents in reads.values() for parent in parents} | {network.output}
    return FastSuffix(
        suffix=suffix,
        steps=steps,
        updates=updates,
        layers={node: layer for node, layer in usable.items() if node not in updates},
        golden=frozenset((read - dense) | set(updates)),
        last_use={node: tuple(parent for parent, last in last_reader.items() if last is node) for node in steps},
    )


def _is_update(layer: FoldedLayer, suffix: Suffix) -> bool:
    channel_map = suffix.frontier.get(layer.source)
    if channel_map is None or channel_map.dim != 1:
        return False
    if isinstance(layer.module, nn.Linear):
        return True
    return layer.module.groups == 1 and channel_map.width == 1


@dataclass(frozen=True)
class FastBlock(GoldenBlock):
    """Golden values, images as rows of channels-last memory beside the ones that `exact` reads."""

    rows: dict[fx.Node, Any]
    largest: dict[fx.Node, Tensor]
    """largest magnitude of each image's value, [rows]"""
    faultless: dict[fx.Node, Tensor] = field(default_factory=dict)
    """by faulty layer: the logits that its steps give without a fault, [count, classes]; made when first needed"""

    @classmethod
    def of(cls, block: GoldenBlock, copies: set[fx.Node]) -> FastBlock:
        """A block with copies of the golden values that `fast` reads."""
        rows = {node: _channels_last(block.values[node]) for node in copies}
        largest = {node: _largest(value) for node, value in rows.items() if isinstance(value, Tensor)}
        return cls(block.images, block.count, block.logits, block.values, rows, largest)


def _channels_last(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.ndim == 4:
        return value.contiguous(memory_format=torch.channels_last)
    return value


class FastBatches:
    """The dense part of one suffix on one block."""

    def __init__(self, network: Network, suffix: FastSuffix, block: FastBlock, rows: BatchRows) -> None:
        self._network = network
        self._rows_of_batch = rows
        self._suffix = suffix
        self.block = block

    def run(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Logits [pairs, classes], and the largest magnitude each pair met on the way, [pairs].

        Padded like an exact batch: other sizes round otherwise, and what has no effect would seem to have one.

        Args:
            pairs: in ascending runs of one channel.
        """
        count = len(pairs)
        logits, magnitude = self._run_padded(pairs.padded(self._rows_of_batch.fit(count)))
        return logits[:count], magnitude[:count]

    def _run_padded(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        values: dict[fx.Node, Any] = {}
        magnitude = torch.zeros(len(pairs), device=pairs.image.device)

        def value_of(node: fx.Node) -> Any:
            if node not in values:
                values[node] = self._from_golden(node, pairs, value_of)
            return values[node]

        for node in self._suffix.steps:
            if node in self._suffix.updates:
                values[node], bound = self._updated(self._suffix.updates[node], pairs)
                magnitude = torch.maximum(magnitude, bound)
            elif node in self._suffix.layers:
                values[node] = self._suffix.layers[node](value_of(self._suffix.layers[node].source))
                magnitude = torch.maximum(magnitude, _largest(values[node]))
            else:
                values[node] = self._network.evaluate(node, value_of)
            for parent in self._suffix.last_use[node]:
                values.pop(parent, None)
        logits = value_of(self._network.output)
        return logits, torch.maximum(magnitude, _largest(logits))

    def faultless_logits(self, size: int) -> Tensor:
        """What these steps give for every image of the block without a fault, [count, classes]; `size` at once."""
        layer = self._suffix.suffix.layer
        if layer not in self.block.faultless:
            starts = range(0, self.block.count, size)
            self.block.faultless[layer] = torch.cat([self._run_faultless(start, size) for start in starts])
        return self.block.faultless[layer]

    def _run_faultless(self, start: int, size: int) -> Tensor:
        image = torch.arange(start, min(start + size, self.block.count), device=self.block.logits.device)
        nothing = torch.zeros_like(image)
        maps = self._suffix.suffix.frontier.items()
        thin = {node: where.apart(self.block.values[node])[image, 0] for node, where in maps}
        return self.run(Pairs(fault=nothing, image=image, channel=nothing, thin=thin))[0]

    def _updated(self, layer: FoldedLayer, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """The layer's result, and a bound of its magnitude for each pair."""
        channel_map = self._suffix.suffix.frontier[layer.source]
        source = self.block.values[layer.source]
        images, channels = channel_map.apart(source).shape[:2]
        place = pairs.image * channels + pairs.channel
        golden = channel_map.apart(source).reshape(images * channels, channel_map.width, -1).index_select(0, place)
        delta = pairs.thin[layer.source] - golden
        largest = self.block.largest[layer.result].index_select(0, pairs.image)
        bound = largest + delta.abs().amax((1, 2)) * self._gain(layer, pairs, channel_map)
        if source.ndim == 4:
            delta = delta.view(len(pairs), 1, *source.shape[2:])
        return layer.update(self._rows(layer.result, pairs), delta, pairs.channel, channel_map), bound

    @staticmethod
    def _gain(layer: FoldedLayer, pairs: Pairs, channel_map: ChannelMap) -> Tensor:
        gains = layer.gain.narrow(0, channel_map.offset, channel_map.channels * channel_map.width)
        return gains.view(-1, channel_map.width).sum(1).index_select(0, pairs.channel)

    def _from_golden(self, node: fx.Node, pairs: Pairs, value_of: Callable[[fx.Node], Any]) -> Any:
        golden = self.block.rows[node]
        if node not in self._network.batch_dependent:
            return golden
        if not isinstance(golden, torch.Tensor):
            return self._network.evaluate(node, value_of)
        value = self._rows(node, pairs)
        if node in self._suffix.suffix.frontier:
            self._suffix.suffix.frontier[node].put(value, pairs.channel, pairs.thin[node])
        return value

    def _rows(self, node: fx.Node, pairs: Pairs) -> Tensor:
        """The golden value of each pair's image; channels stay last in memory."""
        golden: Tensor = self.block.rows[node]
        if golden.ndim != 4:
            return golden.index_select(0, pairs.image)
        return golden.permute(0, 2, 3, 1).index_select(0, pairs.image).permute(0, 3, 1, 2)


def _largest(value: Tensor) -> Tensor:
    """Largest magnitude of each row; NaN where a row has one."""
    return value.abs().amax(tuple(range(1, value.ndim)))
