"""A stratum for each layer, and one for each bit of each layer, every one with a sample as large as it needs itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faults.designs.design import Design, needed
from engine.faults.sampling import WORST_CASE_P

if TYPE_CHECKING:
    from engine.config.campaign_config import FaultsConfig
    from engine.faults.designs.design import StratumSize
    from engine.faults.population import Population

OPTIONS = ("error_margin", "confidence", "seed")


def every_layer(config: FaultsConfig, population: Population) -> list[StratumSize]:
    """So many faults of each layer as the error margin asks for there.

    Raises:
        InputError: it asks for no fault.
    """
    return needed(config, ((name, layer, WORST_CASE_P) for name, layer in population.each_layer()))


def every_layer_and_bit(config: FaultsConfig, population: Population) -> list[StratumSize]:
    """So many faults of each bit of each layer as the error margin asks for there: the data-unaware design.

    Source: Ruospo et al., DATE 2023.

    Raises:
        InputError: it asks for no fault.
    """
    return needed(
        config,
        (
            (f"{name} bit {bit}", cell, WORST_CASE_P)
            for name, layer in population.each_layer()
            for bit, cell in layer.each_bit()
        ),
    )


LAYER = Design("layer", "the margin holds in each layer", every_layer, OPTIONS)

LAYER_BIT = Design("layer_bit", "the margin holds in each bit of each layer", every_layer_and_bit, OPTIONS)
