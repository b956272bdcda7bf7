"""The one estimator: what a sample of faults, drawn from strata, tells of the population they stand for.

The sampling unit is the fault: the images under one fault are not independent of each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Share:
    """A share of a population, 0..1, and the interval that holds it with the confidence asked for."""

    value: float
    low: float
    high: float


def estimate_share(
    hits: NDArray[np.int64], sample: NDArray[np.int64], population: NDArray[np.int64], confidence: float
) -> Share:
    """The share of a population that is hit, from a sample of each of its H strata, drawn without replacement.

    The strata are weighted by their populations (`sum of N_h p_h / N`; Cochran, Sampling Techniques, section 5.3). The
    interval is Wilson's score interval for as many faults of one stratum as tell the share equally well, its width
    corrected for a sample that is much of its population; of one stratum it is just that.

    Args:
        hits: [H] faults of the sample that are hit.
        sample: [H]; strata without any are left out, as if they were like the others.
        population: [H] faults that each stratum holds, never fewer than its sample.
        confidence: between 0 and 1.

    Raises:
        ValueError: there is no sample.

    >>> share = estimate_share(np.array([5]), np.array([100]), np.array([10_000]), 0.95)
    >>> f"{share.value:.3f} ({share.low:.3f} to {share.high:.3f})"
    '0.050 (0.022 to 0.111)'
    """
    there = sample > 0
    if not there.any():
        raise ValueError("nothing was drawn that could tell a share")
    drawn = sample[there].astype(np.float64)
    of = np.maximum(population[there], drawn)
    shares = hits[there] / drawn
    value = float((of * shares).sum()) / float(of.sum())
    if (drawn == of).all():
        return Share(value, value, value)
    equal, left = _equal_sample(shares, drawn, of, value)
    return Share(value, *_wilson(value, equal, left, confidence))


def estimate_rate(hits: NDArray[np.int64], tried: NDArray[np.int64], population: NDArray[np.int64]) -> float:
    """The rate of hits in the whole population, from what was tried of each stratum; 0 where nothing was.

    Args:
        hits: [H] of what was tried.
        tried: [H]; strata without any are left out.
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

    It is `scipy.stats.beta.ppf(confidence, hits + 1, tried - hits)`, here without scipy, which nothing else needs.

    Args:
        hits: of what was tried.
        tried: independent draws; where there are none, the rate may be 1.
        confidence: between 0 and 1.

    >>> round(highest_rate(0, 100, 0.95), 6)
    0.029513
    """
    if hits >= tried:
        return 1.0
    counts = np.arange(hits + 1)
    chosen = np.concatenate([[0.0], np.cumsum(np.log((tried + 1 - counts[1:]) / counts[1:]))])
    low, high = hits / tried, 1.0
    while low < (rate := (low + high) / 2) < high:
        logs = chosen + counts * math.log(rate) + (tried - counts) * math.log1p(-rate)
        if np.logaddexp.reduce(logs) > math.log(1 - confidence):
            low = rate
        else:
            high = rate
    return high


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


def _equal_sample(
    share: NDArray[np.float64], sample: NDArray[np.float64], population: NDArray[np.float64], value: float
) -> tuple[float, float]:
    """Faults of one stratum that would tell the value as well as these, and which part of their variance is left.

    The part that is left is (N - n) / (N - 1), the finite-population correction. Where all strata agree on 0 or 1,
    their variance tells nothing, and the loss by unequal weights alone counts (Kish, Survey Sampling, section 11.7).
    """
    if len(sample) == 1:
        return float(sample[0]), float((population[0] - sample[0]) / (population[0] - 1))
    part = population / population.sum()
    left = (population - sample) / np.maximum(population - 1, 1)
    by_weights = 1 / float((part**2 / sample).sum())
    variance = float((part**2 * share * (1 - share) / np.maximum(sample - 1, 1)).sum())
    by_variance = value * (1 - value) / variance if variance else by_weights
    return min(by_weights, by_variance), float((part**2 / sample * left).sum() * by_weights)


def _wilson(share: float, sample: float, left: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a share, with its variance times the part that is left."""
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2 * left
    center = (share + z2 / (2 * sample)) / (1 + z2 / sample)
    half = math.sqrt(z2 * (share * (1 - share) / sample + z2 / (4 * sample**2))) / (1 + z2 / sample)
    # at the ends the two terms are equal but for rounding
    return (0.0 if share == 0 else center - half), (1.0 if share == 1 else center + half)
