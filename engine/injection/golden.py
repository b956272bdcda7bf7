"""The fault-free values of one block of images, from which faulty ones are replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from torch import Tensor, fx, nn

    from engine.injection.graph import Network


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


@dataclass(frozen=True)
class FaultyLayer:
    """The layer whose faults are injected, and the block that they are injected into."""

    network: Network
    module: nn.Conv2d | nn.Linear
    block: GoldenBlock


def pad_rows(values: Tensor, rows: int) -> Tensor:
    """`values` [n, ...] with its first row repeated up to `rows`."""
    missing = rows - len(values)
    return values if missing <= 0 else torch.cat([values, values[:1].expand(missing, *values.shape[1:])])


def golden_block(network: Network, images: Tensor, rows: int, keep: AbstractSet[fx.Node]) -> GoldenBlock:
    """Run the fault-free network on `images` [n, C, H, W], padded to `rows`; `keep` are the nodes to keep."""
    padded = pad_rows(images, rows)
    values = network.run(padded, {*keep, network.output})
    return GoldenBlock(padded, len(images), values[network.output][: len(images)], values)
