"""One stratum: the whole network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.faults.designs.design import Design, StratumSize
from engine.faults.sampling import sample_size

if TYPE_CHECKING:
    from engine.config.campaign_config import FaultsConfig
    from engine.faults.population import Population


def whole_network(config: FaultsConfig, population: Population) -> list[StratumSize]:
    """So many faults of the whole population as the error margin asks for, or the count.

    Raises:
        InputError: the error margin asks for no fault.
    """
    return [StratumSize("network", population, config.count or _planned(config, population))]


def _planned(config: FaultsConfig, population: Population) -> int:
    n = round(sample_size(len(population), config.error_margin, config.confidence))
    if n == 0:
        raise InputError(f"[faults] error_margin: {config.error_margin} asks for no fault; lower it or set count")
    # under x64 the formula can ask a small population for more flips than there are: then all of them
    return min(n, population.distinct)


NETWORK = Design("network", "a random sample", whole_network)
