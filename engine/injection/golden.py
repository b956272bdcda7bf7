"""The fault-free values of one block of images, from which faulty ones are replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor, fx

    from engine.injection.traced import TracedNetwork


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


def pad_rows(values: Tensor, rows: int) -> Tensor:
    """`values` [n, ...] with its first row repeated up to `rows`."""
    missing = rows - len(values)
    return values if missing <= 0 else torch.cat([values, values[:1].expand(missing, *values.shape[1:])])


def golden_block(model: torch.nn.Module, traced: TracedNetwork | None, images: Tensor, rows: int) -> GoldenBlock:
    """Run the fault-free network on `images` [n, C, H, W], padded to `rows`."""
    padded = pad_rows(images, rows)
    if traced is None:
        return GoldenBlock(padded, len(images), model(padded)[: len(images)], {})
    output = traced.network.output
    values = traced.network.run(padded, {*traced.keep, output})
    return GoldenBlock(padded, len(images), values[output][: len(images)], values)
