"""A network's graph and everything that is worked out from it once, before the first fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from engine.errors import reason_of
from engine.injection.batch_rows import BatchRows, common_rows, pad_rows, probe_batch_rows
from engine.injection.comparison import equal_values
from engine.injection.memory import is_out_of_memory
from engine.injection.network.graph import PROBED_IMAGES, Network
from engine.injection.network.layers import is_injectable
from engine.injection.network.suffix import Reached, Suffix, reach_layers
from engine.injection.network.tracing import UntraceableError
from engine.injection.network.weight_reads import WeightReads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

    from engine.injection.workers import Workers

LAYER_ROWS = 64
"""what each layer is probed with by itself; the whole network is probed at the largest size too"""


@dataclass(frozen=True)
class TracedNetwork:
    """The graph of one network on one device."""

    network: Network
    reached: Reached

    @property
    def suffixes(self) -> dict[int, Suffix]:
        """By layer index, of the layers that have one."""
        return self.reached.suffixes

    def probe(self, images: Tensor, workers: Workers) -> BatchRows:
        """Batch sizes for the whole network on `images` [n, C, H, W], and for each of its layers on random values.

        Logits alone would not do: where most activations are zero, a change of the order of summation hides.
        """

        network = self.network

        def probe(each: tuple[Callable[[Tensor], Tensor], Tensor]) -> BatchRows:
            with torch.inference_mode():
                return probe_batch_rows(*each)

        def probed() -> Iterator[tuple[Callable[[Tensor], Tensor], Tensor]]:
            yield lambda batch: network.run(batch, {network.output})[network.output], images
            yield from self._layers(images)

        return common_rows(workers.map(probe, probed()))

    def _layers(self, images: Tensor) -> Iterator[tuple[nn.Module, Tensor]]:
        """Each layer that reads one value with a row for each image, and random values [rows, ...] of that shape."""
        network, generator = self.network, torch.Generator().manual_seed(0)
        for node in network.nodes:
            module = network.module_of(node)
            if module is None or not is_injectable(module) or node.kwargs:
                continue
            if len(node.args) == 1 and node.args[0] in network.batch_dependent and node.args[0] in network.shapes:
                shape = network.shapes[node.all_input_nodes[0]][1:]
                rows = min(len(images), LAYER_ROWS)
                yield module, torch.randn(rows, *shape, generator=generator).to(images.device)


def trace(model: nn.Module, images: Tensor) -> TracedNetwork:
    """Trace `model` and check its graph on `images` [n, C, H, W].

    Raises:
        UntraceableError: if it has no graph, or one that gives other logits.
    """
    few = pad_rows(images[:PROBED_IMAGES], PROBED_IMAGES)
    network = Network(model)
    try:
        with WeightReads(model) as reads:
            network.find_shapes(few)
            logits = network.run(few, {network.output})[network.output]
    except UntraceableError:
        raise
    except Exception as error:  # a node may run the network's own code
        if is_out_of_memory(error):
            raise
        raise UntraceableError(f"its graph cannot be run ({reason_of(error)})") from None
    if reads.read:
        raise UntraceableError(
            "a function in it, such as a hook, has the network itself at hand and not what it is called with; let it "
            "use the module that it is called with, or a module of its own"
        )
    if not equal_values(logits, model(few.clone())):
        raise UntraceableError(
            "its graph does not give the network's own logits; write x = x + y where x += y changes what another name "
            "stands for, and let its forward depend on images and weights alone"
        )
    return TracedNetwork(network, reach_layers(network))
