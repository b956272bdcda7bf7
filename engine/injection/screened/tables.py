"""Tables for each layer and block: two small ones that bound every pair by one multiplication, and the slopes of leads.

A fault adds dw times a shift of input channel k to output channel o. To first order, the lead of the golden class over
another shrinks by at most |dw| * U[o, image] * X[k, image] of itself: docs/screening.md, (1). U is the norm of the
gradient of that lead where channels mix, over the lead; X is the norm of the input channel. The gradients themselves
are the slopes of the second stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

from engine.injection.bounds.margins import replayed
from engine.injection.screened.second_stage import Slopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, fx

    from engine.injection.network.golden import GoldenBlock
    from engine.injection.network.graph import Network
    from engine.injection.network.layers import Injectable
    from engine.injection.network.sizes import DeviceLimits
    from engine.injection.network.suffix import Suffix
    from engine.injection.screened.growth import Growth
    from engine.injection.workers import Workers

MOST_RIVALS = 16
"""classes, the nearest ones of each image, whose lead is followed"""


_REMOVAL = 3.0
"""by which a removal weighs more than a small change: taking all there is of a channel is less linear. Where it
weighed no more, and only what lowers the lead counted, 2 critical pairs of 33 million of LeNet-5 were screened"""

LARGEST = 1e38
"""that a product of a faulty weight may reach: near the end of float32, sums may be infinite or no number"""


@dataclass(frozen=True)
class Reach:
    """What a change after one layer has to pass: where channels mix, and what may have become of it until there."""

    suffix: Suffix
    growth: Growth
    direction: Tensor | None
    """[channels] see `direction_of`; None where a change downwards has no end"""


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
    removal: Removal | None
    """where a change downwards takes at most what is there"""
    slopes: Slopes | None
    """None where a channel is a single value: the rest of the network is soon run, and the change of one neuron is no
    sum over many places, in which what the first order leaves out averages"""

    @cached_property
    def largest(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Of all images, factor [channels] and X [input channels], on the host: one product bounds a whole fault."""
        return self.factor.amax(1).cpu().numpy(), self.inputs.amax(1).cpu().numpy()


@dataclass(frozen=True)
class Removal:
    """What a change downwards can take at most: all there is, however large the faulty weight."""

    share: Tensor
    """[channels, count] of a lead over theta, to first order, if all there is is taken, and all of it counts"""
    direction: NDArray[np.float32]
    """[channels] of a rise of the layer's output, where channels mix: 1, -1, or 0 where unknown"""
    magnitude: Tensor
    """[input channels, count] largest input; infinite where inputs are of both signs, and a change goes both ways"""
    most: Tensor
    """[channels] by which a value can grow on the way"""

    def cap(self, change: Tensor, channel: Tensor, source: Tensor, image: Tensor | None = None) -> Tensor:
        """The most that changes downwards can take, infinite where that is not known.

        Args:
            change: [n] |dw| of n faults, or of n pairs.
            channel: [n] the output channel of each.
            source: [n] the input channel of each.
            image: [n] the image of each pair; None: all images of each fault.

        Returns:
            [n] shares of a lead over theta; [n, count] where `image` is None.
        """
        place: tuple[Tensor, ...] = (source,) if image is None else (source, image)
        product = self.magnitude[place]
        scale = change * self.most[channel].clamp(min=1)
        product = product * (scale[:, None] if image is None else scale)
        share = self.share[(channel, *place[1:])]
        return torch.where(product < LARGEST, share, torch.inf)

    @cached_property
    def largest(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Of all images: share [channels], magnitude [input channels], and the growth [channels], on the host."""
        found = self.share.amax(1), self.magnitude.amax(1), self.most.clamp(min=1)
        share, magnitude, most = (values.cpu().numpy() for values in found)
        return share, magnitude, most


def screens_of(
    network: Network,
    reaches: Mapping[int, Reach],
    block: GoldenBlock,
    theta: Mapping[int, float],
    workers: Workers,
    limits: DeviceLimits,
) -> dict[int, LayerScreen]:
    """The tables of some layers, by layer index.

    Args:
        network: the graph.
        reaches: of those layers.
        block: its golden values.
        theta: by layer, the share of a lead that a change may take without being run.
        workers: who compute gradients.
        limits: of what a worker takes at once.
    """
    if not reaches:
        return {}

    slopes = {layer: _no_slopes(reach, block) for layer, reach in reaches.items()}

    def shares_of(rows: slice) -> dict[int, _Shares]:
        return _shares(network, reaches, block, rows, slopes)

    largest = max(_bytes_of_image(block.values[node]) for reach in reaches.values() for node in reach.growth.frontier)
    at_once = min(limits.gradient_rows, limits.value_bytes // largest, -(-block.count // workers.count))
    parts = list(workers.map(shares_of, _row_slices(block.count, max(1, at_once))))
    screens = {}
    for layer, reach in reaches.items():
        of_norm, of_removal = (
            torch.cat(of)[: block.count] for of in zip(*(part[layer] for part in parts), strict=True)
        )
        source = block.values[reach.suffix.layer.all_input_nodes[0]][: block.count]
        factor = torch.maximum(of_norm / theta[layer], _sizes(reach, block)).T.contiguous()
        module = network.layers[layer]
        removal = _removal(reach, of_removal / theta[layer], source)
        screens[layer] = LayerScreen(factor, _input_norms(module, source), removal, slopes[layer])
    return screens


def _bytes_of_image(value: Tensor) -> int:
    """What one image of a golden value [rows, ...] takes."""
    return value[0].numel() * value.element_size()


def _row_slices(count: int, at_once: int) -> Iterator[slice]:
    """All rows of a block, two at least together: of one image, a forward may leave out the dimension of the images."""
    starts = [start for start in range(0, count, at_once) if start == 0 or count - start > 1]
    return map(slice, starts, [*starts[1:], max(count, 2)])


class _Shares(NamedTuple):
    """The largest shares of a lead that changes in each channel of a layer take, [images, channels]."""

    norm: Tensor
    """U: of a change of norm 1"""
    removal: Tensor
    """of a change downwards that takes all there is, weighed"""


def rivals_of(classes: int) -> int:
    """How many classes' leads are followed."""
    return min(classes - 1, MOST_RIVALS)


def _no_slopes(reach: Reach, block: GoldenBlock) -> Slopes | None:
    """Room for the slopes of a layer, if it has a second stage."""
    rivals = rivals_of(block.logits.shape[1])
    shapes = {node: reach.suffix.frontier[node].apart(block.values[node][:1]).shape for node in reach.growth.frontier}
    if any(shape[2:].numel() == 1 for shape in shapes.values()):
        return None
    count = max(block.count, 2)  # as `_row_slices`
    is_ahead = ~_is_tied(block.logits[:count])
    largest = {node: _largest(block.values[node][:count]) * is_ahead for node in shapes}
    return Slopes.empty({node: (shape[1], rivals, shape[2:].numel()) for node, shape in shapes.items()}, largest)


def _shares(
    network: Network, reaches: Mapping[int, Reach], block: GoldenBlock, rows: slice, slopes: Mapping[int, Slopes | None]
) -> dict[int, _Shares]:
    """The shares of some images, by layer; the `slopes` of these images are filled in."""
    wanted = list({node for reach in reaches.values() for node in reach.growth.frontier})
    after = {reached for node in wanted for reached in network.downstream(node)}
    largest: dict[int, _Shares] = {}
    with torch.inference_mode(False), torch.enable_grad():
        values = replayed(network, set(wanted), after, block.values, rows)
        leaves = [values[node] for node in wanted]
        removable = {node: values[node].detach().clamp(min=0) for node in wanted}
        for rank, lead in enumerate(_leads(values[network.output])):
            found = torch.autograd.grad(-lead.sum(), leaves, retain_graph=True, materialize_grads=True)
            with torch.no_grad():
                gradients = dict(zip(wanted, found, strict=True))
                for layer, reach in reaches.items():
                    shares = _share(reach, gradients, removable, slopes[layer], rows, rank)
                    if layer in largest:
                        shares = _Shares(*map(torch.maximum, largest[layer], shares))
                    largest[layer] = shares
        tied = _is_tied(values[network.output].detach())[:, None]
    return {
        layer: _Shares(*(torch.where(tied, torch.inf, share) for share in shares)) for layer, shares in largest.items()
    }


def _leads(logits: Tensor) -> Iterator[Tensor]:
    """How much of its lead over each of the nearest rivals the golden class keeps, [images]: 1 without a fault."""
    count = rivals_of(logits.shape[1])
    order = logits.detach().topk(count + 1, dim=1).indices
    top = logits.gather(1, order[:, :1])
    for rank in range(1, count + 1):
        lead = (top - logits.gather(1, order[:, rank : rank + 1])).squeeze(1)
        margin = lead.detach()
        yield torch.where(margin > 0, lead / torch.where(margin > 0, margin, 1), 0)


def _is_tied(logits: Tensor) -> Tensor:
    """[images] where the golden class leads by nothing, so that any change may be enough."""
    best = logits.topk(2, dim=1).values
    return ~(best[:, 0] > best[:, 1])


def _share(
    reach: Reach,
    gradients: Mapping[fx.Node, Tensor],
    removable: Mapping[fx.Node, Tensor],
    slopes: Slopes | None,
    rows: slice,
    rank: int,
) -> _Shares:
    """What changes of the lead of some rank take, given how it falls: over all places where a channel is read."""
    norm: list[Tensor] = []
    removal: list[Tensor] = []
    for node, growth in reach.growth.frontier.items():
        gradient = reach.suffix.frontier[node].apart(gradients[node])
        of_channels = torch.linalg.vector_norm(gradient, dim=(2, 3))
        norm.append(growth * of_channels)
        if slopes is not None:
            slopes.put(node, rows, rank, gradient.flatten(2), of_channels)
        if reach.direction is not None:
            there = reach.suffix.frontier[node].apart(removable[node])
            removal.append(_REMOVAL * torch.linalg.vector_norm(gradient * there, ord=1, dim=(2, 3)))
    by_norm = sum(norm[1:], norm[0])
    return _Shares(by_norm, sum(removal[1:], removal[0]) if removal else torch.full_like(by_norm, torch.inf))


def _removal(reach: Reach, share: Tensor, source: Tensor) -> Removal | None:
    """`share` [count, channels] over theta; `source`: what the layer reads, [count, ...]."""
    if reach.direction is None or not reach.direction.any():
        return None
    apart = source.flatten(2) if source.ndim > 2 else source[:, :, None]
    highest = apart.amax(2)
    magnitude = torch.where(apart.amin(2) >= 0, highest, torch.inf).T.contiguous()
    return Removal(share.T.contiguous(), reach.direction.cpu().numpy(), magnitude, reach.growth.most)


def _sizes(reach: Reach, block: GoldenBlock) -> Tensor:
    """[count, channels] norm of a change relative to the image's largest value, where channels mix."""
    sizes = [
        growth / _largest(block.values[node][: block.count])[:, None] for node, growth in reach.growth.frontier.items()
    ]
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
