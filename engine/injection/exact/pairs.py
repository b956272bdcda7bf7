"""The (fault, image) pairs that the rest of the network has to be run for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, fx


@dataclass(frozen=True)
class Pairs:
    """(fault, image) pairs that still differ from golden where channels begin to mix."""

    fault: Tensor
    """[pairs] row of the fault"""
    image: Tensor
    """[pairs] row of the image in its block"""
    channel: Tensor
    """[pairs] the faulty output channel"""
    thin: dict[fx.Node, Tensor]
    """of each frontier node the faulty channel's values, [pairs, width, rest]"""

    def __len__(self) -> int:
        return len(self.fault)

    def take(self, index: Tensor | slice) -> Pairs:
        """The pairs at `index`, a slice or int64 [n]."""

        def at(values: Tensor) -> Tensor:
            return values[index] if isinstance(index, slice) else values.index_select(0, index)

        thin = {node: at(values) for node, values in self.thin.items()}
        return Pairs(at(self.fault), at(self.image), at(self.channel), thin)

    def padded(self, rows: int) -> Pairs:
        """At least `rows` pairs: the last one repeated."""
        if rows <= len(self):
            return self
        return self.take(torch.arange(rows, device=self.fault.device).clamp(max=len(self) - 1))

    @staticmethod
    def concat(parts: list[Pairs]) -> Pairs:
        """All pairs of `parts`, in order."""
        if len(parts) == 1:
            return parts[0]
        thin = {node: torch.cat([part.thin[node] for part in parts]) for node in parts[0].thin}
        return Pairs(
            torch.cat([part.fault for part in parts]),
            torch.cat([part.image for part in parts]),
            torch.cat([part.channel for part in parts]),
            thin,
        )
