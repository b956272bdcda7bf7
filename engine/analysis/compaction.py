"""How few images detect how many of the critical faults: by several orders, and on faults that did not choose them."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.cover import Incidence, greedy_order
from engine.analysis.estimate import Confidence, estimate_mean, estimate_share, percents
from engine.analysis.glossary import metrics_in
from engine.analysis.optimal_cover import smallest_cover
from engine.analysis.result_table import Column, Kind, Table, interval
from engine.metrics.selection import random_images, rank_order
from engine.steps import Step, nobody_waits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from engine.analysis.cover import Places
    from engine.analysis.estimate import Share
    from engine.analysis.optimal_cover import Cover
    from engine.analysis.result_table import Cell
    from engine.steps import OnStep
    from engine.store import CampaignSummary

LEVELS = (0.90, 0.95, 0.99, 1.0)
"""of the critical faults, to be detected"""

SMALLEST = "smallest"
"""the order of the smallest set, the image first that shows most"""

RANDOM_SEEDS = range(20)

FOLDS = 5
"""parts of the critical faults: each is left out once, and the images are chosen by the others"""

TEST_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""images of an in-field test"""

MOST_TIMES = 5
"""so often each fault is asked to be seen at most, for a margin on faults that nobody has seen"""

_DEFAULT = Confidence(0.99)

_ENDLESS = 1_000_000
"""times the faults that critical ones stand for: what is told is told of any number of them"""


@dataclass(frozen=True)
class ImagesNeeded:
    """How many images of one order detect each of `LEVELS`."""

    order: str
    images: tuple[float, ...]
    """for `random` the mean"""
    fewest: tuple[int, ...] | None = None
    """of several orders of one kind"""
    most: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Margin:
    """Images that show every fault several times, and what they detect of faults that did not choose them."""

    times: int
    """each fault is shown by so many of the images, as far as there are so many"""
    images: int
    held_out: Share
    """of the critical faults that were left out when the images were chosen, those that are detected"""


@dataclass(frozen=True, eq=False)
class Compaction:
    """The smallest test set of a campaign."""

    incidence: Incidence
    cover: Cover
    order: Places
    """[images of `cover`] their numbers, those that show most first"""
    needed: list[ImagesNeeded]
    margins: list[Margin]
    firsts: dict[str, Places]
    """order -> [m] at which place of it each critical fault is first detected"""

    @property
    def first_of_smallest(self) -> Places:
        """[m] of the smallest set, in its order."""
        return self.firsts[SMALLEST]


@dataclass(frozen=True, eq=False)
class CriticalWeights:
    """How many faults of the population each of m critical faults of a sample stands for."""

    stratum: Places
    """[m] which each was drawn from"""
    weight: npt.NDArray[np.float64]
    """[m] faults that each stands for, equal for all of a stratum"""

    @classmethod
    def equal(cls, faults: int) -> CriticalWeights:
        """All stand for as many."""
        return cls(np.zeros(faults, np.int64), np.ones(faults))

    @classmethod
    def of(cls, summary: CampaignSummary, chosen: npt.NDArray[np.bool_] | None = None) -> CriticalWeights:
        """Those of the critical faults of a campaign, ascending by their ids; those of a list stand for as many.

        Args:
            summary: of the campaign.
            chosen: [K] whether each of its critical pairs is one whose fault is asked for; None: all.
        """
        ids = np.unique(summary.critical_fault if chosen is None else summary.critical_fault[chosen])
        if summary.population is None:
            return cls.equal(len(ids))
        place = np.searchsorted(summary.fault_id, ids)
        return cls(summary.stratum[place], summary.weight[place])

    def share(self, hit: npt.NDArray[np.bool_], confidence: Confidence) -> Share:
        """The share of the population's critical faults that is hit, as if they were any number of them.

        Args:
            hit: [m] whether each of the sample's is hit.
            confidence: of the interval.
        """
        endless = self._endless()
        strata = len(endless)
        hits = np.bincount(self.stratum[hit], minlength=strata)
        return estimate_share(hits, np.bincount(self.stratum, minlength=strata), endless, confidence.of_interval)

    def mean_share(self, times: Places, draws: int, confidence: Confidence) -> Share:
        """The mean over some draws of images of the share of the population's critical faults that they hit.

        Args:
            times: [m] how many of the draws hit each of the sample's.
            draws: of images.
            confidence: of the interval.
        """
        return estimate_mean(times, draws, self.stratum, self._endless(), confidence.of_interval)

    def _endless(self) -> npt.NDArray[np.int64]:
        """[H] a population that leaves no sample to be much of it."""
        strata = int(self.stratum.max(initial=0)) + 1
        return np.bincount(self.stratum, self.weight * _ENDLESS, strata).astype(np.int64)


def compact(
    incidence: Incidence,
    metrics: Mapping[str, npt.NDArray[np.float64]],
    confidence: Confidence = _DEFAULT,
    weights: CriticalWeights | None = None,
    on_step: OnStep = nobody_waits,
) -> Compaction:
    """The smallest set of images that detects every critical fault, beside the orders that others would take.

    Args:
        incidence: of n images and m critical faults, m > 0.
        metrics: name -> [n], which rank the images.
        confidence: of the intervals.
        weights: of the faults; None: all stand for as many.
        on_step: told what is being done.
    """
    weights = weights or CriticalWeights.equal(incidence.faults)
    cover = smallest_cover(incidence, on_step=on_step)
    order = _most_first(incidence, cover.images)
    on_step(Step("trying other orders"))
    orders = {
        SMALLEST: _then_the_rest(order, incidence.images),
        "greedy": incidence.greedy,
        **{name: rank_order(each) for name, each in metrics.items()},
    }
    firsts = {name: incidence.first_seen(each) for name, each in orders.items()}
    needed = [*(ImagesNeeded(name, images_needed(first)) for name, first in firsts.items()), _at_random(incidence)]
    return Compaction(incidence, cover, order, needed, list(_margins(incidence, weights, confidence, on_step)), firsts)


def write_curves(path: Path, compaction: Compaction) -> None:
    """Write a CSV: how many critical faults the first images of each order detect, a row for each number of images."""
    images = np.arange(compaction.incidence.images)
    curves = {name: np.searchsorted(np.sort(first), images, side="right") for name, first in compaction.firsts.items()}
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["images", *curves])
        rows.writerows(zip((images + 1).tolist(), *(curve.tolist() for curve in curves.values()), strict=True))


def images_needed(first: Places) -> tuple[int, ...]:
    """Images of an order until each of `LEVELS` of the faults is detected; `first` [m]: where each first is."""
    places = np.sort(first) + 1
    return tuple(int(places[math.ceil(level * len(first)) - 1]) for level in LEVELS)


@dataclass(frozen=True)
class Transfer:
    """What the images detect of critical faults that had no part in choosing them."""

    of: str
    """whose faults they are"""
    faults: int
    """critical ones"""
    detected: Share | None
    """None where there are no such faults"""


def transfer(
    of: str,
    images: npt.NDArray[np.integer],
    fault: npt.NDArray[np.integer],
    image: npt.NDArray[np.integer],
    confidence: Confidence,
    weights: CriticalWeights | None = None,
) -> Transfer:
    """The share of other critical faults, a sample of all that there could be, that some images detect.

    Args:
        of: whose faults they are.
        images: [n] ids of the chosen images.
        fault: [K] ids of faults that did not choose them, a row for each critical pair.
        image: [K] ids of images.
        confidence: of the interval.
        weights: of the different faults, ascending by their ids; None: all stand for as many.
    """
    faults = np.unique(fault)
    detected = np.isin(faults, fault[np.isin(image, images)])
    weights = weights or CriticalWeights.equal(len(faults))
    return Transfer(of, len(faults), weights.share(detected, confidence) if len(faults) else None)


def _most_first(incidence: Incidence, images: Places) -> Places:
    """Images in the order in which they show most that those before do not."""
    is_in = np.isin(incidence.image, images)
    order = greedy_order(Incidence(incidence.fault[is_in], incidence.image[is_in], incidence.images))
    return order[np.isin(order, images)]


def _then_the_rest(order: Places, images: int) -> Places:
    return np.concatenate([order, np.setdiff1d(np.arange(images), order)])


def _at_random(incidence: Incidence) -> ImagesNeeded:
    found = [images_needed(incidence.first_seen(random_images(incidence.images, incidence.images, seed)))
             for seed in RANDOM_SEEDS]  # fmt: skip
    by_level = np.array(found)
    fewest, most = by_level.min(axis=0).tolist(), by_level.max(axis=0).tolist()
    return ImagesNeeded("random", tuple(by_level.mean(axis=0).tolist()), tuple(fewest), tuple(most))


@dataclass(frozen=True)
class TestCoverage:
    """What the first images of a test detect of critical faults that had no part in choosing them."""

    images: int
    detected: Share


def coverage_of_tests(incidence: Incidence, weights: CriticalWeights, confidence: Confidence) -> list[TestCoverage]:
    """Each part of the critical faults is left out once; images are chosen by the others, those that show most first.

    Args:
        incidence: of n images and m critical faults.
        weights: of the faults.
        confidence: of the intervals.

    Returns:
        For ever more images, until all that was left out is detected; none where there are too few critical faults.
    """
    if incidence.faults < FOLDS:
        return []
    seen = np.full(incidence.faults, incidence.images)
    folds = _folds(incidence)
    for fold in range(FOLDS):
        order = _of_faults(incidence, folds != fold).greedy
        seen[folds == fold] = incidence.first_seen(order)[folds == fold]
    found: list[TestCoverage] = []
    for size in (*(size for size in TEST_SIZES if size < incidence.images), incidence.images):
        detected = seen < size
        found.append(TestCoverage(size, weights.share(detected, confidence)))
        if detected.all():
            break
    return found


def _folds(incidence: Incidence) -> Places:
    """[m] in which part each fault is left out."""
    return np.random.default_rng(0).permutation(incidence.faults) % FOLDS


def _of_faults(incidence: Incidence, chosen: npt.NDArray[np.bool_]) -> Incidence:
    """Some faults alone, [m]; the images keep their numbers."""
    rows = chosen[incidence.fault]
    return Incidence(np.unique(incidence.fault[rows], return_inverse=True)[1], incidence.image[rows], incidence.images)


def _margins(
    incidence: Incidence, weights: CriticalWeights, confidence: Confidence, on_step: OnStep
) -> Iterator[Margin]:
    """For each number of times, until all that was left out is detected."""
    if incidence.faults < FOLDS:
        return
    folds = _folds(incidence)
    for times in range(1, MOST_TIMES + 1):
        on_step(Step("leaving faults out", times - 1, MOST_TIMES))
        detected = np.zeros(incidence.faults, np.bool_)
        for fold in range(FOLDS):
            detected |= _detected_of_fold(incidence, folds == fold, times)
        yield Margin(times, len(_showing(incidence, times)), weights.share(detected, confidence))
        if detected.all():
            return


def _detected_of_fold(incidence: Incidence, left_out: npt.NDArray[np.bool_], times: int) -> npt.NDArray[np.bool_]:
    """Which of the faults that were left out the images detect that the others have chosen, [m]."""
    is_chosen = np.zeros(incidence.images, np.bool_)
    is_chosen[_showing(_of_faults(incidence, ~left_out), times)] = True
    detected = np.zeros(incidence.faults, np.bool_)
    detected[incidence.fault[is_chosen[incidence.image]]] = True
    return detected & left_out


def _showing(incidence: Incidence, times: int) -> Places:
    """The first images of the greedy order, as many as show every fault so many times."""
    order = greedy_order(incidence, times)
    place = np.empty(incidence.images, np.int64)
    place[order] = np.arange(incidence.images)
    in_order = place[incidence.image]
    by_fault = np.lexsort((in_order, incidence.fault))
    counts = np.bincount(incidence.fault, minlength=incidence.faults)
    wanted = np.cumsum(counts) - counts + np.minimum(times, counts) - 1  # among a fault's images, the last one needed
    return order[: int(in_order[by_fault][wanted].max(initial=-1)) + 1]


def needed_table(needed: Sequence[ImagesNeeded]) -> Table:
    """A row for each order, with the images that it needs for each of `LEVELS`; of chance its ends, too."""
    rows: list[tuple[Cell, ...]] = []
    for each in needed:
        rows.append((each.order, *map(round, each.images)))
        if each.fewest is not None and each.most is not None:
            rows += [(f"{each.order}, luckiest", *each.fewest), (f"{each.order}, unluckiest", *each.most)]
    columns = (Column(f"images_for_{100 * level:g}_percent", Kind.COUNT, f"{100 * level:g} %") for level in LEVELS)
    orders = [each.order for each in needed]
    has_ends = any(each.fewest is not None for each in needed)
    return Table(
        "Images until so many of the critical faults are detected",
        (Column("order"), *columns),
        tuple(rows),
        (
            *("critical fault", "detected", *(order for order in (SMALLEST, "greedy", "random") if order in orders)),
            *(("luckiest, unluckiest",) if has_ends else ()),
            *metrics_in(orders),
        ),
    )


def margins_table(margins: Sequence[Margin], confidence: Confidence) -> Table:
    """A row for each number of times that every fault is shown."""
    return Table(
        f"Critical faults that had no part in choosing the images ({FOLDS} parts, each left out once)",
        (Column("times", Kind.COUNT, "each fault shown"), Column("images", Kind.COUNT), *_detected(confidence)),
        tuple((each.times, each.images, *percents(each.held_out)) for each in margins),
        ("critical fault", "detected", "each fault shown"),
    )


def transfers_table(transfers: Sequence[Transfer], confidence: Confidence) -> Table:
    """A row for each set of other faults."""
    return Table(
        "Other critical faults that the images detect",
        (
            Column("faults_of", heading="faults of"),
            Column("faults", Kind.COUNT, "critical faults"),
            *_detected(confidence),
        ),
        tuple((each.of, each.faults, *percents(each.detected)) for each in transfers),
        ("critical fault", "detected"),
    )


def _detected(confidence: Confidence) -> tuple[Column, ...]:
    return Column("detected_percent", Kind.PERCENT, "detected"), *interval(confidence.stated)
