"""Poolings of side-by-side windows in a graph, and the activations that they take over.

The fast method runs an activation before such a pooling after it, on what is left: both are increasing, so that the
result is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import fx

from engine.injection.kernels.tiles import max_of_tiles
from engine.injection.network.in_place import activate, is_activation
from engine.injection.network.pooling import pair_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from torch import Tensor

    from engine.injection.network.graph import Network


@dataclass(frozen=True)
class TiledPool:
    """One pooling, and the activation that it alone reads."""

    source: fx.Node
    """what is pooled"""
    tile: tuple[int, int]
    activation: fx.Node | None

    def __call__(self, network: Network, value_of: Callable[[fx.Node], Any]) -> Tensor:
        """The pooled and activated value."""
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
