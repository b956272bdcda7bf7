"""Which images show which critical faults, and few images that show all of them: a set cover."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Incidence:
    """Which of n images, numbered 0 .. n - 1, show which of m faults: a row for each critical pair, [K].

    Each fault is shown by some image, and no pair is there twice.
    """

    fault: Places
    """[K] 0 .. m - 1"""
    image: Places
    """[K] 0 .. n - 1"""
    images: int
    """n"""

    @classmethod
    def of(
        cls, fault: npt.NDArray[np.integer], image: npt.NDArray[np.integer], workload: npt.NDArray[np.integer]
    ) -> Incidence:
        """The incidence of critical pairs.

        Args:
            fault: [K] any ids.
            image: [K] ids of images.
            workload: [n] ids of the images that were run, whose places become their numbers.
        """
        ids = 1 + max((int(some.max()) for some in (workload, image) if len(some)), default=-1)
        place = np.full(ids, -1, np.int64)
        place[workload] = np.arange(len(workload))
        number = place[image]
        return cls(np.unique(fault[number >= 0], return_inverse=True)[1], number[number >= 0], len(workload))

    @cached_property
    def faults(self) -> int:
        """How many faults there are, m."""
        return int(self.fault.max(initial=-1)) + 1

    @cached_property
    def by_image(self) -> tuple[Places, Places]:
        """The faults of image i are `faults[starts[i] : starts[i + 1]]`: starts [n + 1], faults [K]."""
        return _grouped(self.image, self.fault, self.images)

    @cached_property
    def by_fault(self) -> tuple[Places, Places]:
        """The images of fault f are `images[starts[f] : starts[f + 1]]`: starts [m + 1], images [K]."""
        return _grouped(self.fault, self.image, self.faults)

    @cached_property
    def greedy(self) -> Places:
        """[n] numbers of images in the order of `greedy_order`, worked out once."""
        return greedy_order(self)

    def first_seen(self, order: Places) -> Places:
        """The place in an `order` of all images, [n] numbers, at which each fault is first seen, [m]."""
        place = np.empty(self.images, np.int64)
        place[order] = np.arange(self.images)
        first = np.full(self.faults, self.images, np.int64)
        np.minimum.at(first, self.fault, place[self.image])
        return first


def _grouped(key: Places, value: Places, keys: int) -> tuple[Places, Places]:
    starts = np.zeros(keys + 1, np.int64)
    np.cumsum(np.bincount(key, minlength=keys), out=starts[1:])
    return starts, value[np.argsort(key, kind="stable")]


def greedy_order(incidence: Incidence, times: int = 1) -> Places:
    """All images: always the one that shows most faults not seen often enough so far, of equals the lower number.

    Images that show nothing more follow in ascending order. The first ones that show all faults are at most
    1 + ln m times as many as the fewest that do (Chvatal 1979).

    Args:
        incidence: of n images and m faults.
        times: how often each fault is to be seen, as far as there are images that show it.

    Returns:
        [n] numbers of images.
    """
    starts, faults = incidence.by_image
    shown_by = np.bincount(incidence.fault, minlength=incidence.faults)
    wanted = np.minimum(times, shown_by)
    # what an image shows of faults that are still wanted only falls, so that an old count is an upper bound
    waiting = [(-count, image) for image, count in enumerate(np.diff(starts).tolist()) if count]
    heapq.heapify(waiting)
    order: list[int] = []
    while waiting:
        _, image = heapq.heappop(waiting)
        shown = faults[starts[image] : starts[image + 1]]
        count = int(np.count_nonzero(wanted[shown]))
        if count == 0:
            continue
        if waiting and (-count, image) > waiting[0]:
            heapq.heappush(waiting, (-count, image))
            continue
        order.append(image)
        wanted[shown] = np.maximum(wanted[shown] - 1, 0)
    rest = np.setdiff1d(np.arange(incidence.images), order)
    return np.concatenate([np.array(order, np.int64), rest])
