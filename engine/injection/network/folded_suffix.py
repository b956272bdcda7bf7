"""A suffix with its layers folded: what the fast method runs, and what a bound follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import fx, nn

from engine.injection.kernels.tiles import max_of_tiles
from engine.injection.network.channels import is_reshape
from engine.injection.network.folded import Affine, find_norms
from engine.injection.network.in_place import InPlace, activate, activated, find_in_place, is_activation
from engine.injection.network.pooling import pair_of
from engine.injection.network.suffix import last_uses, with_sources_of_sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from torch import Tensor

    from engine.injection.network.folded import FoldedLayer
    from engine.injection.network.graph import Network
    from engine.injection.network.suffix import Suffix

OVERFLOW = 1e33
"""beyond, a sum of products may overflow or not, depending on how it is formed: transforms and norms scale between"""

PLAIN_OVERFLOW = 1.7e38
"""beyond, sums of products that are formed directly may overflow: half of float32's largest"""


@dataclass(frozen=True)
class TiledPool:
    """One pooling of side-by-side windows, and the activation that it alone reads, which is run after it.

    Both are increasing, so that the result is the same, and there is less to activate.
    """

    source: fx.Node
    """what is pooled"""
    tile: tuple[int, int]
    activation: fx.Node | None

    def __call__(self, network: Network, value_of: Callable[[fx.Node], Any]) -> Tensor:
        """The pooled and activated value [n, channels, height, width]."""
        pooled = max_of_tiles(value_of(self.source), self.tile)
        return pooled if self.activation is None else activate(self.activation, network, pooled)


def find_tiled(network: Network, nodes: Collection[fx.Node]) -> dict[fx.Node, TiledPool]:
    """The poolings among `nodes` that are run this way; the activations they take over need not be run."""
    found = {}
    for node in nodes:
        if node.target is not max_of_tiles:
            continue
        source, tile = node.args
        assert isinstance(source, fx.Node)
        assert isinstance(tile, tuple)
        size = pair_of(tile)
        if source in nodes and len(source.users) == 1 and is_activation(source, network):
            found[node] = TiledPool(source.all_input_nodes[0], size, source)
        else:
            found[node] = TiledPool(source, size, None)
    return found


@dataclass(frozen=True)
class FoldedSuffix:
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


def fold_suffix(suffix: Suffix, folded: dict[fx.Node, FoldedLayer], network: Network) -> FoldedSuffix:
    """Split the dense nodes of a suffix into updates, folded layers and the rest.

    Three kinds of nodes are no steps of their own: a layer's node whose batch norm has the result, an activation that a
    pooling takes over, and what is read in their place is what those read.

    Args:
        suffix: of the graph, nothing folded.
        folded: all layers of the network that can be folded, by result.
        network: the graph.
    """
    dense = set(suffix.dense)
    layers = {node: layer for node, layer in folded.items() if {node, layer.inner} <= dense}
    updates = {node: layer for node, layer in layers.items() if _is_update(layer, suffix)}
    tiled = find_tiled(network, suffix.packed) | find_tiled(network, suffix.dense)
    activated_later = {pool.activation: node for node, pool in tiled.items() if pool.activation}
    absorbed = {layer.inner for layer in layers.values()} | set(activated_later)
    steps = tuple(node for node in suffix.dense if node in layers or node not in absorbed)
    reads = {node: () if node in updates else _sources(node, layers, tiled) for node in steps}
    read = {parent for parents in reads.values() for parent in parents} | {network.output}
    sized = [activated(network, node) or node for node in layers if node not in updates]
    return FoldedSuffix(
        suffix=suffix,
        packed=tuple(node for node in suffix.packed if node not in activated_later),
        steps=steps,
        tiled=tiled,
        norms=find_norms(network, suffix.packed),
        updates=updates,
        layers={node: layer for node, layer in layers.items() if node not in updates},
        golden=frozenset(with_sources_of_sizes((read - dense) | set(updates), network)),
        last_use=last_uses(reads, network.output),
        in_place=find_in_place(network, steps, layers),
        measured=frozenset(activated_later.get(node, node) for node in sized),
        runs_of_channels=any(
            not layer.is_row_wise(suffix.frontier[layer.source]) and not layer.is_pair_wise
            for layer in updates.values()
        ),
        overflow=_overflow(network, suffix, layers, tiled),
    )


def _sources(
    node: fx.Node, layers: Mapping[fx.Node, FoldedLayer], tiled: Mapping[fx.Node, TiledPool]
) -> tuple[fx.Node, ...]:
    """What a step reads; an update reads golden results alone."""
    if node in layers:
        return (layers[node].source,)
    return (tiled[node].source,) if node in tiled else tuple(node.all_input_nodes)


def _overflow(
    network: Network, suffix: Suffix, layers: dict[fx.Node, FoldedLayer], tiled: dict[fx.Node, TiledPool]
) -> float:
    """The magnitude from which on a pair is left to `exact`, because whether it is finite depends on the order of sums.

    From the weights, where all that follows is direct layers, and what cuts off, picks or reshapes; low enough for any
    transform or norm otherwise.
    """
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
