"""Two small tables for each layer and block, from which every pair's bound is one multiplication.

A fault adds dw times a shift of input channel k to output channel o. To first order, the lead of the golden class over
another shrinks by at most |dw| * U[o, image] * X[k, image] of itself: docs/screening.md, (1). U is the norm of the
gradient of that lead where channels mix, over the lead; X is the norm of the input channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import nn

from engine.injection.bounds.margins import replayed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, fx

    from engine.injection.network.golden import GoldenBlock
    from engine.injection.network.graph import Network
    from engine.injection.network.layers import Injectable
    from engine.injection.network.suffix import Suffix

MOST_RIVALS = 16
"""classes, the nearest ones of each image, whose lead is followed"""


@dataclass(frozen=True)
class Reach:
    """What a change after one layer has to pass: where channels mix, and by how much it may have grown until there."""

    suffix: Suffix
    growth: Mapping[fx.Node, Tensor]
    """[channels] by frontier node, see `growth_of`"""


@dataclass(frozen=True)
class LayerScreen:
    """The tables of one layer for a block of images."""

    factor: Tensor
    """[channels, count] by which |dw| X is multiplied: a pair whose product is above 1 has to be run.

    U over theta, U being the largest share of a lead that a change of norm 1 after the layer takes, to first order. Or
    the norm of such a change where channels mix, relative to the image's largest value there, if that is more: a change
    as large as the values themselves is no small change, whatever the gradient says. It may wake up what is zero."""
    inputs: Tensor
    """[input channels, count] X"""

    @cached_property
    def largest(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of all images, factor [channels] and X [input channels], on the host: one product bounds a whole fault."""
        return self.factor.amax(1).cpu().numpy(), self.inputs.amax(1).cpu().numpy()


def screens_of(
    network: Network, reaches: Mapping[int, Reach], block: GoldenBlock, theta: Mapping[int, float], at_once: int
) -> dict[int, LayerScreen]:
    """The tables of some layers, by layer index.

    Args:
        network: the graph.
        reaches: of those layers.
        block: its golden values.
        theta: by layer, the share of a lead that a change may take without being run.
        at_once: images whose gradients are computed at once.
    """
    if not reaches:
        return {}
    parts = [
        _shares(network, reaches, block, slice(start, min(start + at_once, block.count)))
        for start in range(0, block.count, at_once)
    ]
    return {
        layer: LayerScreen(
            torch.maximum(
                torch.cat([part[layer] for part in parts]) / theta[layer], _sizes(reach, block)
            ).T.contiguous(),
            _input_norms(network.layers[layer], block.values[reach.suffix.layer.all_input_nodes[0]][: block.count]),
        )
        for layer, reach in reaches.items()
    }


def _shares(network: Network, reaches: Mapping[int, Reach], block: GoldenBlock, rows: slice) -> dict[int, Tensor]:
    """U of some images, [images, channels] by layer."""
    wanted = list({node for reach in reaches.values() for node in reach.growth})
    after = {reached for node in wanted for reached in network.downstream(node)}
    largest: dict[int, Tensor] = {}
    with torch.inference_mode(False), torch.enable_grad():
        values = replayed(network, set(wanted), after, block.values, rows)
        leaves = [values[node] for node in wanted]
        for lead in _leads(values[network.output]):
            found = torch.autograd.grad(lead.sum(), leaves, retain_graph=True, materialize_grads=True)
            with torch.no_grad():
                gradients = dict(zip(wanted, found, strict=True))
                for layer, reach in reaches.items():
                    share = _share(reach, gradients)
                    largest[layer] = torch.maximum(largest[layer], share) if layer in largest else share
        tied = _is_tied(values[network.output].detach())
    return {layer: torch.where(tied[:, None], torch.inf, share) for layer, share in largest.items()}


def _leads(logits: Tensor) -> Iterator[Tensor]:
    """How much of its lead over each of the nearest rivals the golden class keeps, [images]: 1 without a fault."""
    count = min(logits.shape[1], MOST_RIVALS + 1)
    order = logits.detach().topk(count, dim=1).indices
    top = logits.gather(1, order[:, :1])
    for rank in range(1, count):
        lead = (top - logits.gather(1, order[:, rank : rank + 1])).squeeze(1)
        margin = lead.detach()
        yield torch.where(margin > 0, lead / torch.where(margin > 0, margin, 1), 0)


def _is_tied(logits: Tensor) -> Tensor:
    """[images] where the golden class leads by nothing, so that any change may be enough."""
    best = logits.topk(min(2, logits.shape[1]), dim=1).values
    return ~(best[:, 0] > best[:, -1]) if logits.shape[1] > 1 else torch.zeros(len(logits), dtype=torch.bool)


def _share(reach: Reach, gradients: Mapping[fx.Node, Tensor]) -> Tensor:
    """[images, channels] the gradient's norm in each channel, over all places where it is read."""
    shares = [
        growth * torch.linalg.vector_norm(reach.suffix.frontier[node].apart(gradients[node]), dim=(2, 3))
        for node, growth in reach.growth.items()
    ]
    return torch.stack(shares).sum(0)


def _sizes(reach: Reach, block: GoldenBlock) -> Tensor:
    """[count, channels] norm of a change relative to the image's largest value, where channels mix."""
    sizes = [growth / _largest(block.values[node][: block.count])[:, None] for node, growth in reach.growth.items()]
    return torch.stack(sizes).amax(0)


def _largest(value: Tensor) -> Tensor:
    """[images] the largest magnitude of each image's value."""
    return value.flatten(1).abs().amax(1)


def _input_norms(module: Injectable, source: Tensor) -> Tensor:
    """[input channels, images] the norm of what each input channel of a layer reads."""
    if isinstance(module, nn.Linear):
        return source.abs().T.contiguous()
    norms: Tensor = torch.linalg.vector_norm(source, dim=(2, 3))
    return norms.T.contiguous()
