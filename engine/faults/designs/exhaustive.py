"""One stratum, of which nothing is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faults.designs.design import Design, StratumSize

if TYPE_CHECKING:
    from engine.config.campaign_config import FaultsConfig
    from engine.faults.population import Population


def all_faults(_config: FaultsConfig, population: Population) -> list[StratumSize]:
    """Every fault of the population, those of `stuck_at` with both polarities."""
    return [StratumSize("exhaustive", population, population.distinct)]


EXHAUSTIVE = Design("exhaustive", "every fault of these layers and bits", all_faults, options=())
