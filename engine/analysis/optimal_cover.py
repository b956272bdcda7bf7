"""The fewest images that show every critical fault: reduced to what is undecided, then solved as an integer program."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from engine.steps import Step, nobody_waits

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.analysis.cover import Incidence, Places
    from engine.steps import OnStep

    Shows = npt.NDArray[np.bool_]

SECONDS = 20.0
"""for the integer program; what it has found by then is told with its gap"""

ROWS = 256
"""that are compared with all others at once"""

MOST_CELLS = 10**8
"""faults times images that are compared with each other; of more, the order of `greedy_order` is all there is"""


@dataclass(frozen=True, eq=False)
class Cover:
    """Images that together show every critical fault."""

    images: Places
    """[n] their numbers, ascending"""
    at_least: int
    """no set of fewer images shows all: the set is optimal where it has as many"""

    @property
    def gap(self) -> float:
        """By what share of it the set may be too large, 0..1."""
        return 1 - self.at_least / len(self.images) if len(self.images) else 0.0


def smallest_cover(incidence: Incidence, seconds: float = SECONDS, on_step: OnStep = nobody_waits) -> Cover:
    """The fewest images that show every fault, or few with a bound.

    A fault needs no look where another one is shown only by images that show it, too; an image needs none where another
    shows all that it shows, and more or has a lower number; an image that alone shows a fault is taken. What these
    three rules leave is solved by HiGHS (`scipy.optimize.milp`).

    Args:
        incidence: of n images and m faults.
        seconds: for the solver.
        on_step: told what is being done.
    """
    greedy, kinds = _greedy_cover(incidence), _kinds_of_faults(incidence)
    if len(kinds) * incidence.images > MOST_CELLS:
        return Cover(greedy, _least_by_counting(incidence))
    distinct = np.zeros((len(kinds), incidence.images), np.bool_)
    for row, images in enumerate(kinds):
        distinct[row, images] = True
    on_step(Step("leaving out what is decided"))
    taken, faults, candidates = _reduced(distinct)
    if not len(faults):
        return Cover(np.sort(taken), len(taken))
    on_step(Step("solving what is left"))
    chosen, bound = _solved(distinct[np.ix_(faults, candidates)], seconds)
    at_least = len(taken) + bound
    found = None if chosen is None else np.sort(np.concatenate([taken, candidates[chosen]]))
    return Cover(greedy if found is None or len(greedy) < len(found) else found, at_least)


def _greedy_cover(incidence: Incidence) -> Places:
    needed = int(incidence.first_seen(incidence.greedy).max(initial=-1)) + 1
    return np.sort(incidence.greedy[:needed])


def _least_by_counting(incidence: Incidence) -> int:
    """No image shows more faults than the one that shows most."""
    most = int(np.diff(incidence.by_image[0]).max(initial=0))
    return math.ceil(incidence.faults / most) if most else 0


def _kinds_of_faults(incidence: Incidence) -> list[Places]:
    """The images that show a fault, ascending, for one fault of those that the same images show."""
    starts, images = incidence.by_fault
    kinds = {np.sort(images[start:stop]).tobytes() for start, stop in pairwise(starts)}
    return [np.frombuffer(kind, np.int64) for kind in sorted(kinds)]


def _reduced(shows: Shows) -> tuple[Places, Places, Places]:
    """Images that any best set may be taken to have, and the faults and images that are left to decide."""
    taken: list[int] = []
    faults, images = np.arange(shows.shape[0]), np.arange(shows.shape[1])
    while len(faults):
        before = len(faults), len(images)
        faults = faults[~_is_implied(shows[np.ix_(faults, images)])]
        images = images[~_is_implied(~shows[np.ix_(faults, images)].T)]
        alone = shows[np.ix_(faults, images)].sum(axis=1) == 1
        essential = np.unique(images[shows[np.ix_(faults[alone], images)].argmax(axis=1)])
        taken += essential.tolist()
        faults = faults[~shows[np.ix_(faults, essential)].any(axis=1)]
        images = np.setdiff1d(images, essential)
        if (len(faults), len(images)) == before:
            break
    return np.array(taken, np.int64), faults, images


def _is_implied(sets: Shows) -> npt.NDArray[np.bool_]:
    """Which rows hold all of another row: of equal rows, all but the first."""
    sizes, numbers = sets.sum(axis=1), sets.astype(np.float32)  # whose products count exactly, up to 2^24
    implied = np.zeros(len(sets), np.bool_)
    small_first = np.argsort(sizes, kind="stable")
    for start in range(0, len(sets), ROWS):
        rows = small_first[start : start + ROWS]
        rows, others = rows[~implied[rows]], np.flatnonzero(~implied)
        holds = numbers[others] @ numbers[rows].T == sizes[rows]
        holds &= (sizes[others, None] > sizes[rows]) | (others[:, None] > rows)
        implied[others[holds.any(axis=1)]] = True
    return implied


def _solved(shows: Shows, seconds: float) -> tuple[Places | None, int]:
    """The images of a best set that was found, if any, and how many images any set has at least."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # a second to import
    from scipy.sparse import csr_array

    images = shows.shape[1]
    result = milp(
        np.ones(images),
        integrality=np.ones(images),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(csr_array(shows.astype(np.float64)), lb=1),
        options={"time_limit": seconds},
    )
    chosen = None if result.x is None else np.flatnonzero(result.x > 0.5)
    bound = result.mip_dual_bound
    return chosen, 1 if bound is None or not math.isfinite(bound) else math.ceil(bound - 1e-6)
