"""The order in which a campaign that may stop early runs its faults: in waves, each a random sample of every stratum.

After each wave the campaign looks at what was found so far, and stops where that is known well enough. Who looks
several times is more often misled than who looks once: an interval that holds the truth with a confidence of 99 % at
each of `LOOKS` looks misses it at one of them in up to `LOOKS` % of all campaigns. So each look's interval is one of
1 - (1 - confidence) / LOOKS, which keeps the promise over all of them together, whatever they have in common
(Bonferroni's inequality).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.faults.fault_list import FaultList

SHARES = np.array([1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0])
"""of the faults of each stratum that are run when each wave ends"""

LOOKS = len(SHARES)

_STREAM = 0x77617665
"""apart from the random numbers that the faults were drawn with"""


def in_waves(faults: FaultList, seed: int) -> FaultList:
    """Give each fault the wave that runs it; a stratum that has any faults gives one to the first wave.

    Args:
        faults: drawn from their strata.
        seed: of the campaign's draws.
    """
    random = np.random.default_rng((seed, _STREAM)).random(len(faults))
    by_stratum = np.lexsort((random, faults.stratum))
    sizes = np.bincount(faults.stratum, minlength=len(faults.strata))
    place = np.empty(len(faults))
    place[by_stratum] = np.arange(len(faults)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    wave = np.searchsorted(SHARES, place / sizes[faults.stratum], side="right")
    return replace(faults, wave=wave.astype(np.uint8))


def wave_stops(wave: npt.NDArray[np.integer]) -> list[int]:
    """How many faults are run when each wave ends that has any; the last one is how many there are.

    Args:
        wave: [F] of each fault, in any order.
    """
    if not wave.any():  # the most there are: counting takes eight bytes a fault
        return [len(wave)]
    counts = np.bincount(wave)
    stops: list[int] = np.cumsum(counts)[counts > 0].tolist()
    return stops
