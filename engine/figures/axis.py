"""A number axis: where values lie on it, which part of it is shown, and its round ticks."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.units import short_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

ROUND_STEPS = (1, 2, 2.5, 5, 10)
LARGEST = sys.float_info.max / 4
"""the ends of an axis are no further from 0, so that its length is a number, too"""
WHOLE: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`; on a log axis from `least`, because there is no place for 0 there."""

    high: float
    log: bool = False
    least: float = 1
    window: tuple[float, float] = WHOLE
    """which part of the axis is shown, in shares of its length"""
    fractions: bool = False
    """whether ticks need not be whole numbers"""
    low: float = 0.0
    """the start of a linear axis"""

    @classmethod
    def over(cls, *values: NDArray[np.float64]) -> Axis:
        """From the smallest to the largest finite value; counts begin at 0 where that wastes no room."""
        finite = [part[np.abs(part) < LARGEST] for part in values]
        low = min((float(part.min()) for part in finite if len(part)), default=0.0)
        high = max((float(part.max()) for part in finite if len(part)), default=1.0)
        if 0 < low < high / 2:
            low = 0.0
        low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
        return cls(high, fractions=True, low=low)

    def place(self, values: ArrayLike) -> NDArray[np.float64]:
        """Where values lie, in an array of their shape: 0 the start of what is shown, 1 its end.

        NaN for what a log axis cannot show.

        >>> Axis(high=10).place([0, 5, 10]).tolist()
        [0.0, 0.5, 1.0]
        """
        numbers = np.asarray(values, dtype=np.float64)
        if self.log:
            shown = np.where(numbers >= self.least, numbers, np.nan)
            places = np.log(shown / self.least) / math.log(max(self.high / self.least, 2))
        else:
            places = (numbers - self.low) / (self.high - self.low)
        start, stop = self.window
        return places if self.window == WHOLE else (places - start) / (stop - start)

    def value(self, place: float) -> float:
        """What lies at a place; the inverse of `place`."""
        start, stop = self.window
        share = start + place * (stop - start)
        if self.log:
            return float(self.least * max(self.high / self.least, 2) ** share)
        return self.low + (self.high - self.low) * share

    def ticks(self, most: int) -> list[float]:
        """At most `most` round numbers on what is shown, in rising order; where all is shown, the start included."""
        low, high = self.value(0), self.value(1)
        if self.log:
            high = min(high, max(self.high, self.least))
            for mantissas in ((1,), (1, 2, 5)):
                ticks = _log_ticks(low, high, mantissas)
                if len(ticks) > 2:
                    break
            if self.window == WHOLE or len(ticks) > 1:
                return ticks[:: math.ceil(len(ticks) / max(most, 1))]
        step = round_step((high - low) / max(most - 1, 1), self.fractions)
        first = math.ceil(low / step - 1e-9)
        return [step * index for index in range(first, math.floor(high / step + 1e-9) + 1)]

    def labels(self, ticks: Sequence[float]) -> list[str]:
        """What stands beside the ticks."""
        return tick_labels(ticks)


def _log_ticks(low: float, high: float, mantissas: Sequence[int]) -> list[float]:
    exponents = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    values = (mantissa * 10.0**exponent for exponent in exponents for mantissa in mantissas)
    return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def round_step(least: float, fractions: bool = False) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is at least `least`; a whole number unless `fractions`."""
    magnitude = 10.0 ** math.floor(math.log10(max(least, sys.float_info.min if fractions else 1)))
    steps = (step * magnitude for step in ROUND_STEPS)
    return next(step for step in steps if step >= least and (fractions or step % 1 == 0))


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Short where that is exact, else every digit."""
    labels = [short_count(tick) if abs(tick) >= 1000 or tick == int(tick) else f"{tick:.3g}" for tick in ticks]
    exact = [math.isclose(_number(label), tick, rel_tol=1e-6) for label, tick in zip(labels, ticks, strict=True)]
    return labels if all(exact) else [f"{tick:,.10g}" for tick in ticks]


def _number(label: str) -> float:
    units = {"k": 1e3, "M": 1e6, "G": 1e9}
    return float(label[:-1]) * units[label[-1]] if label[-1] in units else float(label)
