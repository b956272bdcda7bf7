"""Batch sizes at which an image's logits are the same to the bit, whatever else is in the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

_CANDIDATES = (4, 8, 16, 32, 64, 128)


@dataclass(frozen=True)
class BatchRows:
    """The only batch sizes ever run: powers of two from the floor on. Shorter batches are padded."""

    floor: int
    largest: int

    def fit(self, rows: int) -> int:
        """The smallest usable size that holds `rows`, at most the largest."""
        size = self.floor
        while size < min(rows, self.largest):
            size *= 2
        return size


def probe_batch_rows(run: Callable[[Tensor], Tensor], images: Tensor, largest: int) -> BatchRows:
    """Find the smallest floor from which on all sizes up to `largest` agree to the bit.

    Small batches take other kernels (measured on CPU: 1 and 2 rows, with some thread counts 8), so it is looked up,
    not assumed. Where even large sizes disagree, one size is left: everything is padded to it.

    Args:
        run: logits of a batch of images.
        images: [largest, C, H, W], real ones.
        largest: a power of two.
    """
    reference = run(images[:largest])
    floor = largest
    for size in reversed([size for size in _candidates(largest) if size < largest]):
        parts = [run(images[start : start + size]) for start in range(0, largest, size)]
        if not torch.equal(torch.cat(parts), reference):
            break
        floor = size
    return BatchRows(floor, largest)


def _candidates(largest: int) -> list[int]:
    sizes = list(_CANDIDATES)
    while sizes[-1] < largest:
        sizes.append(sizes[-1] * 2)
    return sizes
