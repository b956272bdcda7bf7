"""Drawing as the published lists of bit flips were drawn, so that such a list comes out again, row for row."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

from engine.faults.population import FaultSites
from engine.faults.sampling import count_faults, listed
from engine.formats.fault_model import FLIPPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.faults.designs.design import StratumSize
    from engine.faults.fault_list import FaultList
    from engine.faults.population import Layer


def sample_as_published(shares: Sequence[StratumSize], seed: int) -> FaultList:
    """Draw different bit flips from each layer, in the order in which Python's generator gives them.

    For each flip an index in every dimension of the weight, then the bit; one that was drawn before is drawn again.
    Source: the fault lists of cad-polito-it/dnn-benchmarks, whose seed is 42.

    Args:
        shares: the strata, each of one whole layer.
        seed: of Python's `random`, for all layers, one after the other.

    Raises:
        InputError: if a layer holds fewer different faults than it is to give.
    """
    generator = random.Random(seed)
    drawn: list[tuple[int, int, int]] = []
    count_faults(shares)
    for share in shares:
        (index,) = share.population.chosen
        layer = share.population.layers[index]
        drawn += (
            (index, *flip) for flip in _different_flips(layer, share.faults, share.population.format.bits, generator)
        )
    layers, weights, bits = np.array(drawn, np.int64).reshape(-1, 3).T
    stuck = np.full(len(drawn), FLIPPED, np.int8)
    return listed(FaultSites(layers.astype(np.int32), weights, bits.astype(np.uint8), stuck), shares)


def _different_flips(layer: Layer, count: int, bits: int, generator: random.Random) -> Iterator[tuple[int, int]]:
    """So many different pairs of a flat weight index and a bit."""
    seen: set[tuple[int, int]] = set()
    while len(seen) < count:
        place = tuple(generator.randint(0, size - 1) for size in layer.shape)
        flip = int(np.ravel_multi_index(place, layer.shape)), generator.randint(0, bits - 1)
        if flip not in seen:
            seen.add(flip)
            yield flip
