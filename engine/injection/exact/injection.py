"""The `exact` method: logits equal, to the bit, to flipping the bit in place and running the whole network.

Only what lies after the faulty layer is run again, from golden values kept per block, and in two stages. Until channels
mix, faults in different output channels share one run of the real operations (see `packs`), and pairs in which nothing
differs from golden any more are masked and dropped. The pairs that are left, of many faults, are gathered into large
batches for the rest of the network.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from engine.injection.batch_rows import BatchRows, probe_batch_rows, probe_images
from engine.injection.exact.dense import DenseBatch
from engine.injection.exact.golden import FaultyLayer, GoldenBlock, golden_block, pad_rows
from engine.injection.exact.naive import naive_logits
from engine.injection.exact.packed_runs import PackedRuns
from engine.injection.exact.pairs import Pairs
from engine.injection.exact.severity import Recorder, SeverityMatrix
from engine.injection.network.layers import injectable_modules
from engine.injection.network.sizes import plan_sizes, whole_network_sizes
from engine.injection.network.suffix import count_macs
from engine.injection.network.traced import TracedNetwork, trace
from engine.injection.network.tracing import UntraceableError
from engine.injection.workers import Workers
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, fx, nn

    from engine.injection.network.graph import Network
    from engine.injection.network.suffix import Suffix
    from engine.injection.outcomes import Outcomes, WeightFaults

_GROUP_PAIRS = 2_000_000
_GROUP_MACS = 10**11
"""what one group of faults may cost: seconds on two cores, so that progress and ctrl+c stay prompt"""


class ExactInjection:
    """Injects faults into one network, block of images by block of images."""

    def __init__(self, model: nn.Module, images: Tensor, memory: int, on_step: OnStep = nobody_waits) -> None:
        """Trace the network and find the batch sizes to use.

        Args:
            model: on its device; put into eval mode.
            images: to probe with, [n, C, H, W] real ones on the same device, at least one.
            memory: bytes for golden values and batches together.
            on_step: told what is being done.
        """
        on_step(Step("trying out batch sizes"))
        self.model = model.eval()
        self.names = tuple(name for name, _ in injectable_modules(model))
        """of the injectable layers, by index"""
        self.notes: list[str] = []
        """sentences the user should read: what could not be traced"""
        with torch.inference_mode():
            self._traced = self._trace(images)
        self.workers = Workers.of(images.device) if self._traced else Workers(1, torch.get_num_threads())
        """side by side, on the CPU; faults that run the whole network change its weights, and run alone"""
        self._whole = set(range(len(self.names)) if self._traced is None else self._traced.reached.whole)
        """layers whose faults run the whole network"""
        with self._as_worker():
            self._plan(images, memory)
        if not self.rows.interchangeable:
            self.notes.append("logits depend on an image's place in the batch: batches are whole blocks, slower")
        self.block_rows = max(self._sizes.block, self.rows.floor)
        """most images a block can hold"""

    def _plan(self, images: Tensor, memory: int) -> None:
        """Find the golden values to keep, the sizes of blocks and batches, and which batches give equal bits."""
        self._keep = () if self._traced is None else self._golden_nodes(self._traced)
        self._sizes = (
            whole_network_sizes(self.model, images, memory)
            if self._traced is None
            else plan_sizes(self._traced, self._keep, images.device, memory, self.workers.count)
        )
        probe = probe_images(images, self._sizes.largest)
        self.rows = self._traced.probe(probe) if self._traced else probe_batch_rows(self._run_model, probe)

    def _run_model(self, images: Tensor) -> Tensor:
        """The network itself on a copy of `images`, which it may overwrite."""
        logits: Tensor = self.model(images.clone())
        return logits

    @contextmanager
    def _as_worker(self) -> Iterator[None]:
        with self.workers.rounding(), torch.inference_mode():
            yield

    def _trace(self, images: Tensor) -> TracedNetwork | None:
        try:
            traced = trace(self.model, images)
        except UntraceableError as error:
            self.notes.append(f"every fault runs the whole network, which is slower; {error}")
            return None
        for index, reason in sorted(traced.reached.whole.items()):
            self.notes.append(f"faults in {self.names[index]} run the whole network, which is slower: {reason}")
        if traced.reached.unread:
            unread = ", ".join(self.names[index] for index in sorted(traced.reached.unread))
            self.notes.append(f"nothing reads {unread} when the network is evaluated: faults there are masked")
        return traced

    def _golden_nodes(self, traced: TracedNetwork) -> tuple[fx.Node, ...]:
        """The golden values to keep, once for each copy."""
        return tuple({node for suffix in traced.suffixes.values() for node in suffix.golden})

    def method_of(self, layer: int) -> str:
        """How the faults of a layer are run, for a person."""
        return "whole network" if layer in self._whole else "exact"

    def fall_back(self, layer: int) -> bool:
        """Run the faults of a layer by the next slower way; whether there is one."""
        if layer in self._whole:
            return False
        self._whole.add(layer)
        return True

    def _suffix(self, layer: int) -> Suffix | None:
        """What lies after a layer whose faults are replayed; None for the others."""
        return None if self._traced is None or layer in self._whole else self._traced.suffixes.get(layer)

    @property
    def whole_macs(self) -> int:
        """Multiplications of the whole network for one image; 0 where it cannot be traced."""
        if self._traced is None:
            return 0
        network, shapes = self._traced.network, self._traced.shapes
        return sum(count_macs(network, node, shapes) for node in network.nodes)

    def dense_macs(self, layer: int) -> int:
        """Multiplications left for a pair after a fault in a layer, once channels mix."""
        suffix = self._suffix(layer)
        return self.whole_macs if suffix is None else suffix.macs

    @property
    def measured(self) -> dict[str, float]:
        """What was found out about this network on this machine and is part of the numerics."""
        return {"batch_floor": self.rows.floor, "workers": self.workers.count}

    def load(self, images: Tensor) -> GoldenBlock:
        """Golden values of a block of images [n, C, H, W], n at most `block_rows`."""
        rows = self.rows.fit(len(images))
        with self._as_worker():
            if self._traced is not None:
                at_once = self._golden_rows(self._traced, rows)
                return golden_block(self._traced.network, images, rows, set(self._keep), at_once, self.workers)
            padded = pad_rows(images, rows)
            return GoldenBlock(padded, len(images), self._run_model(padded)[: len(images)], {})

    def golden_logits(self, images: Tensor) -> Tensor:
        """Fault-free logits [n, classes] of images [n, C, H, W], n at most `block_rows`: to the bit those of `load`.

        In another place of another block too, unless logits depend on that (see `BatchRows.interchangeable`).
        """
        rows = self.rows.fit(len(images))
        with self._as_worker():
            if self._traced is None:
                return self._run_model(pad_rows(images, rows))[: len(images)]
            at_once = self._golden_rows(self._traced, rows)
            return golden_block(self._traced.network, images, rows, set(), at_once, self.workers).logits

    def _golden_rows(self, traced: TracedNetwork, rows: int) -> int:
        """Of a block's rows, those that one worker runs at once: its share, where batches of that size are usable."""
        counts_rows = any(node in traced.network.batch_dependent and node not in traced.shapes for node in self._keep)
        share = rows
        if not counts_rows and self.rows.interchangeable:
            while share > self.rows.floor and share * self.workers.count > rows:
                share //= 2
        return share

    def inject(self, block: GoldenBlock, faults: WeightFaults) -> Iterator[Outcomes]:
        """Inject faults, sorted by layer, into a block: outcomes of a few seconds' work at a time, in order."""
        inject = partial(self._inject_group, block)
        for runs_alone, groups in groupby(self._groups(block, faults), key=lambda group: self._runs_alone(group.layer)):
            run = map if runs_alone else self.workers.map
            yield from run(inject, groups)

    def _groups(self, block: GoldenBlock, faults: WeightFaults) -> Iterator[FaultGroup]:
        start = 0
        while start < len(faults):
            layer = int(faults.layer[start])
            same_layer = int(np.searchsorted(faults.layer, layer, side="right"))
            stop = min(same_layer, start + self._group_size(layer, block.count))
            yield FaultGroup(layer, faults.take(slice(start, stop)))
            start = stop

    def _runs_alone(self, layer: int) -> bool:
        """Whether its faults run the whole network, whose weights they change."""
        return layer in self._whole

    def _group_size(self, layer: int, images: int) -> int:
        if layer in self._whole:
            return 1
        suffix = self._suffix(layer)
        macs = max(1, suffix.macs if suffix else 0)
        return max(1, min(_GROUP_PAIRS, _GROUP_MACS // macs) // images)

    def _inject_group(self, block: GoldenBlock, group: FaultGroup) -> Outcomes:
        severities = SeverityMatrix(len(group.faults), block.logits)
        self.replay(block, group.layer, group.faults, severities)
        with torch.inference_mode():
            return severities.outcomes(group.faults.positions)

    def replay(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
        """Hand the faulty logits of faults of one layer to `recorder`; pairs it never hears of are masked."""
        with self._as_worker():
            if layer in self._whole:
                self._run_whole(block, faults, recorder)
            elif self._traced is not None and layer in self._traced.suffixes:
                self._replay(self._traced, block, layer, faults, recorder)

    def _run_whole(self, block: GoldenBlock, faults: WeightFaults, recorder: Recorder) -> None:
        images = torch.arange(block.count, device=block.logits.device)
        rows = np.flatnonzero(faults.changes)
        all_logits = naive_logits(self.model, faults.take(rows), block.images, len(block.images))
        for row, logits in zip(rows, all_logits, strict=True):
            recorder.record(torch.full_like(images, int(row)), images, logits[: block.count])

    def _replay(
        self, traced: TracedNetwork, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder
    ) -> None:
        whole_blocks = not self.rows.interchangeable
        faulty = FaultyLayer(traced.network, traced.network.layers[layer], block)
        packed = PackedRuns(faulty, traced.suffixes[layer], whole_blocks)
        runner = self._runner(traced, block, layer, recorder)
        for pairs in packed.run(faults):
            runner.add(pairs)
        runner.finish()

    def _runner(self, traced: TracedNetwork, block: GoldenBlock, layer: int, recorder: Recorder) -> PairRunner:
        batch = max(self._sizes.dense[layer], self.rows.floor)
        return ExactRunner(traced.network, traced.suffixes[layer], self.rows, batch, block, recorder)


@dataclass(frozen=True)
class FaultGroup:
    """Faults of one layer that are injected together."""

    layer: int
    faults: WeightFaults


class PairRunner(Protocol):
    """Takes pairs as they come and records the logits of each."""

    def add(self, pairs: Pairs) -> None:
        """Run them now or later."""

    def finish(self) -> None:
        """Run what is left."""


class ExactRunner:
    """Runs waiting pairs through the rest of the network, in batches of usable sizes."""

    def __init__(
        self, network: Network, suffix: Suffix, rows: BatchRows, batch: int, block: GoldenBlock, recorder: Recorder
    ) -> None:
        self._network = network
        self._suffix = suffix
        self._rows = rows
        self._batch = batch if rows.interchangeable else len(block.images)
        self._block = block
        self._recorder = recorder
        self._waiting: list[Pairs] = []

    def add(self, pairs: Pairs) -> None:
        """Run as many full batches as there are."""
        self._waiting.append(pairs)
        if sum(map(len, self._waiting)) >= self._batch:
            waiting = Pairs.concat(self._waiting)
            full = len(waiting) - len(waiting) % self._batch
            for start in range(0, full, self._batch):
                self._run(waiting.take(slice(start, start + self._batch)))
            self._waiting = [waiting.take(slice(full, None))]

    def finish(self) -> None:
        """Run what is left."""
        if sum(map(len, self._waiting)):
            self._run(Pairs.concat(self._waiting))
        self._waiting = []

    def _run(self, pairs: Pairs) -> None:
        count = len(pairs)
        padded = pairs.padded(self._rows.fit(count))
        logits = DenseBatch(self._network, self._block, self._suffix, padded).logits()[:count]
        if not self._rows.interchangeable:
            real = pairs.image < self._block.count
            pairs, logits = pairs.take(real.nonzero().squeeze(1)), logits[real]
        self._recorder.record(pairs.fault, pairs.image, logits)
