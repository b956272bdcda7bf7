"""Classification of faulty logits, collected on the device that computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.injection.outcomes import Audit, Outcomes
from engine.severity import CRITICAL, DROPPED, SCREENED

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NONFINITE = DROPPED + 1  # inside the matrix only; leaves as critical with the flag set


class Recorder:
    """What becomes of faulty logits: nothing, but for what a recorder of its own takes of it."""

    looks_at_doubt = False
    """whether it wants to know how near pairs were to being looked at, or to being run; None is given if not"""

    def record(self, faults: Tensor, images: Tensor, logits: Tensor) -> None:
        """The faulty `logits` [pairs, classes] of the pairs (`faults`, `images`), both int64 [pairs]."""

    def record_certain(self, faults: Tensor, images: Tensor, severity: Tensor, doubt: Tensor | None) -> None:
        """The severities of pairs whose logits need not be looked at.

        Args:
            faults: int64 [pairs] row of each.
            images: int64 [pairs] column of each.
            severity: [pairs] masked or non-critical.
            doubt: [pairs] how near each was to being looked at: from 1 on it would be; None: nobody asks.
        """

    def record_bounded(self, faults: Tensor, images: slice, severity: Tensor, doubt: Tensor | None) -> None:
        """The severities of pairs that bounds decide without a run, before anything else is said of these pairs.

        Args:
            faults: int64 [n] rows.
            images: the columns.
            severity: bool [n, images] False masked, True non-critical: such a pair is not run.
            doubt: [n, images] how near each was to being run: from 1 on it would be; None: nobody asks.
        """

    def record_screened(self, screened: Tensor, by_change: int, doubt: Tensor | None) -> None:
        """The pairs that were not run because a bound calls them safe, bool [all faults, images], after all else.

        Args:
            screened: which pairs; audited ones, which `record_audit` is told of, are not among them.
            by_change: how many, audited ones included, by their exact change, which the second stage has looked at.
            doubt: [all faults, images] how near each was to being run: above 1 it would be; None: nobody asks.
        """

    def record_audit(self, faults: Tensor, images: Tensor, bound: Tensor, drawn_as: int) -> None:
        """Pairs that a bound calls safe and that were run all the same; told last of all.

        Args:
            faults: int64 [pairs] row of each.
            images: int64 [pairs] column of each.
            bound: [pairs] what called it safe.
            drawn_as: see `Audit.drawn_as`.
        """


TOP = 5
"""classes among which the golden one is looked for, the best of an image under a fault"""


_LOSSES = 2**16
"""critical pairs whose losses are computed at once"""


class Loss(NamedTuple):
    """What some critical pairs took from the golden class, on the device."""

    in_top5: Tensor
    """bool [K] see `Outcomes.golden_in_top5`"""
    softmax: Tensor
    """float32 [K] see `Outcomes.softmax_lost`"""

    @classmethod
    def of(cls, top1: Tensor, golden: Tensor, faulty: Tensor) -> Loss:
        """What K critical pairs took from the golden class; softmax is computed in float64.

        Of equal logits the lowest class is the best.

        Args:
            top1: [K] golden class.
            golden: float64 [K] the softmax it had without a fault.
            faulty: [K, classes] faulty logits.
        """
        own = faulty.gather(1, top1[:, None])
        is_lower = torch.arange(faulty.shape[1], device=faulty.device) < top1[:, None]
        ahead = ((faulty > own) | ((faulty == own) & is_lower)).sum(1)
        is_finite = faulty.abs().amax(1).isfinite()
        left = (own.squeeze(1).double() - faulty.double().logsumexp(1)).exp()
        return cls((ahead < TOP) & is_finite, torch.where(is_finite, golden - left, torch.nan).float())


class _Audited(NamedTuple):
    """Screened pairs that were run all the same."""

    pair: Tensor
    """[n] place in the matrix, row by row"""
    bound: Tensor
    """[n]"""
    drawn_as: int


class SeverityMatrix(Recorder):
    """Severities and predictions of some faults (rows) on one block of images (columns); masked until recorded."""

    def __init__(self, faults: int, golden_logits: Tensor) -> None:
        """`golden_logits`: [images, classes]."""
        self._golden = golden_logits
        self._top1 = golden_logits.argmax(1)
        self._images = len(golden_logits)
        device = golden_logits.device
        self._severity = torch.zeros(faults * self._images, dtype=torch.uint8, device=device)
        self._prediction = torch.empty(faults * self._images, dtype=torch.int16, device=device)  # of recorded pairs
        self._critical: list[tuple[Tensor, Tensor]] = []
        """pairs and their faulty logits, as they were recorded"""
        self._audited: list[_Audited] = []
        self._screened_by_change = 0

    def record(self, faults: Tensor, images: Tensor, logits: Tensor) -> None:
        """Classify faulty `logits` [pairs, classes] of pairs, in rows `faults` [pairs] and columns `images` [pairs]."""
        top1 = logits.argmax(1)
        differs = (logits != self._golden.index_select(0, images)).any(1)
        severity = torch.where(top1 != self._top1.index_select(0, images), CRITICAL, differs.to(torch.uint8))
        is_finite = logits.abs().amax(1).isfinite()  # NaN is its own largest
        severity = torch.where(is_finite, severity, _NONFINITE)
        pair = faults * self._images + images
        self._severity[pair] = severity.to(torch.uint8)
        self._prediction[pair] = top1.to(torch.int16)
        critical = (severity >= 2).nonzero().squeeze(1)
        if len(critical):
            self._critical.append((pair.index_select(0, critical), logits.index_select(0, critical)))

    def record_certain(self, faults: Tensor, images: Tensor, severity: Tensor, doubt: Tensor | None) -> None:  # noqa: ARG002 - as a Recorder
        """Take over the known `severity` [pairs] of pairs, in rows `faults` [pairs] and columns `images` [pairs]."""
        self._severity[faults * self._images + images] = severity.to(torch.uint8)

    def record_bounded(self, faults: Tensor, images: slice, severity: Tensor, doubt: Tensor | None) -> None:  # noqa: ARG002 - as a Recorder
        """Take over the `severity` [n, images] that is known without a run, in rows `faults` [n] and some columns."""
        self._severity.view(-1, self._images)[:, images].index_copy_(0, faults, severity.view(torch.uint8))

    def record_screened(self, screened: Tensor, by_change: int, doubt: Tensor | None) -> None:  # noqa: ARG002 - as a Recorder
        """Take over which pairs were not run, bool [all faults, images]; audited ones come by `record_audit`."""
        self._severity.view(-1, self._images).masked_fill_(screened, SCREENED)
        self._screened_by_change += by_change

    def record_audit(self, faults: Tensor, images: Tensor, bound: Tensor, drawn_as: int) -> None:
        """Have pairs shown as screened unless they are critical, in rows `faults` [pairs], columns `images` [pairs]."""
        self._audited.append(_Audited(faults * self._images + images, bound, drawn_as))

    def _found(self) -> tuple[Tensor, Tensor]:
        """The critical pairs [K], ascending, and their faulty logits; of a pair that was recorded twice, the last ones.

        From what was recorded: a look at every pair of the matrix takes far longer.
        """
        if not self._critical:
            return self._top1.new_empty(0), self._golden[:0]
        pair, logits = map(torch.cat, zip(*self._critical, strict=True))
        pair, order = pair.sort(stable=True)
        severity = self._severity[pair]
        is_critical = (severity == CRITICAL) | (severity == _NONFINITE)
        is_critical[:-1] &= pair[1:] != pair[:-1]
        kept = is_critical.nonzero().squeeze(1)
        return pair[kept], logits.index_select(0, order[kept])

    def _loss(self, pair: Tensor, logits: Tensor) -> Loss:
        """What critical pairs [K] lost, given their faulty logits; few operations for many pairs."""
        golden = self._golden.double().softmax(1).gather(1, self._top1[:, None]).squeeze(1)
        parts = [
            Loss.of(self._top1[image], golden[image], faulty)
            for image, faulty in zip(
                torch.split(pair % self._images, _LOSSES), torch.split(logits, _LOSSES), strict=True
            )
        ]
        return Loss(*map(torch.cat, zip(*parts, strict=True)))

    @torch.inference_mode()
    def outcomes(self, positions: NDArray[np.int64]) -> Outcomes:
        """Everything recorded, on the host, once; `positions` [faults] are the faults' places in the fault list."""
        pair, logits = self._found()
        loss, audit, severity = self._loss(pair, logits), self._audit(), self._severity
        nonfinite = severity[pair] == _NONFINITE
        severity[pair[nonfinite]] = CRITICAL
        for audited in self._audited:
            severity[audited.pair[severity[audited.pair] < CRITICAL]] = SCREENED
        return Outcomes(
            positions=positions,
            severity=severity.cpu().numpy().reshape(len(positions), self._images),
            critical_fault=(pair // self._images).cpu().numpy(),
            critical_image=(pair % self._images).cpu().numpy(),
            prediction=self._prediction[pair].cpu().numpy().astype("uint16"),
            nonfinite=nonfinite.cpu().numpy(),
            golden_in_top5=loss.in_top5.cpu().numpy(),
            softmax_lost=loss.softmax.cpu().numpy(),
            audit=audit,
            screened_by_change=self._screened_by_change,
        )

    def _audit(self) -> Audit | None:
        """What was found of the audited pairs."""
        if not self._audited:
            return None
        pair = torch.cat([audited.pair for audited in self._audited])
        severity = self._severity[pair].clamp(max=CRITICAL)
        golden = self._top1[pair % self._images]
        prediction = torch.where(severity == CRITICAL, self._prediction[pair].long() & 0xFFFF, golden)
        return Audit(
            fault=(pair // self._images).cpu().numpy(),
            image=(pair % self._images).cpu().numpy(),
            bound=torch.cat([audited.bound for audited in self._audited]).cpu().numpy(),
            prediction=prediction.cpu().numpy().astype("uint16"),
            severity=severity.cpu().numpy(),
            drawn_as=np.repeat(
                np.array([audited.drawn_as for audited in self._audited], np.int8),
                [len(audited.pair) for audited in self._audited],
            ),
        )
