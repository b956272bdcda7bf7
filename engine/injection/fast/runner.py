"""The second stage of `fast`: pairs are run as they come, and those with a certain top-1 are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from engine.injection.pairs import Pairs

if TYPE_CHECKING:
    from torch import Tensor

    from engine.injection.fast.batches import FastBatches
    from engine.injection.recording import Recorder


class FastRunner:
    """Runs pairs as they come, and records those whose top-1 is certain."""

    def __init__(self, batches: FastBatches, recorder: Recorder, size: int, together: int, tau: float) -> None:
        """`size`: pairs to run at once; `together`: those whose logits are looked at at once."""
        self._batches = batches
        self._recorder = recorder
        self._size = size
        self._together = together
        self._tau = tau
        self._overflow = batches.suffix.overflow
        self._faultless = batches.faultless_logits(size)
        self._faultless_own = own_logits(self._faultless, batches.block.top1)
        self._waiting: list[Pairs] = []
        self._close: list[Pairs] = []

    def add(self, pairs: Pairs) -> None:
        """Run all that waits, once there is enough for some batches."""
        self._waiting.append(pairs)
        if sum(map(len, self._waiting)) >= self._together:
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
            self._record_certain(waiting, logits, torch.maximum(bound, met))

    def _record_certain(self, pairs: Pairs, logits: Tensor, bound: Tensor) -> None:
        """Record the pairs whose top-1 is certain; keep the others."""
        top1 = self._batches.block.top1.index_select(0, pairs.image)
        own = own_logits(logits, top1)
        others = logits.scatter(0, top1[None], -torch.inf).amax(0)
        needed = torch.where(bound < self._overflow, self._tau * bound, torch.inf)
        certain = own - others > needed
        is_masked = self._is_faultless(pairs.image, logits, own)
        doubt = needed / (own - others) if self._recorder.looks_at_doubt else None
        self._recorder.record_certain(pairs.fault, pairs.image, ~is_masked, doubt)
        rest = certain.logical_not_().nonzero().squeeze(1)
        if len(rest):
            self._record_others(
                pairs.take(rest), logits.index_select(1, rest).T.contiguous(), needed.index_select(0, rest)
            )

    def _record_others(self, pairs: Pairs, logits: Tensor, needed: Tensor) -> None:
        """Pairs whose top-1 is not golden's, or not certain; `logits` [pairs, classes], `needed` [pairs] lead."""
        behind = (logits < (logits.amax(1) - needed)[:, None]).sum(1)
        is_clear = (behind == logits.shape[1] - 1) & needed.isfinite()  # it is not where a logit is not
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
    """The logits of golden's `top1` [pairs], out of `logits` [classes, pairs]."""
    return logits.gather(0, top1[None]).squeeze(0)
