"""The (fault, image) pairs that the rest of the network has to be run for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, fx

    from engine.injection.recording import Recorder

Faults_contra = TypeVar("Faults_contra", contravariant=True)


@dataclass(frozen=True)
class Pairs:
    """(fault, image) pairs that still differ from golden where channels begin to mix."""

    fault: Tensor
    """[pairs] row of the fault"""
    image: Tensor
    """[pairs] row of the image in its block"""
    channel: Tensor
    """[pairs] the faulty output channel"""
    changed: dict[fx.Node, Tensor]
    """of each frontier node what has changed in the faulty channel, [pairs, width, rest]: its values under the fault
    where `exact` runs the rest of the network, and their differences from golden where `fast` does"""
    met: Tensor | None = None
    """[pairs] the largest product of the faulty weight, where rounding may depend on it; None where it does not"""

    def __len__(self) -> int:
        return len(self.fault)

    def take(self, index: Tensor | slice) -> Pairs:
        """The n pairs at `index`, a slice or int64 [n]."""

        def at(values: Tensor) -> Tensor:
            return values[index] if isinstance(index, slice) else values.index_select(0, index)

        changed = {node: at(values) for node, values in self.changed.items()}
        met = None if self.met is None else at(self.met)
        return Pairs(at(self.fault), at(self.image), at(self.channel), changed, met)

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
        changed = {node: torch.cat([part.changed[node] for part in parts]) for node in parts[0].changed}
        met = [part.met for part in parts if part.met is not None]
        return Pairs(
            torch.cat([part.fault for part in parts]),
            torch.cat([part.image for part in parts]),
            torch.cat([part.channel for part in parts]),
            changed,
            torch.cat(met) if met else None,
        )


class PairSource(Protocol[Faults_contra]):
    """The first stage of an injection: what tells which values faults have changed, before channels mix.

    The second stage (`ExactMethod.run_source`, `FastMethod.run_source`) takes pairs from any source: faulty weights in
    packs (`PackedRuns`), their updates of one channel (`ChannelUpdates`), or whatever else changes values of a layer.
    """

    def run(self, faults: Faults_contra, recorder: Recorder) -> Iterator[Pairs]:
        """The pairs that have to be run, some at a time; those that are known without are told to `recorder`."""
