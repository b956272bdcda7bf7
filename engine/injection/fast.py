"""The `fast` method: as `exact` until channels mix, then arithmetic that need not be equal to the bit.

A pair that reaches the first mixing layer differs from golden in one input channel: the layer's result is golden's plus
what that channel's difference adds. The layers after it run with batch norm folded in and channels last. The error this
makes is measured at the start, relative to the largest magnitude a pair met since the fault; a pair whose two best
classes are closer than that is run again by `exact`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from engine.injection.exact import ExactInjection, ExactRunner
from engine.injection.fast_batches import FastBatches, FastBlock, FastSuffix, fast_suffix
from engine.injection.folded import fold_layers
from engine.injection.packed_runs import PackedRuns
from engine.injection.pairs import Pairs
from engine.injection.rounding import ErrorMeter, sample_faults
from engine.injection.suffix import count_macs

if TYPE_CHECKING:
    from torch import Tensor, fx, nn

    from engine.injection.exact import PairRunner
    from engine.injection.golden import GoldenBlock
    from engine.injection.severity import Recorder
    from engine.injection.traced import TracedNetwork

TAU_SAFETY = 8.0
"""how much larger than the largest error seen at the start an error may be before it could change a top-1"""

_CALIBRATION_IMAGES = 8


class FastInjection(ExactInjection):
    """Injects faults into one network, block of images by block of images."""

    def __init__(self, model: nn.Module, images: Tensor, memory: int) -> None:
        """As for `exact`; the rounding error is measured on a sample of faults."""
        self._suffixes: dict[int, FastSuffix] = {}
        self._copies: set[fx.Node] = set()
        self.tau = 0.0
        """how close two classes may be, relative to the largest magnitude of their pair, before `exact` decides"""
        super().__init__(model, images, memory)
        if self.rows.interchangeable and self._traced is not None:
            self.tau = TAU_SAFETY * self._largest_error(self._traced, images[:_CALIBRATION_IMAGES])

    @property
    def measured(self) -> dict[str, float]:
        """As for `exact`, and tau."""
        return {**super().measured, "tau": self.tau}

    def dense_macs(self, layer: int) -> int:
        """As for `exact`, the updates of one channel counted as that."""
        macs = super().dense_macs(layer)
        if self._traced is None or layer not in self._suffixes:
            return macs
        for update in self._suffixes[layer].updates.values():
            whole = count_macs(self._traced.network, update.inner, self._traced.shapes)
            channel_map = self._traced.suffixes[layer].frontier[update.source]
            macs -= whole - whole * channel_map.width // len(update.by_input)
        return macs

    def _golden_nodes(self, traced: TracedNetwork) -> tuple[fx.Node, ...]:
        folded = fold_layers(traced.network)
        for layer, suffix in traced.suffixes.items():
            self._suffixes[layer] = fast_suffix(suffix, folded, traced.network)
        self._copies = {node for suffix in self._suffixes.values() for node in suffix.golden}
        return (*{*super()._golden_nodes(traced), *self._copies}, *self._copies)

    def load(self, images: Tensor) -> GoldenBlock:
        """Golden values of a block of images [n, C, H, W], n at most `block_rows`."""
        with torch.inference_mode():
            return FastBlock.of(super().load(images), self._copies)

    def _runner(self, traced: TracedNetwork, block: GoldenBlock, layer: int, recorder: Recorder) -> PairRunner:
        exact = super()._runner(traced, block, layer, recorder)
        if not self.rows.interchangeable:
            return exact
        assert isinstance(block, FastBlock)
        batch = FastBatches(traced.network, self._suffixes[layer], block, self.rows)
        return FastRunner(batch, exact, recorder, self._sizes.dense[layer], self.tau)

    def _largest_error(self, traced: TracedNetwork, images: Tensor) -> float:
        """Over all bits of some weights of every layer, relative to the largest magnitude met since the fault."""
        block = self.load(images)
        assert isinstance(block, FastBlock)
        largest = 0.0
        for layer, suffix in traced.suffixes.items():
            batches = FastBatches(traced.network, self._suffixes[layer], block, self.rows)
            meter = ErrorMeter(batches)
            batch = max(self._sizes.dense[layer], self.rows.floor)
            exact = ExactRunner(traced.network, suffix, self.rows, batch, block, meter)
            packed = PackedRuns(traced.network, suffix, self.modules[layer], block, whole_blocks=False)
            with torch.inference_mode():
                for pairs in packed.run(sample_faults(layer, self.modules[layer].weight)):
                    largest = max(largest, meter.largest_error(pairs, exact))
        return largest


class FastRunner:
    """Runs pairs as they come; those too close to call go to `exact`."""

    def __init__(self, batches: FastBatches, exact: PairRunner, recorder: Recorder, size: int, tau: float) -> None:
        """`size`: pairs to run at once."""
        self._batches = batches
        self._exact = exact
        self._recorder = recorder
        self._size = size
        self._tau = tau
        self._faultless = batches.faultless_logits(size)
        self._waiting: list[Pairs] = []

    def add(self, pairs: Pairs) -> None:
        """Run all that waits, once there is enough for a batch."""
        self._waiting.append(pairs)
        if sum(map(len, self._waiting)) >= self._size:
            self._run_waiting()

    def finish(self) -> None:
        """Run what is left."""
        self._run_waiting()
        self._exact.finish()

    def _run_waiting(self) -> None:
        waiting = Pairs.concat(self._waiting) if self._waiting else None
        self._waiting = []
        if waiting is None or len(waiting) == 0:
            return
        waiting = waiting.take(waiting.channel.argsort(stable=True))
        for start in range(0, len(waiting), self._size):
            self._run(waiting.take(slice(start, start + self._size)))

    def _run(self, pairs: Pairs) -> None:
        logits, magnitude = self._batches.run(pairs)
        reach = logits.amax(1) - self._tau * magnitude
        # NaN and infinity compare as false: their pairs are critical whichever way they are computed
        close = ((logits >= reach[:, None]).sum(1) > 1) & (magnitude < torch.inf)
        self._recorder.record(pairs.fault, pairs.image, self._as_golden(logits, pairs.image))
        if close.any():
            self._exact.add(pairs.take(close.nonzero().squeeze(1)))

    def _as_golden(self, logits: Tensor, images: Tensor) -> Tensor:
        """Golden's own logits where the same arithmetic gives the same without the fault: the pair is masked."""
        same = (logits == self._faultless.index_select(0, images)).all(1, keepdim=True)
        return torch.where(same, self._batches.block.logits.index_select(0, images), logits)
