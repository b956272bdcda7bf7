"""A number axis: where values lie on it, and its round ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ROUND_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Axis:
    """From 0 to `high`; on a log axis from 1, because counts have no place for 0 there."""

    high: float
    log: bool = False

    def place(self, values: ArrayLike) -> NDArray[np.float64]:
        """Where values lie, 0 the start and 1 the end; NaN for what a log axis cannot show."""
        numbers = np.asarray(values, dtype=np.float64)
        if not self.log:
            return numbers / self.high
        shown = np.where(numbers >= 1, numbers, np.nan)
        return np.log(shown) / math.log(max(self.high, 2))

    def ticks(self, most: int) -> list[int]:
        """At most `most` round whole numbers on the axis, in rising order, the start included."""
        if self.log:
            powers = [10**exponent for exponent in range(int(math.log10(max(self.high, 1))) + 1)]
            return powers[:: math.ceil(len(powers) / max(most, 1))]
        step = round_step(self.high / max(most - 1, 1))
        return [step * index for index in range(int(self.high / step) + 1)]


def round_step(least: float) -> int:
    """The smallest whole number of 1, 2, 2.5, 5 times a power of ten that is at least `least`."""
    magnitude = 10 ** math.floor(math.log10(max(least, 1)))
    steps = (step * magnitude for step in ROUND_STEPS)
    return int(next(step for step in steps if step >= least and step % 1 == 0))
