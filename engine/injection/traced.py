"""A network's graph and everything that is worked out from it once, before the first fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from engine.injection.batch_rows import BatchRows, common_rows, probe_batch_rows
from engine.injection.golden import pad_rows
from engine.injection.graph import Network, UntraceableError
from engine.injection.layers import is_injectable
from engine.injection.suffix import Suffix, find_suffixes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, fx, nn


LAYER_ROWS = 64
"""what each layer is probed with by itself; the whole network is probed at the largest size too"""


@dataclass(frozen=True)
class TracedNetwork:
    """The graph of one network on one device."""

    network: Network
    suffixes: dict[int, Suffix]
    """by layer index; a fault in a layer without one runs the whole network"""
    shapes: dict[fx.Node, torch.Size]
    """of every tensor-valued node, for two images"""

    def probe(self, images: Tensor) -> BatchRows:
        """Batch sizes for the whole network on `images`, and for each of its layers on random values.

        Logits alone would not do: where most activations are zero, a change of the order of summation hides.
        """
        network, generator = self.network, torch.Generator().manual_seed(0)

        def probes() -> Iterator[BatchRows]:
            yield probe_batch_rows(lambda batch: network.run(batch, {network.output})[network.output], images)
            for node in network.nodes:
                if node.op == "call_module" and is_injectable(network.modules[str(node.target)]):
                    shape = self.shapes[node.all_input_nodes[0]][1:]
                    rows = min(len(images), LAYER_ROWS)
                    values = torch.randn(rows, *shape, generator=generator).to(images.device)
                    yield probe_batch_rows(network.modules[str(node.target)], values)

        return common_rows(probes())


def trace(model: nn.Module, images: Tensor) -> TracedNetwork:
    """Trace `model` and check its graph on `images` [n, C, H, W].

    Raises:
        UntraceableError: if it has no graph, or one that gives other logits.
    """
    two = pad_rows(images[:2], 2)
    network = Network(model)
    shapes = network.shapes(two)
    if not torch.equal(network.run(two, {network.output})[network.output], model(two)):
        raise UntraceableError("its graph does not give the network's own logits")
    return TracedNetwork(network, find_suffixes(network, shapes), shapes)
