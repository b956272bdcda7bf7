"""The paper's tables: accuracy and severities under faults (I), and what a selection of images detects (IV)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.estimate import Share, weighted_mean
from engine.metrics.selection import central, pre_plateau, random_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.analysis.compaction import CriticalWeights
    from engine.analysis.estimate import Confidence

    Counts = npt.NDArray[np.integer]

RANDOM_SEEDS = range(5)
SECONDS_PER_INFERENCE = 1e-3
"""The paper's assumption, whatever the network."""


@dataclass(frozen=True)
class TableOneRow:
    """One network's row of Table I, over the workload; all in percent but the last."""

    clean_accuracy: float
    faulty_accuracy: float
    """mean over the faults of the accuracy under that fault"""
    masked: float
    """of all (fault, image) pairs, as the two below; some of the screened ones would be masked, too"""
    non_critical: float
    critical: float
    critical_faults: int
    """faults that are critical for at least one image"""
    screened: float = 0.0
    """of all pairs, called safe by a bound and not run"""
    dropped: float = 0.0
    """of all pairs, not run because their fault had been seen to be critical"""

    @property
    def not_critical(self) -> float:
        """The paper's own column: what was seen not to be critical, and what a bound calls so."""
        return self.masked + self.non_critical + self.screened


def table_one(
    non_critical: Counts,
    critical: Counts,
    correct: Counts,
    golden_correct: npt.NDArray[np.bool_],
    weight: npt.NDArray[np.float64] | None = None,
    screened: Counts | None = None,
    dropped: Counts | None = None,
    faults: Counts | None = None,
) -> TableOneRow:
    """Table I from per-fault counts over the workload, or from their sums over groups of faults.

    Of groups, `critical_faults` is how many of them have a critical fault.

    Args:
        non_critical: [F] images for which the fault is non-critical.
        critical: [F] images for which it is critical.
        correct: [F] images classified as labelled under the fault; one that was not run counts as without fault.
        golden_correct: [W] whether each image of the workload is classified as labelled without fault.
        weight: [F] faults of the population that each one stands for; None: all for as many.
        screened: [F] images that a bound calls safe; None: all were run.
        dropped: [F] images not run because the fault had been seen to be critical; None: all were run.
        faults: [F] how many faults each row is the sum of, all of one weight; None: one each.
    """
    screened, dropped = (np.zeros_like(critical) if counts is None else counts for counts in (screened, dropped))
    if weight is None or (weight == weight[0]).all():
        weight = np.ones(len(critical))  # which leaves no rounding over
    images = len(golden_correct)
    in_all = images if faults is None else images * faults
    of_pairs = {
        name: 100 * weighted_mean(counts, weight, faults) / images
        for name, counts in (
            *(("non_critical", non_critical), ("critical", critical), ("faulty_accuracy", correct)),
            *(("screened", screened), ("dropped", dropped)),
        )
    }
    return TableOneRow(
        clean_accuracy=100 * float(golden_correct.mean()),
        masked=100 * weighted_mean(in_all - non_critical - critical - screened - dropped, weight, faults) / images,
        **of_pairs,
        critical_faults=int(np.count_nonzero(critical)),
    )


@dataclass(frozen=True)
class TableFourRow:
    """What one selection of images detects; None (a dash) where the campaign did not run all of its images."""

    method: str
    """central, random, pre_plateau or all"""
    percent_of_samples: float
    """of the whole data set"""
    faults_detected: float | None
    """faults critical for at least one selected image; for random the mean over 5 seeds"""
    seconds_at_1ms: float
    """at 1 ms per inference, as the paper counts"""
    seconds_measured: float | None
    """the campaign's own time, scaled to the selection"""
    detected: Share | None = None
    """of the critical faults that there are on the images that were run; for random as `faults_detected`"""


@dataclass(frozen=True, eq=False)
class CriticalDraw:
    """Critical faults that were drawn from all that there are."""

    weights: CriticalWeights
    """of each of them, ascending by their positions"""
    confidence: Confidence


@dataclass(frozen=True, eq=False)
class Detections:
    """Which images of a workload find which critical faults."""

    fault: Counts
    """[K] position of the fault, a row per critical (fault, image) pair"""
    image: Counts
    """[K] image id"""
    workload: Counts
    """[W] ids of the images that were run"""
    faults: int
    """faults that were run"""
    seconds: float | None = None
    """what running them on the whole workload took; None = not known"""
    sample: CriticalDraw | None = None
    """what the critical ones stand for; None where they stand for no others"""

    def detected(self, images: Counts) -> npt.NDArray[np.bool_] | None:
        """Which critical faults, [m] by their positions, are critical for at least one of some images.

        Args:
            images: [n] ids.

        Returns:
            None if not all of the images were run.
        """
        if not np.isin(images, self.workload).all():
            return None
        critical, place = self._critical
        found = np.zeros(len(critical), np.bool_)
        found[place[np.isin(self.image, images)]] = True
        return found

    @cached_property
    def _critical(self) -> tuple[Counts, npt.NDArray[np.intp]]:
        """The positions of the critical faults, [m] ascending, and which of them each pair is of, [K]."""
        return np.unique(self.fault, return_inverse=True)

    def share(self, found: Sequence[npt.NDArray[np.bool_]], of_all: bool) -> Share | None:
        """The share of the critical faults that some draws of images detect in the mean; None where there is none.

        Args:
            found: of each draw, what it detects.
            of_all: whether the images are all that were run, by which critical faults are known.
        """
        times = np.sum(found, axis=0)
        if not len(times):
            return None
        if self.sample is None or of_all:
            return Share.known(float(times.mean()) / len(found))
        weights, confidence = self.sample.weights, self.sample.confidence
        if len(found) == 1:
            return weights.share(found[0], confidence)
        return weights.mean_share(times, len(found), confidence)


def table_four(
    metric: npt.NDArray[np.float64],
    center: float | None,
    detections: Detections,
    eps: float = 0.3,
    threshold: float = 5e-5,
) -> list[TableFourRow]:
    """Table IV: central, as many random images, pre-plateau and all images of the data set.

    A metric without a center has no central images, and then there is no number of random ones either: two rows less.

    Args:
        metric: [N] of every image of the data set.
        center: the metric's value on the two-class decision boundary, or None.
        detections: what the campaign found.
        eps: half-width of the central zone.
        threshold: steepest metric step of the plateau.
    """
    images = len(metric)
    rows = []
    if center is not None:
        chosen = central(metric, center, eps)
        draws = [random_images(images, len(chosen), seed) for seed in RANDOM_SEEDS]
        rows = [_row("central", [chosen], images, detections), _row("random", draws, images, detections)]
    return [
        *rows,
        _row("pre_plateau", [pre_plateau(metric, threshold)], images, detections),
        _row("all", [np.arange(images)], images, detections),
    ]


def _row(method: str, draws: Sequence[Counts], images: int, detections: Detections) -> TableFourRow:
    """One row from one or more draws of the same size."""
    size = len(draws[0])
    found = [hit for draw in draws if (hit := detections.detected(draw)) is not None]
    was_run = len(found) == len(draws)
    seconds = detections.seconds if was_run else None
    return TableFourRow(
        method=method,
        percent_of_samples=100 * size / images,
        faults_detected=sum(map(np.count_nonzero, found)) / len(found) if was_run else None,
        seconds_at_1ms=SECONDS_PER_INFERENCE * size * detections.faults,
        seconds_measured=None if seconds is None else seconds * size / len(detections.workload),
        detected=detections.share(found, size == len(detections.workload)) if was_run else None,
    )
