"""Pairs that are non-critical for certain: what changed is too small to move another class to the top, and not nothing.

Most flips change a weight little. For such a pair the rest of the network need not be run: the largest change of any
difference of logits is bounded (see `change_bound`), and that there is a change at all is seen from the gradient of a
random mix of the logits. docs/engine.md has the inequalities, (4) and (5), and says which part is proved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from engine.injection.bounds.change_bound import class_pairs
from engine.injection.recording import Recorder

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from torch import Tensor, fx

    from engine.injection.network.channels import ChannelMap
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.network.graph import Network
    from engine.injection.workers import Workers

_VANISHES = 2.0**-28
"""relative to the largest magnitude: a smaller change of the logits may vanish in rounding. Measured on LeNet-5 and
ResNet-20: of the pairs just above it, `exact` calls less than one in a hundred masked"""

_LESS_THAN_MARGIN = 0.98
"""share of a golden margin that may be used up; the rest is for what the bounds themselves round"""


@dataclass(frozen=True)
class Margins:
    """By how much the golden class leads, for the images of a block."""

    top1: Tensor
    """[count] golden's class"""
    inverse: Tensor
    """[count, classes] 1 / what a class may gain on the golden class; 0 for that class itself, infinite for ties"""
    least_change: Tensor
    """[count] of a mix of the logits; what is smaller may be none"""

    @classmethod
    def of(cls, logits: Tensor, largest: Tensor, tau: float) -> Margins:
        """`logits` [count, classes], `largest` [count] magnitude of each image, `tau` the relative rounding error."""
        top1 = logits.argmax(1)
        margin = logits.gather(1, top1[:, None]) - logits
        usable = _LESS_THAN_MARGIN * margin - 2 * tau * largest[:, None]
        inverse = torch.where(usable > 0, 1 / usable, torch.inf).scatter(1, top1[:, None], 0)
        return cls(top1, inverse, _VANISHES * largest)

    def margin_consumed_by(self, coefficients: Tensor) -> Tensor:
        """The largest share of a margin that each value consumes per unit of change, [count, ...]: docs/engine.md, (5).

        Args:
            coefficients: [class pairs, ...] as `change_bound_of` gives them.
        """
        classes = self.inverse.shape[1]
        row = _rows_of_pairs(classes).to(self.top1.device)
        consumed = torch.zeros(len(self.top1), *coefficients.shape[1:], device=self.top1.device)
        for other in range(classes):
            share = self.inverse[:, other].view(-1, *[1] * (consumed.ndim - 1))
            of_class = coefficients.index_select(0, row[self.top1, other]).mul_(share)
            torch.maximum(consumed, of_class, out=consumed)
        return consumed


def _rows_of_pairs(classes: int) -> Tensor:
    """The row of each pair of classes in `class_pairs`, in either order, [classes, classes]; 0 on the diagonal."""
    first, second = class_pairs(classes).T
    row = torch.zeros(classes, classes, dtype=torch.int64)
    row[first, second] = row[second, first] = torch.arange(len(first))
    return row


@dataclass(frozen=True)
class LayerBounds:
    """What decides pairs of one faulty layer without a run, for some images of a block; by frontier node."""

    used: dict[fx.Node, Tensor]
    """[channels, width, rest, images] share of the smallest margin that each value uses per unit of change"""
    slope: dict[fx.Node, Tensor]
    """[channels, width, rest, images] change of a mix of the logits per unit of change of each value"""
    least_change: Tensor
    """[images] of a mix of the logits; what is smaller may be none"""

    def of_images(self, images: slice) -> LayerBounds:
        """The bounds for some of the images."""
        return LayerBounds(
            {node: value[..., images].contiguous() for node, value in self.used.items()},
            {node: value[..., images].contiguous() for node, value in self.slope.items()},
            self.least_change[images],
        )

    def decided(self, differences: Mapping[fx.Node, Tensor], channels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Which pairs are non-critical for certain, and the share of its margin each uses, both [n, packs, images].

        Args:
            differences: of each frontier node, [n, width, rest, packs, images]: of faults in n channels, in some packs.
            channels: [n] the faulty channels; None where they are all, in order.
        """
        used, change = torch.zeros(2, 1, device=self.least_change.device)
        for node, difference in differences.items():
            by_value, slope = self.used[node][..., None, :], self.slope[node][..., None, :]
            if channels is not None:
                by_value, slope = by_value.index_select(0, channels), slope.index_select(0, channels)
            used = used + _over_values(difference.abs().mul_(by_value))
            change = change + _over_values(difference * slope)
        return torch.logical_and(used < 1, change.abs_() > self.least_change), used


def _over_values(value: Tensor) -> Tensor:
    """The sum over a channel's values, [n, packs, images]."""
    return value[:, 0, 0] if value.shape[1] == value.shape[2] == 1 else value.sum((1, 2))


def slopes(
    network: Network, nodes: Collection[fx.Node], block: GoldenBlock, workers: Workers, at_once: int
) -> dict[fx.Node, Tensor]:
    """Gradient of a random mix of the logits at `nodes`, [rows, ...].

    Args:
        network: the graph.
        nodes: values that something after them mixes.
        block: has their golden values, and those of what else is read after them.
        workers: who compute them.
        at_once: images that a worker takes at once.
    """
    if not nodes:
        return {}
    after = {reached for node in nodes for reached in network.downstream(node)}
    rows = len(block.images)

    def slopes_of(some: slice) -> tuple[Tensor, ...]:
        with torch.inference_mode(False), torch.enable_grad():
            values = replayed(network, set(nodes), after, block.values, some)
            logits = values[network.output]
            generator = torch.Generator().manual_seed(0)
            mix = torch.randn(logits.shape[1], generator=generator).to(logits.device)
            wanted = [values[node] for node in nodes]
            return torch.autograd.grad((logits @ (mix / mix.abs().sum())).sum(), wanted, materialize_grads=True)

    some_rows = (slice(start, min(start + at_once, rows)) for start in range(0, rows, at_once))
    parts = list(workers.map(slopes_of, some_rows))
    return {node: torch.cat(of_node) for node, of_node in zip(nodes, zip(*parts, strict=True), strict=True)}


def replayed(
    network: Network, nodes: set[fx.Node], after: set[fx.Node], golden: Mapping[fx.Node, Any], rows: slice
) -> dict[fx.Node, Any]:
    """Values of `nodes` and of everything `after` them, with the graph that gradients need."""
    values: dict[fx.Node, Any] = {}

    def value_of(node: fx.Node) -> Any:
        if node not in values:
            value = golden[node]
            if node not in network.batch_dependent:
                values[node] = value
            elif isinstance(value, torch.Tensor):
                values[node] = value[rows].clone()
            else:  # a size: it counts these rows, not those of the block
                values[node] = network.evaluate(node, value_of)
        return values[node]

    for node in network.nodes:
        if node in nodes and not any(parent in after for parent in node.all_input_nodes):
            value_of(node).requires_grad_()
        elif node in after:
            values[node] = network.evaluate(node, value_of)
    return values


def bounds_of_layer(
    frontier: Mapping[fx.Node, ChannelMap],
    coefficients: Mapping[fx.Node, Tensor],
    slope: Mapping[fx.Node, Tensor],
    margins: Margins,
) -> LayerBounds:
    """The bounds of one layer for all images of a block; images last in memory.

    Args:
        frontier: where the layer's channels lie in each value that is mixed.
        coefficients: [class pairs, ...] of each of these values, as `change_bound_of` gives them.
        slope: [rows, ...] of each of these values, as `slopes` gives them.
        margins: of the block's `count` images.
    """
    count = len(margins.top1)

    def images_last(node: fx.Node, value: Tensor) -> Tensor:
        return frontier[node].apart(value[:count]).permute(1, 2, 3, 0).contiguous()

    return LayerBounds(
        {node: images_last(node, margins.margin_consumed_by(coefficients[node])) for node in frontier},
        {node: images_last(node, slope[node]) for node in frontier},
        margins.least_change,
    )


class BoundedCounter(Recorder):
    """Counts the pairs that bounds decide without a run."""

    def __init__(self) -> None:
        self.pairs = 0

    def record_bounded(self, faults: Tensor, images: slice, severity: Tensor, doubt: Tensor | None) -> None:  # noqa: ARG002 - as a Recorder
        """Count the pairs that bounds decide, which are not 0 in `severity` [faults, images]."""
        self.pairs += int(severity.count_nonzero())
