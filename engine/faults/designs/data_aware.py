"""A stratum for each bit of each layer, with fewer faults where a flip of the bit hardly changes the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.faults.designs.design import Design, needed
from engine.faults.sampling import WORST_CASE_P

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from engine.config.campaign_config import FaultsConfig
    from engine.faults.designs.design import StratumSize
    from engine.faults.population import Layer, Population
    from engine.formats.weight_format import WeightFormat

LEAST_P = 1e-4
"""of a bit whose flips hardly change anything"""


class WeightsNeededError(InputError):
    """Sizes depend on weights that are not loaded yet."""


def by_bit_error(config: FaultsConfig, population: Population) -> list[StratumSize]:
    """Strata of each layer and bit, sized with the bit's own p: the config's, or what the layer's weights say.

    Source: Ruospo et al., DATE 2023; its p is for one network, and of all layers together.

    Raises:
        InputError: the error margin asks for no fault, or the config has not one p for each bit.
        WeightsNeededError: the weights are needed, and not there.
    """
    return needed(config, _cells(config, population))


def _cells(config: FaultsConfig, population: Population) -> Iterator[tuple[str, Population, float]]:
    bits = population.format.bits
    if config.p is not None and len(config.p) != bits:
        raise InputError(f"[faults] p: {len(config.p)} values; give one for each of the {bits} bits, bit 0 first")
    for name, layer in population.each_layer():
        (index,) = layer.chosen
        if config.p is None:
            weights = _weights(population.layers[index])
            of_bits = {bit: _p_of_bit(weights, bit, population.format) for bit in layer.bits}
        else:
            of_bits = dict(enumerate(config.p))
        for bit, cell in layer.each_bit():
            yield f"{name} bit {bit}", cell, of_bits[bit]


def _weights(layer: Layer) -> NDArray[np.float32]:
    if layer.weights is None:
        raise WeightsNeededError("[faults] sampling: data_aware needs the weights, which are not loaded yet; give p")
    return layer.weights()


def _p_of_bit(weights: NDArray[np.float32], bit: int, weight_format: WeightFormat) -> float:
    """Half of what a flip changes a weight by in the mean, in units of the layer's largest weight; 1e-4 to 0.5."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        flipped = weight_format.decode(weight_format.flip(weight_format.encode(weights), np.array([bit])))
        change = np.abs(flipped.astype(np.float64) - weights).mean() / (2 * np.abs(weights).max())
    # a change that is no number comes of a value that is none, and can hardly be larger
    return WORST_CASE_P if np.isnan(change) else float(np.clip(change, LEAST_P, WORST_CASE_P))


DATA_AWARE = Design(
    "data_aware",
    "as layer_bit, with fewer faults where a bit changes little",
    by_bit_error,
    options=("error_margin", "confidence", "seed", "p"),
)
