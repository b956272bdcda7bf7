"""The dense part of a suffix as the fast method runs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx, nn

from engine.injection.exact.golden import GoldenBlock
from engine.injection.exact.pairs import Pairs
from engine.injection.fast.rounding import OVERFLOW, PLAIN_OVERFLOW
from engine.injection.kernels.tiles import TiledPool, find_tiled
from engine.injection.network.channels import is_reshape
from engine.injection.network.folded import Affine, find_norms
from engine.injection.network.in_place import InPlace, activated, find_in_place, is_activation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from engine.injection.batch_rows import BatchRows
    from engine.injection.fast.channel_updates import ThinRuns
    from engine.injection.network.folded import FoldedLayer
    from engine.injection.network.graph import Network
    from engine.injection.network.suffix import Suffix


@dataclass(frozen=True)
class FastSuffix:
    """A suffix with its layers folded."""

    suffix: Suffix
    packed: tuple[fx.Node, ...]
    """the packed nodes, without the activations that a pooling takes over"""
    steps: tuple[fx.Node, ...]
    """the dense nodes, without those and those folded into the next"""
    tiled: dict[fx.Node, TiledPool]
    """the poolings among both"""
    norms: dict[fx.Node, Affine]
    """the batch norms among the packed nodes"""
    updates: dict[fx.Node, FoldedLayer]
    """by result: layers that read nothing but one frontier value"""
    layers: dict[fx.Node, FoldedLayer]
    """by result: all other layers"""
    golden: frozenset[fx.Node]
    """golden values that any step reads"""
    last_use: dict[fx.Node, tuple[fx.Node, ...]]
    in_place: dict[fx.Node, InPlace]
    """steps that may overwrite what they read"""
    measured: frozenset[fx.Node]
    """steps whose result's magnitude is looked at"""
    runs_of_channels: bool
    """whether pairs have to be in ascending runs of one channel: an update is a product for each run"""
    overflow: float
    """magnitude beyond which a pair's results may be finite or not, depending on how they are computed"""


def fast_suffix(
    suffix: Suffix, folded: dict[fx.Node, FoldedLayer], network: Network, shapes: Mapping[fx.Node, torch.Size]
) -> FastSuffix:
    """Split the dense nodes of a suffix into updates, folded layers and the rest; `shapes` of every value."""
    dense = set(suffix.dense)
    usable = {node: layer for node, layer in folded.items() if {node, layer.inner} <= dense}
    updates = {node: layer for node, layer in usable.items() if _is_update(layer, suffix)}
    inner = {layer.inner for layer in usable.values()}
    tiled = find_tiled(network, suffix.packed) | find_tiled(network, suffix.dense)
    activated_later = {pool.activation: node for node, pool in tiled.items() if pool.activation}
    steps = tuple(
        node for node in suffix.dense if node in usable or (node not in inner and node not in activated_later)
    )
    reads = {
        node: ()
        if node in updates
        else (usable[node].source,)
        if node in usable
        else (tiled[node].source,)
        if node in tiled
        else tuple(node.all_input_nodes)
        for node in steps
    }
    last_in_place = [activated(network, node) or node for node in usable if node not in updates]
    last_reader = {parent: node for node in steps for parent in reads[node] if parent is not network.output}
    read = {parent for parents in reads.values() for parent in parents} | {network.output}
    return FastSuffix(
        suffix=suffix,
        packed=tuple(node for node in suffix.packed if node not in activated_later),
        steps=steps,
        tiled=tiled,
        norms=find_norms(network, suffix.packed),
        updates=updates,
        layers={node: layer for node, layer in usable.items() if node not in updates},
        golden=frozenset((read - dense) | set(updates)),
        last_use={node: tuple(parent for parent, last in last_reader.items() if last is node) for node in steps},
        in_place=find_in_place(network, steps, usable, shapes),
        measured=frozenset(activated_later.get(node, node) for node in last_in_place),
        runs_of_channels=any(not layer.is_row_wise(suffix.frontier[layer.source]) for layer in updates.values()),
        overflow=_overflow(network, suffix, usable, tiled),
    )


def _overflow(
    network: Network, suffix: Suffix, layers: dict[fx.Node, FoldedLayer], tiled: dict[fx.Node, TiledPool]
) -> float:
    """From the weights, where all that follows is direct layers, and what cuts off, picks or reshapes."""
    gains = [1.0]
    for node in (*suffix.packed, *suffix.dense):
        if node in layers and layers[node].is_direct and _is_update(layers[node], suffix):
            gains.append(layers[node].gain)  # what it adds is its input times this
        elif node in layers and layers[node].is_direct and layers[node].source not in suffix.frontier:
            gains.append(1 / max(1.0, layers[node].largest_gain))
        elif node not in tiled and not is_activation(node, network) and not is_reshape(node, network):
            return OVERFLOW
    return PLAIN_OVERFLOW * min(gains)


def _is_update(layer: FoldedLayer, suffix: Suffix) -> bool:
    channel_map = suffix.frontier.get(layer.source)
    if channel_map is None or channel_map.dim != 1:
        return False
    if isinstance(layer.module, nn.Linear):
        return layer.ndim == 2  # of more, the features are not the channels
    return layer.module.groups == 1 and channel_map.width == 1


@dataclass(frozen=True)
class FastBlock(GoldenBlock):
    """Golden values, images as rows of channels-last memory beside the ones that `exact` reads."""

    rows: dict[fx.Node, Any]
    largest: dict[fx.Node, Tensor]
    """largest magnitude of each image's value, [rows]"""
    top1: Tensor
    """[count] the golden class of each image"""
    lead: Tensor
    """[count] how far it leads, relative to the image's largest magnitude of all"""
    largest_of_all: Tensor
    """[count] that magnitude"""
    slopes: dict[fx.Node, Tensor]
    """gradient of a mix of the logits at the values that bounded layers change, [rows, ...]"""
    faultless: dict[fx.Node, Tensor] = field(default_factory=dict)
    """by faulty layer: the logits that its steps give without a fault, [classes, count]; made when first needed"""
    thin: dict[int, ThinRuns] = field(default_factory=dict)
    """by faulty layer: its first stage; of the layers that workers are at"""

    @classmethod
    def of(
        cls, block: GoldenBlock, copies: AbstractSet[fx.Node], network: Network, slopes: dict[fx.Node, Tensor]
    ) -> FastBlock:
        """A block with copies of the golden values that `fast` reads."""
        rows = {node: _channels_last(block.values[node]) for node in copies}
        largest = {
            node: value.abs().amax(tuple(range(1, value.ndim)))
            for node, value in rows.items()
            if isinstance(value, Tensor) and value.is_floating_point() and value.ndim > 1
            if node in network.batch_dependent
        }
        most = torch.stack([block.logits.abs().amax(1), *(value[: block.count] for value in largest.values())]).amax(0)
        best = block.logits.topk(min(2, block.logits.shape[1]), 1).values
        lead, top1 = (best[:, 0] - best[:, -1]) / most, block.logits.argmax(1)
        return cls(block.images, block.count, block.logits, block.values, rows, largest, top1, lead, most, slopes)

    def keep(self, layer: int, thin: ThinRuns) -> ThinRuns:
        """Keep the first stage of a layer, for the next group of its faults; let go of those before the last."""
        for other in [other for other in list(self.thin) if other < layer - 1]:
            self.thin.pop(other, None)
        self.thin[layer] = thin
        return thin


def _channels_last(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.ndim == 4:
        return value.contiguous(memory_format=torch.channels_last)
    return value


class FastBatches:
    """The dense part of one suffix on one block, for pairs whose `thin` is their difference from golden."""

    def __init__(self, network: Network, suffix: FastSuffix, block: FastBlock, rows: BatchRows) -> None:
        self._network = network
        self._rows_of_batch = rows
        self.suffix = suffix
        self.block = block

    def gather(self, parts: list[Pairs]) -> Pairs | None:
        """All pairs, in the order that `run` takes them in; None if there is none."""
        if not any(map(len, parts)):
            return None
        pairs = Pairs.concat(parts)
        return pairs.take(pairs.channel.argsort(stable=True)) if self.suffix.runs_of_channels else pairs

    def run(self, pairs: Pairs, size: int) -> tuple[Tensor, Tensor]:
        """Logits [classes, pairs], and for each pair a bound of the magnitudes it met after the updates, [pairs].

        Args:
            pairs: as `gather` gives them.
            size: how many to run at once.
        """
        parts = [self._run_batch(pairs.take(slice(start, start + size))) for start in range(0, len(pairs), size)]
        logits = torch.cat([logits for logits, _ in parts], dim=1)
        met = torch.cat([met for _, met in parts])
        return logits, torch.maximum(met, logits.abs().amax(0))

    def _run_batch(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Padded like an exact batch: other sizes round otherwise, and what has no effect would seem to have one."""
        count = len(pairs)
        logits, met = self._run_padded(pairs.padded(self._rows_of_batch.fit(count)))
        return logits[:, :count], met[:count]

    def _run_padded(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        values: dict[fx.Node, Any] = {}
        met = torch.zeros(len(pairs), device=pairs.image.device)
        value_of = partial(self._value_of, values, pairs)
        for node in self.suffix.steps:
            if node in self.suffix.updates:
                values[node] = self._updated(self.suffix.updates[node], pairs)
            elif node in self.suffix.layers:
                layer = self.suffix.layers[node]
                if node is self._network.output and layer.is_linear:
                    return layer.transposed(value_of(layer.source)), met
                values[node] = layer(value_of(layer.source))
            elif node in self.suffix.tiled:
                values[node] = self.suffix.tiled[node](self._network, value_of)
            elif node in self.suffix.in_place:
                values[node] = self.suffix.in_place[node](value_of)
            else:
                values[node] = self._network.evaluate(node, value_of)
            if node in self.suffix.measured:
                met = torch.maximum(met, self._size_of(node, values[node]))
            for parent in self.suffix.last_use[node]:
                values.pop(parent, None)
        return value_of(self._network.output).T.contiguous(), met

    def _value_of(self, values: dict[fx.Node, Any], pairs: Pairs, node: fx.Node) -> Any:
        """No closure: one that calls itself would keep the batch until garbage is collected."""
        if node not in values:
            values[node] = self._from_golden(node, pairs, partial(self._value_of, values, pairs))
        return values[node]

    def _size_of(self, node: fx.Node, value: Tensor) -> Tensor:
        """A bound of the largest magnitude of each row; an activation's result is nowhere negative."""
        sized = value.abs() if node in self.suffix.layers else value
        return sized.sum(tuple(range(1, value.ndim)))

    def faultless_logits(self, size: int) -> Tensor:
        """What these steps give for every image of the block without a fault, [classes, count]; `size` at once."""
        layer = self.suffix.suffix.layer
        if layer not in self.block.faultless:
            image = torch.arange(self.block.count, device=self.block.logits.device)
            nothing = torch.zeros_like(image)
            frontier = self.suffix.suffix.frontier.items()
            thin = {node: torch.zeros_like(where.apart(self.block.values[node])[:1, 0]) for node, where in frontier}
            thin = {node: value.expand(len(image), -1, -1) for node, value in thin.items()}
            pairs = Pairs(fault=nothing, image=image, channel=nothing, thin=thin)
            self.block.faultless[layer] = self.run(pairs, size)[0]
        return self.block.faultless[layer]

    def bound_of_updates(self, pairs: Pairs) -> Tensor:
        """A bound of the magnitudes that each pair meets where channels mix, [pairs]."""
        bound = torch.zeros(len(pairs), device=pairs.image.device)
        for node, layer in self.suffix.updates.items():
            largest = self.block.largest[node].index_select(0, pairs.image)
            delta = pairs.thin[layer.source].flatten(1).abs().sum(1)
            bound = torch.maximum(bound, torch.add(largest, delta, alpha=layer.gain))
        return bound

    def _updated(self, layer: FoldedLayer, pairs: Pairs) -> Tensor:
        channel_map = self.suffix.suffix.frontier[layer.source]
        delta = pairs.thin[layer.source]
        golden = self._rows(layer.result, pairs)
        if not layer.is_linear:
            delta = delta.view(len(pairs), 1, *self.block.values[layer.source].shape[2:])
        return layer.update(golden, delta, pairs.channel, channel_map)

    def _from_golden(self, node: fx.Node, pairs: Pairs, value_of: Callable[[fx.Node], Any]) -> Any:
        golden = self.block.rows[node]
        if node not in self._network.batch_dependent:
            return golden
        if not isinstance(golden, torch.Tensor):
            return self._network.evaluate(node, value_of)
        value = self._rows(node, pairs)
        if node in self.suffix.suffix.frontier:
            self.suffix.suffix.frontier[node].put(value, pairs.channel, pairs.thin[node], add=True)
        return value

    def _rows(self, node: fx.Node, pairs: Pairs) -> Tensor:
        """The golden value of each pair's image; channels stay last in memory."""
        golden: Tensor = self.block.rows[node]
        if golden.ndim != 4:
            return golden.index_select(0, pairs.image)
        return golden.permute(0, 2, 3, 1).index_select(0, pairs.image).permute(0, 3, 1, 2)
