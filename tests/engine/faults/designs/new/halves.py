"""A design of two strata: as many faults in the last layer alone as in all layers before it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.faults.designs.design import Design, StratumSize

if TYPE_CHECKING:
    from engine.config.campaign_config import FaultsConfig
    from engine.faults.population import Population


def halves(config: FaultsConfig, population: Population) -> list[StratumSize]:
    count = (config.count or 20) // 2
    *first, last = population.chosen
    return [
        StratumSize("before", replace(population, chosen=tuple(first)), count),
        StratumSize("last", replace(population, chosen=(last,)), count),
    ]


HALVES = Design("halves", "half of them in the last layer", halves)
