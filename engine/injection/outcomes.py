"""What injecting faults gave, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Sites:
    """Weights that faults change beyond their first one, and what each becomes: S sites."""

    fault: NDArray[np.int64]
    """[S] row of the fault, ascending"""
    layer: NDArray[np.int32]
    """[S] index of the injectable layer"""
    weight_index: NDArray[np.int64]
    """[S] flat index into the layer's weight, C order; no fault names a weight twice"""
    value: NDArray[np.float32]
    """[S] the faulty value"""

    def __len__(self) -> int:
        return len(self.fault)

    def take(self, rows: NDArray[np.int64]) -> Sites:
        """The sites of the faults at `rows` [n], whose place among `rows` is their row from now on."""
        first, stop = (np.searchsorted(self.fault, rows, side=side) for side in ("left", "right"))
        counts = stop - first
        fault = np.repeat(np.arange(len(rows)), counts)
        site = np.arange(len(fault)) + np.repeat(first - (np.cumsum(counts) - counts), counts)
        return Sites(fault, self.layer[site], self.weight_index[site], self.value[site])

    def after(self, faults: int) -> Sites:
        """The sites as they are counted where so many faults come before."""
        return replace(self, fault=self.fault + faults)

    def arrays(self) -> tuple[NDArray[Any], ...]:
        """The four arrays [S], in the order of the fields."""
        return self.fault, self.layer, self.weight_index, self.value


@dataclass(frozen=True)
class WeightFaults:
    """F faults as they are executed: the value each one leaves in its weight."""

    positions: NDArray[np.int64]
    """[F] place in the fault list"""
    layer: NDArray[np.int32]
    """[F] index of the injectable layer"""
    weight_index: NDArray[np.int64]
    """[F] flat index into the layer's weight, C order"""
    value: NDArray[np.float32]
    """[F] the faulty value"""
    changes: NDArray[np.bool_]
    """[F] False where a stuck-at bit already holds its value: masked by construction, never run"""
    more: Sites | None = None
    """the sites of faults in several weights but their first, which the other fields have; None: each fault has one"""

    def __len__(self) -> int:
        return len(self.positions)

    def take(self, rows: NDArray[np.int64] | slice) -> WeightFaults:
        """The faults at these rows, [n] or a slice."""
        more = self.more
        if more is not None:
            more = more.take(np.arange(len(self))[rows])
        return WeightFaults(
            self.positions[rows],
            self.layer[rows],
            self.weight_index[rows],
            self.value[rows],
            self.changes[rows],
            more if more else None,
        )

    def joined(self, other: WeightFaults) -> WeightFaults:
        """The faults, and then those of `other`."""
        more = [each for each in (self.more, other.more and other.more.after(len(self))) if each]
        return WeightFaults(
            np.concatenate([self.positions, other.positions]),
            np.concatenate([self.layer, other.layer]),
            np.concatenate([self.weight_index, other.weight_index]),
            np.concatenate([self.value, other.value]),
            np.concatenate([self.changes, other.changes]),
            Sites(*map(np.concatenate, zip(*(each.arrays() for each in more), strict=True))) if more else None,
        )


@dataclass(frozen=True)
class Audit:
    """Pairs that a bound calls safe and that were drawn to be run all the same: P rows.

    A pair that was drawn both by itself and with its whole fault has two rows.
    """

    fault: NDArray[np.int64]
    """[P] row in `Outcomes.severity`"""
    image: NDArray[np.int64]
    """[P] column in `Outcomes.severity`"""
    bound: NDArray[np.float32]
    """[P] what called the pair safe"""
    prediction: NDArray[np.uint16]
    """[P] faulty top-1, torch's argmax where logits are not finite"""
    severity: NDArray[np.uint8]
    """[P] 0 masked, 1 non-critical, 2 critical: a miss"""
    drawn_as: NDArray[np.int8]
    """[P] 0 a pair by itself, 1 one of all screened pairs of a whole fault"""

    def __len__(self) -> int:
        return len(self.fault)


@dataclass(frozen=True)
class Outcomes:
    """What F faults did to a block of I images; K of the pairs are critical."""

    positions: NDArray[np.int64]
    """[F] places in the fault list, consecutive in execution order"""
    severity: NDArray[np.uint8]
    """[F, I] 0 masked, 1 non-critical, 2 critical, 3 screened, 4 dropped"""
    critical_fault: NDArray[np.int64]
    """[K] row in `severity`; pairs are in the order of rows, then columns"""
    critical_image: NDArray[np.int64]
    """[K] column in `severity`"""
    prediction: NDArray[np.uint16]
    """[K] faulty top-1, torch's argmax where logits are not finite"""
    nonfinite: NDArray[np.bool_]
    """[K] whether any faulty logit is NaN or infinite"""
    golden_in_top5: NDArray[np.bool_]
    """[K] whether the golden class is among the five best under the fault; never where logits are not finite"""
    softmax_lost: NDArray[np.float32]
    """[K] the golden class's softmax without the fault minus with it; NaN where logits are not finite"""
    audit: Audit | None = None
    """the screened pairs that were run all the same: they stay 3 in `severity`, but for a miss, which is 2 there and
    one of the K; None where nothing is audited"""
    screened_by_change: int = 0
    """so many of the screened pairs were called safe by their exact change, the others by their bound alone"""
