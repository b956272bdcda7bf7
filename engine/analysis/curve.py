"""The fault detection curve: how many faults each further image of the workload shows to be harmful."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Counts = npt.NDArray[np.int64]

BAND = 0.1
"""the paper's dotted lines lie this share below and above the final count of critical faults (Fig. 2)"""


@dataclass(frozen=True, eq=False)
class DetectionCurve:
    """Faults by their worst severity over the ranks 0..k, each array [images]; the four add up to all faults."""

    masked: Counts
    non_critical: Counts
    critical: Counts
    screened: Counts
    """faults with a screened image and none that was seen to be non-critical or critical"""


def detection_curve(
    first_non_masked: Counts, first_critical: Counts, images: int, first_screened: Counts | None = None
) -> DetectionCurve:
    """Algorithm 1 of the paper, after every image, from each fault's first harmful ranks.

    Args:
        first_non_masked: [F] first rank at which the fault was seen not to be masked (critical included); no rank of
            these = never.
        first_critical: [F] first rank at which the fault is critical; no rank of these = never.
        images: ranks to draw, from 0 on; what happens at other ranks is not counted.
        first_screened: [F] first rank at which the fault was screened; no rank of these = never; None: no pair was.
    """
    not_masked = first_non_masked
    if first_screened is not None:
        seen, screened = (np.where(first < 0, images, first) for first in (first_non_masked, first_screened))
        not_masked = np.minimum(seen, screened)
    counted = (count_firsts(first, images) for first in (not_masked, first_non_masked, first_critical))
    return curve_of(len(first_non_masked), *counted)


def count_firsts(first: npt.NDArray[np.integer], images: int) -> Counts:
    """How many faults have their first rank at each of the ranks 0 .. images - 1, [images]; others are not counted.

    Args:
        first: [F] first rank of each fault; no rank of these = never.
        images: how many ranks there are.

    >>> count_firsts(np.array([0, 2, 2, 9]), 3).tolist()
    [1, 0, 2]
    """
    return np.bincount(first[(first >= 0) & (first < images)], minlength=images)


def curve_of(faults: int, not_masked: Counts, harmful: Counts, critical: Counts) -> DetectionCurve:
    """Algorithm 1 from how many faults have their first rank of a kind at each rank, [images] each.

    Args:
        faults: in all.
        not_masked: screened, non-critical or critical.
        harmful: non-critical or critical.
        critical: critical.
    """
    not_masked, harmful, critical = (np.cumsum(counts) for counts in (not_masked, harmful, critical))
    return DetectionCurve(
        masked=faults - not_masked,
        non_critical=harmful - critical,
        critical=critical,
        screened=not_masked - harmful,
    )
