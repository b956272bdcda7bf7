"""How well a sample tells a share of its population."""

from __future__ import annotations

import math
from statistics import NormalDist


def share_interval(hits: int, sample: int, population: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a share, its width corrected for a sample that is much of its population.

    Args:
        hits: of the sample; the sampling unit is what is counted, a fault and not its pairs.
        sample: at least 1, drawn without replacement.
        population: from which; a sample of all of it knows the share.
        confidence: between 0 and 1.

    Returns:
        The lower and the upper end, 0..1.
    """
    share = hits / sample
    if sample >= population:
        return share, share
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2 * (population - sample) / (population - 1)
    center = (share + z2 / (2 * sample)) / (1 + z2 / sample)
    half = math.sqrt(z2 * (share * (1 - share) / sample + z2 / (4 * sample**2))) / (1 + z2 / sample)
    # at the ends the two terms are equal but for rounding
    low = 0.0 if hits == 0 else center - half
    high = 1.0 if hits == sample else center + half
    return low, high
