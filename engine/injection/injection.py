"""Injection of faults into one network: blocks of images in, outcomes out, whatever the method."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.errors import InputError
from engine.injection.batch_rows import PROBED, common_rows, pad_rows, probe_batch_rows, probe_images
from engine.injection.exact.packs import spread_faults
from engine.injection.exact.whole_network import WholeNetwork
from engine.injection.method import Plan
from engine.injection.methods import METHODS, THETAS, Thetas
from engine.injection.network.golden import GoldenBlock
from engine.injection.network.layers import injectable_modules
from engine.injection.network.sizes import plan_sizes, whole_network_sizes
from engine.injection.network.suffix import count_macs
from engine.injection.network.traced import TracedNetwork, trace
from engine.injection.network.tracing import UntraceableError
from engine.injection.recording import SeverityMatrix
from engine.injection.workers import Workers
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, fx, nn

    from engine.injection.batch_rows import BatchRows
    from engine.injection.method import Method
    from engine.injection.network.sizes import Sizes
    from engine.injection.outcomes import Outcomes, WeightFaults
    from engine.injection.recording import Recorder
    from engine.injection.screened.audit import BlockAudit


class Injection:
    """Injects faults into one network by one method, block of images by block of images.

    It owns the network, its blocks, its workers, the groups of faults and the recording; how the faults of a layer are
    run is a `Method`'s. Each layer has a method of its own: the chosen one, or a slower one that it fell back to.
    """

    def __init__(
        self,
        model: nn.Module,
        images: Tensor,
        memory: int,
        method: str,
        on_step: OnStep = nobody_waits,
        thetas: Thetas = THETAS,
    ) -> None:
        """Trace the network, find the batch sizes to use, and let the method measure what it needs.

        Args:
            model: on its device; put into eval mode.
            images: to probe with, [n, C, H, W] real ones on the same device, at least one.
            memory: bytes for golden values and batches together.
            method: a name in `engine.injection.methods.METHODS`.
            on_step: told what is being done.
            thetas: of a method that screens, see `docs/screening.md`.

        Raises:
            InputError: there is no such method.
            TooLittleMemoryError: the memory does not hold one image.
        """
        if method not in METHODS:
            raise InputError(f'[run] method: there is no "{method}"; use one of {", ".join(METHODS)}')
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
        self._whole_network = WholeNetwork(self.model, self.whole_macs)
        self.method, self._thetas = method, thetas
        self._fallen = [0] * len(self.names)
        """by layer, the place in the ladder that it fell back to"""
        self._ladder = self._build_ladder()
        """the methods, each of them slower than the one before it"""
        self._copies = self._golden_copies()
        self.memory = memory
        """bytes that golden values and batches are planned for"""
        self._sizes = self._plan_sizes(images)
        self._begin(images, on_step)

    def _begin(self, images: Tensor, on_step: OnStep) -> None:
        """Start the methods with the batch sizes that are planned."""
        self._rung = self._first_rungs()
        self.rows, self.block_rows, self._plan = self._start(images, on_step)
        """`block_rows`: most images a block can hold"""
        if not self.rows.interchangeable:
            self._say("logits depend on an image's place in the batch: batches are whole blocks, slower")

    def halve(
        self, draw_images: Callable[[int], Tensor], keeps_fall_backs: bool, on_step: OnStep = nobody_waits
    ) -> None:
        """Plan anew for half of the memory, or for as small a part of it as makes batches smaller.

        Where memory runs out on the way, this can be called again.

        Args:
            draw_images: gives images [n, C, H, W] to probe with, as at the beginning, for so many bytes of memory.
            keeps_fall_backs: whether layers stay with the methods that they fell back to.
            on_step: told what is being done.

        Raises:
            TooLittleMemoryError: that memory does not hold one image.
        """
        on_step(Step("trying out batch sizes"))
        before = self._sizes
        self.memory //= 2
        images = draw_images(self.memory)
        self._sizes = self._plan_sizes(images)
        while self._sizes == before:
            self.memory //= 2
            self._sizes = self._plan_sizes(images)
        if not keeps_fall_backs:
            self._fallen = [0] * len(self.names)
        self._ladder, self._plan = (), None  # what they hold makes room
        self._ladder = self._build_ladder()
        self._begin(images, on_step)

    def _build_ladder(self) -> Sequence[Method]:
        methods = METHODS[self.method].build(self._traced, self._thetas) if self._traced else ()
        return *methods, self._whole_network

    def _say(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

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

    def _first_rungs(self) -> list[int]:
        """By layer, the place of its method: the first, the one it fell back to, or the last for the whole network."""
        whole = () if self._traced is None else self._traced.reached.whole
        last = len(self._ladder) - 1
        return [last if layer in whole else fallen for layer, fallen in enumerate(self._fallen)]

    def _plan_sizes(self, images: Tensor) -> Sizes:
        with self._as_worker():
            if self._traced is None:
                return whole_network_sizes(self.model, images, self.memory)
            return plan_sizes(self._traced, self._copies, images.device, self.memory, self.workers.count)

    def _start(self, images: Tensor, on_step: OnStep) -> tuple[BatchRows, int, Plan | None]:
        """Find the batch sizes, and start the methods, slow ones first: a faster one may use them."""
        sizes = self._sizes
        with self._as_worker():
            if self._traced is None:
                rows = probe_batch_rows(self._run_model, probe_images(images, sizes.largest))
                return rows, max(sizes.block, rows.floor), None
            rows = self._traced.probe(probe_images(images, sizes.largest), self.workers)
            if rows.floor > sizes.block >= PROBED:
                sizes = self._sizes = sizes.within_block()
                rows = self._traced.probe(probe_images(images, sizes.largest), self.workers)
            block_rows = max(sizes.block, rows.floor)
            if rows.interchangeable:
                rows = common_rows((rows, *(own for method in self._ladder for own in method.probe(images, rows))))
            plan = Plan(self._traced, frozenset(self._copies), sizes, rows, self.workers)
            for method in reversed(self._ladder):
                method.start(plan, images, on_step)
            self._leave_to_the_next()
            return rows, block_rows, plan

    def _leave_to_the_next(self) -> None:
        """Take from each method the layers that it does not run, and say so."""
        for rung, method in enumerate(self._ladder[:-1]):
            reasons: dict[str, list[int]] = {}
            for layer, reason in sorted(method.left_to_the_next().items()):
                if self._rung[layer] == rung:
                    self._rung[layer] += 1
                    reasons.setdefault(reason, []).append(layer)
            for reason, layers in reasons.items():
                names = ", ".join(self.names[layer] for layer in layers)
                slower = self._ladder[rung + 1].name
                self._say(f"faults in {names} run as by {slower}, which is slower: {reason}")

    def _golden_copies(self) -> dict[fx.Node, int]:
        """The nodes whose golden values are kept, and how many copies the methods hold of each one together."""
        copies: dict[fx.Node, int] = {}
        for method in self._ladder:
            for node, count in method.golden_copies().items():
                copies[node] = copies.get(node, 0) + count
        return copies

    def _run_model(self, images: Tensor) -> Tensor:
        """The network itself on a copy of `images`, which it may overwrite."""
        logits: Tensor = self.model(images.clone())
        return logits

    @contextmanager
    def _as_worker(self) -> Iterator[None]:
        with self.workers.rounding(), torch.inference_mode():
            yield

    def _method(self, layer: int) -> Method:
        return self._ladder[self._rung[layer]]

    def method_of(self, layer: int) -> str:
        """How the faults of a layer are run, for a person."""
        return self._method(layer).name

    def is_bit_equal(self, layer: int) -> bool:
        """Whether the method of a layer promises the bits of the plain loop."""
        return self._method(layer).is_bit_equal

    def fall_back(self, layer: int) -> bool:
        """Run the faults of a layer by the next slower method; whether there is one."""
        if self._method(layer) is self._whole_network:
            return False
        self._rung[layer] += 1
        self._fallen[layer] = self._rung[layer]
        return True

    @property
    def whole_macs(self) -> int:
        """Multiplications of the whole network for one image; 0 where it cannot be traced."""
        if self._traced is None:
            return 0
        network = self._traced.network
        return sum(count_macs(network, node) for node in network.nodes)

    def dense_macs(self, layer: int) -> int:
        """Multiplications left for a pair after a fault in a layer, once channels mix."""
        return self._method(layer).macs(layer)

    @property
    def measured(self) -> dict[str, float]:
        """What was found out about this network on this machine and is part of the numerics, by name."""
        values: dict[str, float] = {"batch_floor": self.rows.floor, "workers": self.workers.count}
        for method in self._ladder:
            values |= method.measured
        return values

    def recall(self, measured: Mapping[str, float | str]) -> None:
        """Go on as it was when these were `measured` on this network; other names among them are left aside."""
        for method in self._ladder:
            method.recall(measured)

    def tighten(self, layer: int, bound: float) -> None:
        """Take over that a pair was critical whose `bound` calls it safe: less is left out in this layer from now on.

        Blocks have to be loaded anew.
        """
        self._method(layer).tighten(layer, bound)

    def load(self, images: Tensor, audit: BlockAudit | None = None) -> GoldenBlock:
        """Golden values of a block of images [n, C, H, W], n at most `block_rows`.

        `audit`: what of these images is run although a bound calls it safe.
        """
        with self._as_worker():
            if self._plan is None:
                padded = pad_rows(images, self.rows.fit(len(images)))
                return GoldenBlock(padded, len(images), self._run_model(padded)[: len(images)], {})
            block = replace(self._plan.load(images), audit=audit)
            for method in reversed(self._ladder):
                block = method.extend(block)
            return block

    def golden_logits(self, images: Tensor) -> Tensor:
        """Fault-free logits [n, classes] of images [n, C, H, W], n at most `block_rows`: to the bit those of `load`.

        In another place of another block too, unless logits depend on that (see `BatchRows.interchangeable`).
        """
        with self._as_worker():
            if self._plan is None:
                return self._run_model(pad_rows(images, self.rows.fit(len(images))))[: len(images)]
            return self._plan.golden_logits(images)

    def inject(self, block: GoldenBlock, faults: WeightFaults) -> Iterator[Outcomes]:
        """Inject faults, sorted by layer, into a block: outcomes of a few seconds' work at a time, in order."""
        inject = partial(self._inject_group, block)
        for runs_alone, groups in groupby(self._groups(block, faults), key=lambda group: group.method.runs_alone):
            run = map if runs_alone else self.workers.map
            yield from run(inject, groups)

    def _groups(self, block: GoldenBlock, faults: WeightFaults) -> Iterator[LayerFaults]:
        """Runs of consecutive faults of one layer and one method, of a limited size."""
        spread = spread_faults(faults, self.model)
        start = 0
        while start < len(faults):
            layer = int(faults.layer[start])
            stop = int(np.searchsorted(faults.layer, faults.layer[start], side="right"))  # of one type: no copy
            method = self._method(layer)
            if spread is not None:
                stop = start + _length_of_run(spread[start:stop])
                method = self._whole_network if spread[start] else method
            size = 1 if method.runs_alone else self._group_size(layer, block.count)
            stop = min(stop, start + size)
            yield LayerFaults(layer, method, faults.take(slice(start, stop)))
            start = stop

    def _group_size(self, layer: int, images: int) -> int:
        """How many faults of a layer are injected together."""
        suffix = None if self._traced is None else self._traced.suffixes.get(layer)
        macs = max(1, suffix.macs if suffix else 0)
        limits = self._sizes.limits
        return max(1, min(limits.group_pairs, limits.group_macs // macs) // images)

    def _inject_group(self, block: GoldenBlock, group: LayerFaults) -> Outcomes:
        severities = SeverityMatrix(len(group.faults), block.logits)
        with self._as_worker():
            self._run(group.method, block, group.layer, group.faults, severities)
            return severities.outcomes(group.faults.positions)

    def replay(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
        """Hand the faulty logits of faults of one layer to `recorder`; pairs it never hears of are masked.

        Args:
            block: as `load` gives it.
            layer: index of the injectable layer; of faults with several sites, that of the first one.
            faults: all of that layer.
            recorder: takes faults as rows of `faults`, and images as rows of the block.
        """
        spread = spread_faults(faults, self.model)
        with self._as_worker():
            if spread is not None and spread.any():
                whole = replace(faults, changes=faults.changes & spread)
                self._run(self._whole_network, block, layer, whole, recorder)
                faults = replace(faults, changes=faults.changes & ~spread)
            self._run(self._method(layer), block, layer, faults, recorder)

    def _run(self, method: Method, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
        is_unread = self._traced is not None and layer in self._traced.reached.unread
        if method is self._whole_network or not is_unread:
            method.run(block, layer, faults, recorder)


@dataclass(frozen=True)
class LayerFaults:
    """Faults of one layer that are injected together, and what runs them."""

    layer: int
    method: Method
    faults: WeightFaults


def _length_of_run(values: NDArray[np.bool_]) -> int:
    """How many of the first `values` are equal."""
    others = np.flatnonzero(values != values[0])
    return int(others[0]) if len(others) else len(values)
