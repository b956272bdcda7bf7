"""The faults a campaign asks for."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.faults.csv_list import read_fault_list
from engine.faults.designs.exhaustive import EXHAUSTIVE
from engine.faults.designs.registry import DESIGNS, LIST
from engine.faults.population import Population, copies_per_bit
from engine.faults.published import sample_as_published
from engine.faults.sampling import count_faults, sample
from engine.formats.float32 import FLOAT32

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from engine.config.campaign_config import FaultsConfig
    from engine.faults.designs.design import StratumSize
    from engine.faults.fault_list import FaultList
    from engine.faults.population import Layer
    from engine.formats.fault_model import FaultModel
    from engine.formats.weight_format import WeightFormat


DRAWS = {"uniform": sample, "published": sample_as_published}
"""What `[faults] draw` may be."""

SHOWN_STRATA = 3
"""in a sentence"""


def draw_faults(config: FaultsConfig, layers: tuple[Layer, ...], weight_format: WeightFormat = FLOAT32) -> FaultList:
    """Draw the sample, or read the list, that the config describes.

    Filters shrink the population before the sample-size formula; on a list they pick rows, of which `count` are drawn,
    and the ids of rows stay.

    Args:
        config: the `[faults]` table.
        layers: all injectable layers of the network, in module order.
        weight_format: of their weights.

    Raises:
        InputError: for a filter that matches nothing, more faults than there are, an empty sample, or a bad list.
    """
    if config.list is not None:
        return _filtered_list(config, config.list, layers, weight_format)
    shares = _shares(config, layers, weight_format)
    return DRAWS[config.draw](shares, config.seed)


def notes_on(faults: FaultList, config: FaultsConfig) -> Iterator[str]:
    """Sentences on strata that do not give what the formula asks for: all that they have, or nothing."""
    if config.sampling in (LIST, EXHAUSTIVE.name):
        return
    repeats = 1 if faults.model == "stuck_at" else copies_per_bit(faults.model, config.population)
    whole = [each.name for each in faults.strata if each.faults and each.faults * repeats == each.population]
    none = [each.name for each in faults.strata if not each.faults]
    if whole:
        yield f"drawn whole, because the error margin asks for as many faults as there are: {_some(whole, faults)}"
    if none:
        yield f"so small a part that no fault is drawn there, and that no rate counts: {_some(none, faults)}"


def _some(names: Sequence[str], faults: FaultList) -> str:
    shown = ", ".join(names[:SHOWN_STRATA]) + (", ..." if len(names) > SHOWN_STRATA else "")
    return f"{len(names):,} of {len(faults.strata):,} strata ({shown})"


def count_drawn(
    config: FaultsConfig, layers: tuple[Layer, ...], weight_format: WeightFormat = FLOAT32
) -> tuple[int, int]:
    """How many faults `draw_faults` gives, and how many they stand for; nothing is drawn, but a list is read.

    Raises:
        InputError: as there.
    """
    if config.list is not None:
        faults = _filtered_list(config, config.list, layers, weight_format)
        return len(faults), faults.population
    shares = _shares(config, layers, weight_format)
    return count_faults(shares), sum(len(share.population) for share in shares)


def _shares(config: FaultsConfig, layers: tuple[Layer, ...], weight_format: WeightFormat) -> Sequence[StratumSize]:
    population = population_of(config, layers, weight_format=weight_format)
    return DESIGNS[config.sampling].shares(config, population)


def population_of(
    config: FaultsConfig,
    layers: tuple[Layer, ...],
    model: FaultModel | None = None,
    weight_format: WeightFormat = FLOAT32,
) -> Population:
    """The filtered population; `model` overrides the config's.

    Raises:
        InputError: for a layer pattern that matches no layer, or a bit that the format lacks.
    """
    model = model or config.model
    bits = weight_format.all_bits if config.bits is None else tuple(sorted(set(config.bits)))
    if bits[-1] >= weight_format.bits:
        raise InputError(
            f"[faults] bits: a weight in {weight_format.name} has no bit {bits[-1]}; use 0 to {weight_format.bits - 1}"
        )
    copies = copies_per_bit(model, config.population)
    return Population(layers, model, copies, _chosen_layers(config, layers), bits, weight_format)


def _chosen_layers(config: FaultsConfig, layers: tuple[Layer, ...]) -> tuple[int, ...]:
    patterns = ("*",) if config.layers is None else config.layers
    for pattern in patterns:
        if not any(fnmatchcase(layer.name, pattern) for layer in layers):
            names = ", ".join(layer.name for layer in layers)
            raise InputError(f"[faults] layers: {pattern!r} matches no layer; the injectable layers are {names}")
    return tuple(layer.index for layer in layers if any(fnmatchcase(layer.name, pattern) for pattern in patterns))


def _drawn_rows(config: FaultsConfig, path: Path, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """As many of the rows of a list as the config asks for, [n] ascending, drawn at random without replacement.

    Raises:
        InputError: there are not so many.
    """
    if config.count is None:
        return rows
    if config.count > len(rows):
        raise InputError(
            f"[faults] count: {config.count:,} is more than the {len(rows):,} rows of {path} that there are"
            f"{' with these layers and bits' if config.layers or config.bits else ''}; give at most so many, or leave "
            "it out"
        )
    return np.sort(np.random.default_rng(config.seed).choice(rows, config.count, replace=False))


def _filtered_list(
    config: FaultsConfig, path: Path, layers: tuple[Layer, ...], weight_format: WeightFormat
) -> FaultList:
    faults = read_fault_list(path, layers, config.model, config.seed, config.population, weight_format)
    population = population_of(config, layers, faults.model, weight_format)
    kept = np.isin(faults.layer, population.chosen) & np.isin(faults.bit, population.bits)
    if not kept.any():
        raise InputError(f"[faults] list: no row of {path} passes the filters; widen layers or bits")
    taken = faults.take(_drawn_rows(config, path, np.flatnonzero(kept)))
    return replace(taken, strata=(population.stratum("list", len(taken)),))
