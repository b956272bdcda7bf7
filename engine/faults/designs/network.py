"""One stratum: the whole network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faults.designs.design import Design, StratumSize, needed
from engine.faults.sampling import WORST_CASE_P

if TYPE_CHECKING:
    from engine.config.campaign_config import FaultsConfig
    from engine.faults.population import Population


def whole_network(config: FaultsConfig, population: Population) -> list[StratumSize]:
    """So many faults of the whole population as the error margin asks for, or the count.

    Raises:
        InputError: the error margin asks for no fault.
    """
    if config.count:
        return [StratumSize("network", population, config.count)]
    return needed(config, [("network", population, WORST_CASE_P)])


NETWORK = Design("network", "a random sample of the whole network", whole_network)
