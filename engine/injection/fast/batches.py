"""The dense part of a suffix as the fast method runs it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch

from engine.injection.network.folded import runs_of
from engine.injection.pairs import Pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, fx

    from engine.injection.batch_rows import BatchRows
    from engine.injection.fast.block import FastBlock
    from engine.injection.network.folded import ChannelRun, FoldedLayer
    from engine.injection.network.folded_suffix import FoldedSuffix
    from engine.injection.network.graph import Network


class FastBatches:
    """The dense part of one suffix on one block, for pairs whose `changed` is their difference from golden."""

    def __init__(self, network: Network, suffix: FoldedSuffix, block: FastBlock, rows: BatchRows) -> None:
        self._network = network
        self._rows_of_batch = rows
        self.suffix = suffix
        self.block = block

    def gather(self, parts: list[Pairs]) -> Pairs | None:
        """All pairs, in the order that `run` takes them in; None if there is none."""
        if not any(map(len, parts)):
            return None
        pairs = Pairs.concat(parts)
        return pairs.take(pairs.channel.argsort(stable=True)) if self.suffix.runs_of_channels else pairs

    def run(self, pairs: Pairs, size: int) -> tuple[Tensor, Tensor]:
        """Logits [classes, pairs], and for each pair a bound of the magnitudes it met after the updates, [pairs].

        Args:
            pairs: as `gather` gives them.
            size: how many to run at once.
        """
        runs = runs_of(pairs.channel) if self.suffix.runs_of_channels else []
        parts = [
            self._run_batch(pairs.take(slice(start, start + size)), _within(runs, start, size))
            for start in range(0, len(pairs), size)
        ]
        logits = torch.cat([logits for logits, _ in parts], dim=1)
        met = torch.cat([met for _, met in parts])
        return logits, torch.maximum(met, logits.abs().amax(0))

    def _run_batch(self, pairs: Pairs, runs: list[ChannelRun]) -> tuple[Tensor, Tensor]:
        """Padded like an exact batch: other sizes round otherwise, and what has no effect would seem to have one.

        `runs`: of the pairs' channels, of which the padding makes the last one longer.
        """
        count, rows = len(pairs), self._rows_of_batch.fit(len(pairs))
        if runs and rows > count:
            runs[-1] = replace(runs[-1], rows=slice(runs[-1].rows.start, rows))
        logits, met = self._run_padded(pairs.padded(rows), runs)
        return logits[:, :count], met[:count]

    def _run_padded(self, pairs: Pairs, runs: Sequence[ChannelRun]) -> tuple[Tensor, Tensor]:
        values: dict[fx.Node, Any] = {}
        met = torch.zeros(len(pairs), device=pairs.image.device)
        value_of = partial(self._value_of, values, pairs)
        for node in self.suffix.steps:
            if node in self.suffix.updates:
                values[node] = self._updated(self.suffix.updates[node], pairs, runs)
            elif node in self.suffix.layers:
                layer = self.suffix.layers[node]
                if node is self._network.output and layer.is_linear:
                    return layer.transposed(value_of(layer.source)), met
                values[node] = layer(value_of(layer.source))
            elif node in self.suffix.tiled:
                values[node] = self.suffix.tiled[node](self._network, value_of)
            elif node in self.suffix.in_place:
                values[node] = self.suffix.in_place[node](value_of)
            else:
                values[node] = self._network.evaluate(node, value_of)
            if node in self.suffix.measured:
                met = torch.maximum(met, self._size_of(node, values[node]))
            for parent in self.suffix.last_use[node]:
                values.pop(parent, None)
        return value_of(self._network.output).T.contiguous(), met

    def _value_of(self, values: dict[fx.Node, Any], pairs: Pairs, node: fx.Node) -> Any:
        """No closure: one that calls itself would keep the batch until garbage is collected."""
        if node not in values:
            values[node] = self._from_golden(node, pairs, partial(self._value_of, values, pairs))
        return values[node]

    def _size_of(self, node: fx.Node, value: Tensor) -> Tensor:
        """A bound of the largest magnitude of each row; an activation's result is nowhere negative."""
        dims = tuple(range(1, value.ndim))
        if value.device.type != "cpu":  # one pass over memory, not three
            norm: Tensor = torch.linalg.vector_norm(value, 1, dims)
            return norm
        sized = value.abs() if node in self.suffix.layers else value
        return sized.sum(dims)

    def faultless_logits(self, size: int) -> Tensor:
        """What these steps give for every image of the block without a fault, [classes, count]; `size` at once."""
        layer = self.suffix.suffix.layer
        if layer not in self.block.faultless:
            image = torch.arange(self.block.count, device=self.block.logits.device)
            nothing = torch.zeros_like(image)
            frontier = self.suffix.suffix.frontier.items()
            changed = {node: torch.zeros_like(where.apart(self.block.values[node])[:1, 0]) for node, where in frontier}
            changed = {node: value.expand(len(image), -1, -1) for node, value in changed.items()}
            pairs = Pairs(fault=nothing, image=image, channel=nothing, changed=changed)
            self.block.faultless[layer] = self.run(pairs, size)[0]
        return self.block.faultless[layer]

    def bound_of_updates(self, pairs: Pairs) -> Tensor:
        """A bound of the magnitudes that each pair meets where channels mix, and in the faulty layer, [pairs]."""
        bound = torch.zeros(len(pairs), device=pairs.image.device) if pairs.met is None else pairs.met
        for node, layer in self.suffix.updates.items():
            largest = self.block.largest[node].index_select(0, pairs.image)
            delta = pairs.changed[layer.source].flatten(1).abs().sum(1)
            bound = torch.maximum(bound, torch.add(largest, delta, alpha=layer.gain))
        return bound

    def _updated(self, layer: FoldedLayer, pairs: Pairs, runs: Sequence[ChannelRun]) -> Tensor:
        channel_map = self.suffix.suffix.frontier[layer.source]
        delta = pairs.changed[layer.source]
        golden = self._rows(layer.result, pairs)
        if not layer.is_linear:
            delta = delta.view(len(pairs), 1, *self.block.values[layer.source].shape[2:])
        return layer.update(golden, delta, pairs.channel, runs, channel_map)

    def _from_golden(self, node: fx.Node, pairs: Pairs, value_of: Callable[[fx.Node], Any]) -> Any:
        golden = self.block.rows[node]
        if node not in self._network.batch_dependent:
            return golden
        if not isinstance(golden, torch.Tensor):
            return self._network.evaluate(node, value_of)
        value = self._rows(node, pairs)
        if node in self.suffix.suffix.frontier:
            self.suffix.suffix.frontier[node].put(value, pairs.channel, pairs.changed[node], add=True)
        return value

    def _rows(self, node: fx.Node, pairs: Pairs) -> Tensor:
        """The golden value of each pair's image, in the same memory order."""
        golden: Tensor = self.block.rows[node]
        if golden.is_contiguous():
            return golden.index_select(0, pairs.image)
        return golden.permute(0, 2, 3, 1).index_select(0, pairs.image).permute(0, 3, 1, 2)


def _within(runs: Sequence[ChannelRun], start: int, count: int) -> list[ChannelRun]:
    """The parts of `runs` in the `count` pairs from `start` on, counted from there."""
    first = bisect_right(runs, start, key=lambda run: run.rows.stop)
    found = []
    for run in islice(runs, first, None):
        if run.rows.start >= start + count:
            break
        rows = slice(max(0, run.rows.start - start), min(count, run.rows.stop - start))
        found.append(replace(run, rows=rows))
    return found
