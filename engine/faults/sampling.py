"""Statistical fault injection: how many faults to draw, and which."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.faults.fault_list import FaultList
from engine.faults.population import no_sites, put_sites

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from engine.faults.designs.design import StratumSize
    from engine.faults.population import FaultSites

LITERATURE_T = {0.99: 2.58}
"""Rounded critical values that published campaigns use; other levels take the normal quantile."""

WORST_CASE_P = 0.5
"""The proportion that needs the largest sample."""

DECODED_AT_ONCE = 1_000_000
"""indices of a stratum that is taken whole, of which nothing else is kept"""


def sample_size(population: int, error_margin: float, confidence: float, p: float = WORST_CASE_P) -> float:
    """Faults to draw so that a proportion is known to +-error_margin, unrounded.

    n = N / (1 + e^2 (N - 1) / (t^2 p (1 - p))) (Leveugle et al., DATE 2009; the paper's SFI process).

    Args:
        population: N.
        error_margin: e.
        confidence: decides t.
        p: what the proportion is expected to be.

    Raises:
        InputError: for an error margin or a confidence outside the open interval 0..1.
    """
    for field, value in (("error_margin", error_margin), ("confidence", confidence)):
        if not 0 < value < 1:
            raise InputError(f"[faults] {field}: {value} is not between 0 and 1; use for example 0.01 and 0.99")
    t = LITERATURE_T.get(confidence) or -NormalDist().inv_cdf((1 - confidence) / 2)
    variance = t**2 * p * (1 - p)
    if not variance:  # of a confidence so small that it asks for nothing
        return 0.0
    return population / (1 + error_margin**2 * (population - 1) / variance)


def sample(shares: Sequence[StratumSize], seed: int) -> FaultList:
    """Draw different faults uniformly from each stratum, ordered by stratum and population index.

    Memory is O(n), however large the population. Where the population counts every flip twice (x64), a flip is still
    drawn at most once, as in the published lists. A stratum that gives all that it has is not drawn from: no index of
    it is held, so that 10 million faults take 22 bytes each.

    Args:
        shares: the strata, of one network.
        seed: of all drawings, one after the other.

    Raises:
        InputError: if a stratum holds fewer different faults than it is to give.
    """
    generator = np.random.default_rng(seed)
    sites = no_sites(count_faults(shares))
    start = 0
    for share in shares:
        for index in _indices(share, generator):
            put_sites(sites, start, share.population.decode(index))
            start += len(index)
    return listed(sites, shares)


def listed(sites: FaultSites, shares: Sequence[StratumSize]) -> FaultList:
    """The faults drawn from some strata, one stratum after the other."""
    strata = [share.population.stratum(share.name, share.faults) for share in shares]
    first = shares[0].population
    return FaultList.of(sites, first.layers, first.model, strata, first.format)


def count_faults(shares: Sequence[StratumSize]) -> int:
    """How many faults `sample` draws.

    Raises:
        InputError: as there.
    """
    for share in shares:
        if share.faults > share.population.distinct:
            raise InputError(
                f"[faults] count: {share.faults} faults cannot be drawn from {share.population.distinct}; lower it or "
                "widen the filters"
            )
    return sum(share.faults for share in shares)


def _indices(share: StratumSize, generator: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    """The indices of the faults of one stratum, ascending, some at a time."""
    population = share.population
    if share.faults == population.distinct:
        for start in range(0, share.faults, DECODED_AT_ONCE):
            yield np.arange(start, min(start + DECODED_AT_ONCE, share.faults)) * population.repeats
        return
    drawn = generator.choice(population.distinct, size=share.faults, replace=False, shuffle=False)
    yield np.sort(drawn).astype(np.int64) * population.repeats
