"""The one estimator: what a sample of faults, drawn from strata, tells of the population they stand for.

The sampling unit is the fault: the images under one fault are not independent of each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.faults.waves import LOOKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


FEW = 5
"""faults that are hit, or are not: fewer are no matter for an interval that relies on many"""

MANY = 1000
"""faults that differ from what is common: from here on it is known well how much they do. Where 100 were enough,
intervals of 99 % held the faulty accuracy of LeNet-5's conv2 in 974 of 1,000 samples of 660 faults"""

_ROUNDING = 1e-9
"""of a whole number of hits, from its share"""


@dataclass(frozen=True)
class Confidence:
    """With which a campaign states its estimates, whatever they were looked at for before."""

    stated: float
    """of all intervals, 0..1"""
    looks: int = 1
    """how often the campaign may look at what it has found, to see whether it can stop"""

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Confidence:
        """The confidence of a campaign, from its config as the store keeps it."""
        stated = float(config.get("faults", {}).get("confidence", 0.99))
        return cls(stated, LOOKS if config.get("run", {}).get("precision") is not None else 1)

    @property
    def of_interval(self) -> float:
        """What each interval is computed with, so that those of all looks hold together; see `engine.faults.waves`.

        >>> round(Confidence(0.99, looks=6).of_interval, 5)
        0.99833
        """
        return 1 - (1 - self.stated) / self.looks


@dataclass(frozen=True)
class Share:
    """A share of a population, 0..1, and the interval that holds it with the confidence asked for."""

    value: float
    low: float
    high: float

    @classmethod
    def known(cls, value: float) -> Share:
        """One of which nothing is open."""
        return cls(value, value, value)

    @property
    def is_known(self) -> bool:
        """Whether nothing is open, so that the interval has no width and is not told."""
        return self.low == self.high

    @property
    def ends(self) -> tuple[float, float] | tuple[None, None]:
        """The ends of the interval, in percent; None where every fault of the population was run: nothing is open."""
        return (None, None) if self.is_known else (100 * self.low, 100 * self.high)


def percents(share: Share | None, otherwise: float | None = None) -> tuple[float | None, float | None, float | None]:
    """A share and the ends of its interval in percent, for three cells of a row.

    Args:
        share: None where none is known.
        otherwise: percent that are told then, without an interval.
    """
    return (otherwise, None, None) if share is None else (100 * share.value, *share.ends)


def estimate_share(
    hits: NDArray[np.int64], sample: NDArray[np.int64], population: NDArray[np.int64], confidence: float
) -> Share:
    """The share of a population that is hit, from a sample of each of its H strata, drawn without replacement.

    The strata are weighted by their populations (`sum of N_h p_h / N`; Cochran, Sampling Techniques, section 5.3). The
    interval is Wilson's score interval for as many faults of one stratum as tell the share equally well, its width
    corrected for a sample that is much of its population; of one stratum it is just that. Where fewer than `FEW` are
    hit, or are not, it is the one of Clopper and Pearson; where none is, it is one-sided: of 0 in n at most 3 / n with
    a confidence of 95 %, 4.6 / n with 99 %.

    Args:
        hits: [H] faults of the sample that are hit.
        sample: [H] faults drawn from each; strata without any are left out, as if they were like the others.
        population: [H] faults that each stratum holds, never fewer than its sample.
        confidence: between 0 and 1.

    Raises:
        ValueError: there is no sample.

    >>> share = estimate_share(np.array([5]), np.array([100]), np.array([10_000]), 0.95)
    >>> f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"
    '0.050 (0.022 to 0.111)'
    """
    there = sample > 0
    strata = _Strata.of(sample[there], population[there])
    shares = hits[there] / strata.drawn
    few = int(min(hits.sum(), sample.sum() - hits.sum()))
    return strata.share(shares, shares * (1 - shares) / np.maximum(strata.drawn - 1, 1), few, confidence)


def estimate_mean(
    counts: NDArray[np.integer],
    images: int,
    stratum: NDArray[np.integer],
    population: NDArray[np.int64],
    confidence: float,
) -> Share:
    """The mean, over a population of faults, of the share of images for which something holds under a fault.

    The faults are the sampling unit, as in `estimate_share`, whose interval this is, too: for as many faults with
    shares of 0 or 1 as tell the mean equally well. No more are taken than were drawn until `MANY` faults differ from
    what is common: before, the few that differ hardly tell how much others would.

    Args:
        counts: [F] images for which it holds, of each fault that was drawn.
        images: of each fault.
        stratum: [F] place in `population`.
        population: [H] faults that each stratum holds.
        confidence: between 0 and 1.

    Raises:
        ValueError: there is no sample.

    >>> share = estimate_mean(np.array([0] * 98 + [5, 10]), 10, np.zeros(100, int), np.array([10_000]), 0.95)
    >>> f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"
    '0.015 (0.000 to 0.070)'
    """
    sample = np.bincount(stratum, minlength=len(population))
    there = sample > 0
    strata = _Strata.of(sample[there], population[there])
    means = np.bincount(stratum, counts, len(population))[there] / strata.drawn / images
    squares = np.bincount(stratum, (counts / images) ** 2, len(population))[there] / strata.drawn
    variance = np.maximum(squares - means**2, 0) / np.maximum(strata.drawn - 1, 1)
    differing = len(counts) - int(np.bincount(counts, minlength=1).max())
    return strata.share(means, variance, differing, confidence, may_tell_more=differing >= MANY)


def estimate_rate(hits: NDArray[np.int64], tried: NDArray[np.int64], population: NDArray[np.int64]) -> float:
    """The rate of hits in the whole population, from what was tried of each stratum; 0 where nothing was.

    Args:
        hits: [H] of what was tried.
        tried: [H] how much of each was tried; strata without any are left out.
        population: [H] faults that each stratum holds.
    """
    there = tried > 0
    if not there.any():
        return 0.0
    rates = hits[there] / tried[there]
    # of one stratum the population cancels, and that of a list may not be known
    return float(rates[0]) if len(rates) == 1 else float((rates * population[there]).sum() / population[there].sum())


def highest_rate(hits: int, tried: int, confidence: float) -> float:
    """The Clopper-Pearson upper bound of a rate, one-sided: higher ones hardly ever show so few hits.

    Args:
        hits: of what was tried.
        tried: independent draws; where there are none, the rate may be 1.
        confidence: between 0 and 1.

    >>> round(highest_rate(0, 100, 0.95), 6)
    0.029513
    """
    from scipy.special import betaincinv  # a tenth of a second to import

    return 1.0 if hits >= tried else float(betaincinv(hits + 1, tried - hits, confidence))


def _lowest_rate(hits: int, tried: int, confidence: float) -> float:
    """The Clopper-Pearson lower bound of a rate, one-sided: lower ones hardly ever show so many hits."""
    from scipy.special import betaincinv

    return float(betaincinv(hits, tried - hits + 1, 1 - confidence)) if hits else 0.0


def weighted_mean(
    values: NDArray[Any], weight: NDArray[np.float64], faults: NDArray[np.integer] | None = None
) -> float:
    """The mean of a value of each fault over the population that the faults stand for.

    Args:
        values: [F] of each fault, or sums of some faults of one weight.
        weight: [F] faults of the population that each one stands for.
        faults: [F] how many faults each value is the sum of; None: one.
    """
    return float((values * weight).sum() / (weight if faults is None else weight * faults).sum())


@dataclass(frozen=True, eq=False)
class _Strata:
    """Strata of which something was drawn, [H]."""

    drawn: NDArray[np.float64]
    population: NDArray[np.float64]

    @classmethod
    def of(cls, drawn: NDArray[np.int64], population: NDArray[np.int64]) -> _Strata:
        """Raises ValueError where there is none."""
        if not len(drawn):
            raise ValueError("nothing was drawn that could tell a share")
        sample = drawn.astype(np.float64)
        return cls(sample, np.maximum(population, sample))

    def share(
        self,
        means: NDArray[np.float64],
        variance: NDArray[np.float64],
        few: int,
        confidence: float,
        may_tell_more: bool = False,
    ) -> Share:
        """The weighted mean and its interval.

        Args:
            means: [H] of each stratum's sample.
            variance: [H] of each of these means, but for the finite-population correction.
            few: faults of the sample that differ from what is common.
            confidence: between 0 and 1.
            may_tell_more: whether values within 0..1 may tell more than as many of 0 and 1 would.
        """
        value = float((self.population * means).sum()) / float(self.population.sum())
        if (self.drawn == self.population).all():
            return Share.known(value)
        equal, left = self._equal_sample(variance, value, may_tell_more)
        if few < FEW:
            return Share(value, *_clopper_pearson(value, equal, confidence))
        return Share(value, *_wilson(value, equal, left, confidence))

    def _equal_sample(self, variance: NDArray[np.float64], value: float, may_tell_more: bool) -> tuple[float, float]:
        """Faults of one stratum that would tell the value as well as these, and which part of their variance is left.

        The part that is left is (N - n) / (N - 1), the finite-population correction. Where all strata agree on 0 or 1,
        their variance tells nothing, and the loss by unequal weights alone counts (Kish, Survey Sampling, section
        11.7).
        """
        part = self.population / self.population.sum()
        left = (self.population - self.drawn) / np.maximum(self.population - 1, 1)
        by_weights = 1 / float((part**2 / self.drawn).sum())
        left_of_all = float((part**2 / self.drawn * left).sum() * by_weights)
        of_all = float((part**2 * variance).sum())
        if not of_all or (len(part) == 1 and not may_tell_more):
            return by_weights, left_of_all
        by_variance = value * (1 - value) / of_all
        return (by_variance if may_tell_more else min(by_weights, by_variance)), left_of_all


def _clopper_pearson(share: float, sample: float, confidence: float) -> tuple[float, float]:
    """Their interval of a share, as if none of the population were left out; one-sided at the ends."""
    faults = max(1, math.floor(sample))
    low, high = math.floor(share * faults + _ROUNDING), math.ceil(share * faults - _ROUNDING)
    tail = confidence if share in (0, 1) else (1 + confidence) / 2
    return _lowest_rate(low, faults, tail), highest_rate(high, faults, tail)


def _wilson(share: float, sample: float, left: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a share, with its variance times the part that is left."""
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2 * left
    center = (share + z2 / (2 * sample)) / (1 + z2 / sample)
    half = math.sqrt(z2 * (share * (1 - share) / sample + z2 / (4 * sample**2))) / (1 + z2 / sample)
    # at the ends the two terms are equal but for rounding
    return (0.0 if share == 0 else center - half), (1.0 if share == 1 else center + half)
