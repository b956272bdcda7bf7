"""A stratum for each layer, as large a part of the sample as the layer is of the population."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faults.designs.design import Design, StratumSize
from engine.faults.designs.network import whole_network

if TYPE_CHECKING:
    from engine.config.campaign_config import FaultsConfig
    from engine.faults.population import Population


def by_share(config: FaultsConfig, population: Population) -> list[StratumSize]:
    """The sample of the design `network`, shared out over the layers and rounded in each of them.

    Raises:
        InputError: the error margin asks for no fault.
    """
    [whole] = whole_network(config, population)
    return [
        StratumSize(name, layer, min(round(whole.faults * len(layer) / len(population)), layer.distinct))
        for name, layer in population.each_layer()
    ]


PROPORTIONAL = Design(
    "proportional",
    "a random sample, shared out over the layers by their size",
    by_share,
    options=("error_margin", "confidence", "count", "seed", "draw"),
)
