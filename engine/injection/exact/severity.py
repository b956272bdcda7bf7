"""Classification of faulty logits, collected on the device that computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch

from engine.injection.outcomes import Outcomes
from engine.severity import CRITICAL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

_NONFINITE = CRITICAL + 1  # inside the matrix only; leaves as critical with the flag set


class Recorder(Protocol):
    """What becomes of faulty logits."""

    @property
    def looks_at_doubt(self) -> bool:
        """Whether it wants to know how near pairs were to being looked at, or to being run; None is given if not."""

    def record(self, faults: Tensor, images: Tensor, logits: Tensor) -> None:
        """The faulty `logits` [pairs, classes] of the pairs (`faults`, `images`), both int64 [pairs]."""

    def settle(self, faults: Tensor, images: Tensor, severity: Tensor, doubt: Tensor | None) -> None:
        """The `severity` [pairs], masked or non-critical, of pairs whose logits need not be looked at.

        `doubt` [pairs] is how near each was to being looked at: from 1 on it would be.
        """

    def settle_images(self, faults: Tensor, images: slice, severity: Tensor, doubt: Tensor | None) -> None:
        """The `severity` [faults, images], masked or non-critical, before anything else is said of these pairs.

        Where it is not 0 the pair is not run. `doubt` [faults, images] is how near each was to being run, as above.
        """


class SeverityMatrix:
    """Severities and predictions of some faults (rows) on one block of images (columns); masked until recorded."""

    looks_at_doubt = False

    def __init__(self, faults: int, golden_logits: Tensor) -> None:
        """`golden_logits`: [images, classes]."""
        self._golden = golden_logits
        self._top1 = golden_logits.argmax(1)
        self._images = len(golden_logits)
        device = golden_logits.device
        self._severity = torch.zeros(faults * self._images, dtype=torch.uint8, device=device)
        self._prediction = torch.empty(faults * self._images, dtype=torch.int16, device=device)  # of recorded pairs

    def record(self, faults: Tensor, images: Tensor, logits: Tensor) -> None:
        """Classify the faulty logits of some pairs."""
        top1 = logits.argmax(1)
        differs = (logits != self._golden.index_select(0, images)).any(1)
        severity = torch.where(top1 != self._top1.index_select(0, images), CRITICAL, differs.to(torch.uint8))
        is_finite = logits.abs().amax(1).isfinite()  # NaN is its own largest
        severity = torch.where(is_finite, severity, _NONFINITE)
        pair = faults * self._images + images
        self._severity[pair] = severity.to(torch.uint8)
        self._prediction[pair] = top1.to(torch.int16)

    def settle(self, faults: Tensor, images: Tensor, severity: Tensor, doubt: Tensor | None) -> None:  # noqa: ARG002 - as a Recorder
        """Take over severities that are known."""
        self._severity[faults * self._images + images] = severity.to(torch.uint8)

    def settle_images(self, faults: Tensor, images: slice, severity: Tensor, doubt: Tensor | None) -> None:  # noqa: ARG002 - as a Recorder
        """Take over severities that are known without a run."""
        self._severity.view(-1, self._images)[:, images].index_copy_(0, faults, severity.to(torch.uint8))

    def outcomes(self, positions: NDArray[np.int64]) -> Outcomes:
        """Everything recorded, on the host; `positions` are the faults' places in the fault list."""
        pair = (self._severity >= CRITICAL).nonzero().squeeze(1)
        nonfinite = self._severity[pair] == _NONFINITE
        return Outcomes(
            positions=positions,
            severity=self._severity.clamp(max=CRITICAL).cpu().numpy().reshape(len(positions), self._images),
            critical_fault=(pair // self._images).cpu().numpy(),
            critical_image=(pair % self._images).cpu().numpy(),
            prediction=self._prediction[pair].cpu().numpy().astype("uint16"),
            nonfinite=nonfinite.cpu().numpy(),
        )
