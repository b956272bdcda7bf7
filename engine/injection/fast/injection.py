"""The `fast` method: as `exact` until channels mix, then arithmetic that need not be equal to the bit.

A pair that reaches the first mixing layer differs from golden in one input channel: the layer's result is golden's plus
what that channel's difference adds. The layers after it run with batch norm folded in and channels last. The error this
makes is measured at the start, relative to the largest magnitude a pair met since the fault; a pair whose two best
classes are closer than that is run again by `exact`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from engine.injection.batch_rows import common_rows, probe_batch_rows
from engine.injection.bounds.bounds import LayerBounds, Margins, SettledCounter, bounds_of_layer, slopes
from engine.injection.bounds.reach import reach_of
from engine.injection.exact.golden import FaultyLayer
from engine.injection.exact.injection import ExactInjection
from engine.injection.exact.packed_runs import PackedRuns
from engine.injection.exact.pairs import Pairs
from engine.injection.fast.batches import FastBatches, FastBlock, FastSuffix, fast_suffix
from engine.injection.fast.channel_updates import ThinRuns, has_thin_rule
from engine.injection.fast.rounding import ErrorMeter, sample_faults
from engine.injection.network.folded import fold_layers
from engine.injection.network.suffix import count_macs
from engine.injection.network.traced import LAYER_ROWS
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, fx, nn

    from engine.injection.batch_rows import BatchRows
    from engine.injection.exact.golden import GoldenBlock
    from engine.injection.exact.severity import Recorder
    from engine.injection.network.traced import TracedNetwork
    from engine.injection.outcomes import WeightFaults

TAU_SAFETY = 8.0
"""how much larger than the largest error seen at the start an error may be before it could change a top-1"""

_CALIBRATION_IMAGES = 8
_CALIBRATION_MACS = 4 * 10**11
"""about what the start may multiply to measure rounding: a large network does it on fewer images"""

_BATCHES_TOGETHER = 16
"""batches whose logits are settled at once: each is many small operations otherwise"""

_MOST_BOUNDED = 8
"""layers, from the last one on: the more layers follow, the less a bound says"""

_LEAST_SETTLED = 0.1
"""share of its pairs that bounds must settle in a layer to be worth their time"""


class FastInjection(ExactInjection):
    """Injects faults into one network, block of images by block of images."""

    def __init__(self, model: nn.Module, images: Tensor, memory: int, on_step: OnStep = nobody_waits) -> None:
        """As for `exact`; the rounding error is measured on a sample of faults."""
        self._suffixes: dict[int, FastSuffix] = {}
        self._copies: set[fx.Node] = set()
        self._reach: dict[int, dict[fx.Node, Tensor]] = {}
        self._exact: set[int] = set()
        """layers whose faults run as `exact` runs them"""
        self.tau = 0.0
        """how close two classes may be, relative to the largest magnitude of their pair, before `exact` decides"""
        super().__init__(model, images, memory, on_step)
        if self.rows.interchangeable and self._traced is not None:
            with self._as_worker():
                self.rows = common_rows(self._probe_own(self._traced, images))
                some = images[: self._calibration_images(self._traced)]
                self.tau = TAU_SAFETY * self._largest_error(self._traced, some, on_step)
                self._reach = self._useful_reach(self._traced, some, on_step)

    @property
    def measured(self) -> dict[str, float]:
        """As for `exact`, and tau."""
        return {**super().measured, "tau": self.tau}

    def method_of(self, layer: int) -> str:
        """How the faults of a layer are run, for a person."""
        is_fast = layer not in self._exact and layer not in self._whole
        return "fast" if is_fast else super().method_of(layer)

    def fall_back(self, layer: int) -> bool:
        """Run the faults of a layer by the next slower way; whether there is one."""
        if layer in self._exact or layer in self._whole:
            return super().fall_back(layer)
        self._exact.add(layer)
        return True

    def dense_macs(self, layer: int) -> int:
        """As for `exact`, the updates of one channel counted as that."""
        macs = super().dense_macs(layer)
        if self._traced is None or layer not in self._suffixes or self.method_of(layer) != "fast":
            return macs
        for update in self._suffixes[layer].updates.values():
            whole = count_macs(self._traced.network, update.inner, self._traced.shapes)
            channel_map = self._traced.suffixes[layer].frontier[update.source]
            macs -= whole - whole * channel_map.width // len(update.by_input)
        return macs

    def _golden_nodes(self, traced: TracedNetwork) -> tuple[fx.Node, ...]:
        folded = fold_layers(traced.network, traced.shapes)
        for layer, suffix in traced.suffixes.items():
            self._suffixes[layer] = fast_suffix(suffix, folded, traced.network, traced.shapes)
        self._copies = {node for suffix in self._suffixes.values() for node in suffix.golden}
        bounded = [node for layer in self._last_layers() for node in self._suffixes[layer].suffix.frontier]
        return (*{*super()._golden_nodes(traced), *self._copies}, *self._copies, *bounded, *set(bounded))

    def _last_layers(self) -> list[int]:
        return sorted(self._suffixes, reverse=True)[:_MOST_BOUNDED]

    def _probe_own(self, traced: TracedNetwork, images: Tensor) -> Iterator[BatchRows]:
        """Batch sizes for the layers that are not run as torch does."""
        yield self.rows
        generator = torch.Generator().manual_seed(0)
        layers = {node: layer for suffix in self._suffixes.values() for node, layer in suffix.layers.items()}
        for node, layer in layers.items():
            run = layer.quick
            if node is traced.network.output and layer.is_linear:
                run = layer.from_transposed
            if run is not None:
                rows = self.rows.largest if layer.is_linear else min(self.rows.largest, LAYER_ROWS)
                values = torch.randn(rows, *traced.shapes[layer.source][1:], generator=generator)
                yield probe_batch_rows(run, values.to(images.device))

    def load(self, images: Tensor) -> GoldenBlock:
        """Golden values of a block of images [n, C, H, W], n at most `block_rows`."""
        with self._as_worker():
            block = super().load(images)
            if self._traced is None:
                return block
            nodes = {node for layer in self._reach for node in self._suffixes[layer].suffix.frontier}
            gradients = slopes(self._traced.network, nodes, block, self.workers)
            return FastBlock.of(block, self._copies, self._traced.network, gradients)

    def _replay(
        self, traced: TracedNetwork, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder
    ) -> None:
        assert isinstance(block, FastBlock)
        thin = None if layer in self._exact else self._thin(traced, block, layer)
        if thin is None:
            super()._replay(traced, block, layer, faults, recorder)
            return
        batches = FastBatches(traced.network, self._suffixes[layer], block, self.rows)
        runner = FastRunner(batches, recorder, self._sizes.dense[layer], self.tau)
        for pairs in thin.run(faults, recorder):
            runner.add(pairs)
        close = runner.finish()
        if close is not None:
            self._decide(traced, block, layer, faults, recorder, close)

    def _thin(self, traced: TracedNetwork, block: FastBlock, layer: int) -> ThinRuns | None:
        fast, module = self._suffixes[layer], traced.network.layers[layer]
        sources = fast.suffix.layer.all_input_nodes
        if not self.rows.interchangeable or len(sources) != 1 or not has_thin_rule(module, block.values[sources[0]]):
            return None
        kept = block.thin.get(layer)
        if kept is not None:
            return kept
        uncertain = ~(block.lead > self.tau)
        faulty = FaultyLayer(traced.network, module, block)
        return block.keep(layer, ThinRuns(faulty, fast, uncertain, self._bounds(block, layer)))

    def _bounds(self, block: FastBlock, layer: int) -> LayerBounds | None:
        if layer not in self._reach:
            return None
        margins = Margins.of(block.logits, block.largest_of_all, self.tau)
        return bounds_of_layer(self._suffixes[layer].suffix.frontier, self._reach[layer], block.slopes, margins)

    def _decide(
        self,
        traced: TracedNetwork,
        block: GoldenBlock,
        layer: int,
        faults: WeightFaults,
        recorder: Recorder,
        close: Pairs,
    ) -> None:
        """Run pairs that are too close to call by `exact`."""
        is_close = torch.zeros(len(faults), block.count, dtype=torch.bool, device=close.fault.device)
        is_close[close.fault, close.image] = True
        golden = block.logits.index_select(0, close.image)
        recorder.record(close.fault, close.image, golden)  # masked, unless the packed run says otherwise
        exact = self._runner(traced, block, layer, recorder)
        faulty = FaultyLayer(traced.network, traced.network.layers[layer], block)
        packed = PackedRuns(faulty, traced.suffixes[layer], whole_blocks=False)
        for pairs in packed.run(replace(faults, changes=is_close.any(1).cpu().numpy())):
            exact.add(pairs.take(is_close[pairs.fault, pairs.image].nonzero().squeeze(1)))
        exact.finish()

    def _calibration_images(self, traced: TracedNetwork) -> int:
        macs = sum(32 * suffix.macs for suffix in traced.suffixes.values())
        return max(2, min(_CALIBRATION_IMAGES, _CALIBRATION_MACS // max(1, macs)))

    def _largest_error(self, traced: TracedNetwork, images: Tensor, on_step: OnStep) -> float:
        """Over all bits of some weights of every layer, relative to the largest magnitude met since the fault."""
        block = self.load(images)
        assert isinstance(block, FastBlock)
        largest = 0.0
        for number, layer in enumerate(traced.suffixes):
            on_step(Step("measuring rounding", number, len(traced.suffixes)))
            faults = sample_faults(layer, traced.network.layers[layer].weight, len(traced.suffixes))
            meter = ErrorMeter(len(faults), block.logits)
            super()._replay(traced, block, layer, faults, meter)
            thin = self._thin(traced, block, layer)
            batches = FastBatches(traced.network, self._suffixes[layer], block, self.rows)
            size = max(self._sizes.dense[layer], self.rows.floor)
            pairs = batches.gather(list(thin.run(faults, meter))) if thin else None
            if pairs is not None:
                logits, met = batches.run(pairs, size)
                bound = torch.maximum(met, batches.bound_of_updates(pairs))
                overflow = self._suffixes[layer].overflow
                largest = max(largest, meter.largest_error(pairs, logits, bound, overflow))
        return largest

    def _useful_reach(self, traced: TracedNetwork, images: Tensor, on_step: OnStep) -> dict[int, dict[fx.Node, Tensor]]:
        """How far changes reach after the layers where knowing it settles enough pairs."""
        useful: dict[int, dict[fx.Node, Tensor]] = {}
        layers = self._last_layers()
        for number, layer in enumerate(layers):
            on_step(Step("measuring how far changes reach", number, len(layers)))
            reach = reach_of(self._suffixes[layer], traced.network, traced.shapes)
            if reach is None:
                continue
            self._reach = {layer: reach}
            if self._settled_share(traced, images, layer) >= _LEAST_SETTLED:
                useful[layer] = reach
        return useful

    def _settled_share(self, traced: TracedNetwork, images: Tensor, layer: int) -> float:
        """Of the pairs of some weights of a layer that differ from golden."""
        block = self.load(images)
        assert isinstance(block, FastBlock)
        thin = self._thin(traced, block, layer)
        if thin is None:
            return 0.0
        faults = sample_faults(layer, traced.network.layers[layer].weight, layers=1)
        settled = SettledCounter()
        left = sum(map(len, thin.run(faults, settled)))
        return settled.pairs / max(1, settled.pairs + left)


class FastRunner:
    """Runs pairs as they come, and settles those that are clear."""

    def __init__(self, batches: FastBatches, recorder: Recorder, size: int, tau: float) -> None:
        """`size`: pairs to run at once."""
        self._batches = batches
        self._recorder = recorder
        self._size = size
        self._tau = tau
        self._overflow = batches.suffix.overflow
        self._faultless = batches.faultless_logits(size)
        self._faultless_own = own_logits(self._faultless, batches.block.top1)
        self._waiting: list[Pairs] = []
        self._close: list[Pairs] = []

    def add(self, pairs: Pairs) -> None:
        """Run all that waits, once there is enough for some batches."""
        self._waiting.append(pairs)
        if sum(map(len, self._waiting)) >= _BATCHES_TOGETHER * self._size:
            self._run_waiting()

    def finish(self) -> Pairs | None:
        """Run what is left; returns the pairs that are too close to call."""
        self._run_waiting()
        return Pairs.concat(self._close) if self._close else None

    def _run_waiting(self) -> None:
        waiting = self._batches.gather(self._waiting)
        self._waiting = []
        if waiting is None:
            return
        bound = self._batches.bound_of_updates(waiting)
        overflows = (bound < self._overflow).logical_not_().nonzero().squeeze(1)
        if len(overflows):
            self._close.append(waiting.take(overflows))
            rest = (bound < self._overflow).nonzero().squeeze(1)
            waiting, bound = waiting.take(rest), bound.index_select(0, rest)
        if len(waiting):
            logits, met = self._batches.run(waiting, self._size)
            self._settle(waiting, logits, torch.maximum(bound, met))

    def _settle(self, pairs: Pairs, logits: Tensor, bound: Tensor) -> None:
        """Record the pairs whose top-1 is certain; keep the others."""
        top1 = self._batches.block.top1.index_select(0, pairs.image)
        own = own_logits(logits, top1)
        others = logits.scatter(0, top1[None], -torch.inf).amax(0)
        reach = torch.where(bound < self._overflow, self._tau * bound, torch.inf)
        certain = own - others > reach
        is_masked = self._is_faultless(pairs.image, logits, own)
        doubt = reach / (own - others) if self._recorder.looks_at_doubt else None
        self._recorder.settle(pairs.fault, pairs.image, ~is_masked, doubt)
        rest = certain.logical_not_().nonzero().squeeze(1)
        if len(rest):
            self._record(pairs.take(rest), logits.index_select(1, rest).T.contiguous(), reach.index_select(0, rest))

    def _record(self, pairs: Pairs, logits: Tensor, reach: Tensor) -> None:
        """Pairs whose top-1 is not golden's, or not certain; `logits` [pairs, classes]."""
        behind = (logits < (logits.amax(1) - reach)[:, None]).sum(1)
        is_clear = behind == logits.shape[1] - 1  # not so where a logit, or the reach, is not finite
        clear, close = is_clear.nonzero().squeeze(1), is_clear.logical_not().nonzero().squeeze(1)
        self._recorder.record(pairs.fault[clear], pairs.image[clear], logits[clear])
        if len(close):
            self._close.append(pairs.take(close))

    def _is_faultless(self, image: Tensor, logits: Tensor, own: Tensor) -> Tensor:
        """Where the same arithmetic gives the same without the fault: the pair is masked."""
        same = own == self._faultless_own.index_select(0, image)
        likely = same.nonzero().squeeze(1)
        faultless = self._faultless.index_select(1, image.index_select(0, likely))
        same[likely] = (logits.index_select(1, likely) == faultless).all(0)
        return same


def own_logits(logits: Tensor, top1: Tensor) -> Tensor:
    """Of `logits` [classes, pairs], those of golden's `top1` [pairs]."""
    return logits.gather(0, top1[None]).squeeze(0)
