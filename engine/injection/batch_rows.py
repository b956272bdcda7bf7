"""Batch sizes at which an image's logits are the same to the bit, wherever it stands in whatever batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

_SMALLEST = 4
PROBED = 256
"""images that each small size is probed with: of fewer, one may agree by chance"""

_PROBED_VALUES, _LEAST_PROBED = 2**14, 16
"""values that are enough, of as many images at least: where each image gives many, fewer images tell the same"""


@dataclass(frozen=True)
class BatchRows:
    """The only batch sizes ever run: powers of two from the floor on. Shorter batches are padded."""

    floor: int
    largest: int
    interchangeable: bool = True
    """False where an image's logits depend on its place in the batch (measured: linear layers with an odd number of
    inputs): then every batch is a whole block, each image in its own place"""

    def fit(self, rows: int) -> int:
        """The smallest usable size that holds `rows`, at most the largest.

        >>> BatchRows(floor=4, largest=64).fit(9)
        16
        """
        size = self.floor
        while size < min(rows, self.largest):
            size *= 2
        return size


def probe_batch_rows(run: Callable[[Tensor], Tensor], images: Tensor) -> BatchRows:
    """Find the smallest floor from which on all sizes agree to the bit, for images in any order.

    Small batches take other kernels (measured on CPU: 1 and 2 rows, with some thread counts 8), so it is looked up,
    not assumed.

    Args:
        run: logits of a batch of images.
        images: [n, C, H, W], n a power of two, the largest size of all; distinct ones.
    """
    largest = len(images)
    reference = run(images)
    enough = _LEAST_PROBED
    while enough < PROBED and enough * reference[0].numel() < _PROBED_VALUES:
        enough *= 2
    generator = torch.Generator().manual_seed(0)

    def agrees(size: int) -> bool:
        order = torch.randperm(largest, generator=generator)[: max(size, enough)].to(images.device)
        parts = [run(images[order[start : start + size]]) for start in range(0, len(order), size)]
        return torch.equal(torch.cat(parts), reference[order])

    if not agrees(largest):
        return BatchRows(largest, largest, interchangeable=False)
    floor = largest
    while floor // 2 >= _SMALLEST and agrees(floor // 2):
        floor //= 2
    return BatchRows(floor, largest)


def common_rows(all_rows: Iterable[BatchRows]) -> BatchRows:
    """What holds for every part of a network."""
    parts = list(all_rows)
    floor, largest = max(rows.floor for rows in parts), max(rows.largest for rows in parts)
    return BatchRows(floor, largest, all(rows.interchangeable for rows in parts))


def probe_images(images: Tensor, count: int) -> Tensor:
    """`count` distinct images from fewer real ones [n, C, H, W]: repeats carry a little noise."""
    repeated = images[torch.arange(count, device=images.device) % len(images)]
    noise = torch.randn(repeated.shape, generator=torch.Generator().manual_seed(0)).to(images.device)
    noise[: len(images)] = 0
    return repeated + 0.01 * noise


def pad_rows(values: Tensor, rows: int) -> Tensor:
    """`values` [n, ...] with its first row repeated up to `rows`.

    >>> pad_rows(torch.tensor([[1], [2]]), 4).tolist()
    [[1], [2], [1], [1]]
    """
    missing = rows - len(values)
    return values if missing <= 0 else torch.cat([values, values[:1].expand(missing, *values.shape[1:])])
