"""The fault-free values of one block of images, from which faulty ones are replayed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from engine.injection.batch_rows import pad_rows

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from torch import Tensor, fx

    from engine.injection.network.graph import Network
    from engine.injection.network.layers import Injectable
    from engine.injection.screened.audit import BlockAudit
    from engine.injection.workers import Workers


@dataclass(frozen=True)
class GoldenBlock:
    """Golden values of a block; padded to a usable batch size by repeating its first image."""

    images: Tensor
    """[rows, C, H, W], padding included"""
    count: int
    """images without the padding"""
    logits: Tensor
    """[count, classes]"""
    values: dict[fx.Node, Any]
    """of every node that a suffix reads, over all rows"""
    audit: BlockAudit | None = field(default=None, kw_only=True)
    """what of these images is run although it need not be; None: nothing"""


@dataclass(frozen=True)
class LayerContext:
    """The layer whose faults are injected, and the block that they are injected into."""

    network: Network
    module: Injectable
    block: GoldenBlock


def take_rows(value: Tensor, rows: Tensor) -> Tensor:
    """Some rows [n, ...] of `value`, lying in memory in the order in which `value` does: another one rounds otherwise.

    Args:
        value: [images, ...].
        rows: [n] which, each as often as it is named.
    """
    order = sorted(range(value.ndim), key=value.stride, reverse=True)
    if order == list(range(value.ndim)):
        return value.index_select(0, rows)
    places = sorted(range(value.ndim), key=order.__getitem__)
    return value.permute(order).index_select(places[0], rows).permute(places)


def golden_block(
    network: Network, images: Tensor, rows: int, keep: AbstractSet[fx.Node], at_once: int, workers: Workers
) -> GoldenBlock:
    """Run the fault-free network on a block of images.

    Args:
        network: the graph.
        images: [n, C, H, W].
        rows: what the block is padded to.
        keep: the nodes whose values to keep.
        at_once: rows that one worker runs at once; a divisor of `rows`.
        workers: who run them.
    """
    padded = pad_rows(images, rows)
    kept = {*keep, network.output}

    def run(part: Tensor) -> dict[fx.Node, Any]:
        with torch.inference_mode():
            return network.run(part, kept)

    parts = list(workers.map(run, torch.split(padded, at_once))) if at_once < rows else [run(padded)]
    values = {node: _joined(network, node, [part[node] for part in parts]) for node in kept}
    return GoldenBlock(padded, len(images), values[network.output][: len(images)], values)


def _joined(network: Network, node: fx.Node, parts: list[Any]) -> Any:
    """What the parts of a block give for a node: rows of images, unless it depends on none."""
    return torch.cat(parts) if len(parts) > 1 and node in network.batch_dependent else parts[0]
