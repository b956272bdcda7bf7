"""Range restriction: what stays critical where a faulty weight outside its layer's golden range is put back into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.injection.methods import METHODS
from engine.injection.network.layers import flat_weight, injectable_modules
from engine.running.proof import prove
from engine.severity import CRITICAL
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.running.preparation import PreparedCampaign

UNSCREENED = "fast"
"""runs what is run again where the campaign was screened: none of it may be left out"""


@dataclass(frozen=True, eq=False)
class Restricted:
    """Images that each fault of a campaign is critical for, [F] by its place in the list, under two repairs."""

    outside: NDArray[np.bool_]
    """[F] whether the faulty value leaves the layer's golden range; the other faults are as they were"""
    clamped: NDArray[np.int64]
    """[F] images, where a value outside becomes the nearer end of the range, and what is no number 0"""
    zeroed: NDArray[np.int64]
    """[F] images, where a value outside becomes 0"""


def restrict_ranges(
    prepared: PreparedCampaign, critical: NDArray[np.int64], on_step: OnStep = nobody_waits
) -> Restricted:
    """Run the faults whose value leaves the golden range again, with two other values; the others keep what was found.

    The field's cheapest defence: two bounds a layer, and a comparison when a weight is loaded.

    Args:
        prepared: the campaign, whose method is compared with the plain loop first.
        critical: [F] images that each of its faults is critical for.
        on_step: told how many images are done.

    Raises:
        InputError: nothing agrees with the plain loop.
    """
    prepared = _unscreened(prepared, on_step)
    low, high = _golden_range(prepared)
    faulty = prepared.faulty_values
    with np.errstate(invalid="ignore"):
        outside = ~((faulty >= low) & (faulty <= high))
    clamped = np.where(np.isnan(faulty), np.float32(0), np.clip(faulty, low, high))
    counts = [
        _run_again(prepared, critical, outside, values, name, on_step)
        for name, values in (("clamped", clamped), ("zeroed", np.zeros_like(faulty)))
    ]
    return Restricted(outside, *counts)


def _unscreened(prepared: PreparedCampaign, on_step: OnStep) -> PreparedCampaign:
    """The campaign by a method that runs every pair, proved as a campaign's is before it starts."""
    if METHODS[prepared.injection.method].screens:
        run = prepared.config.run.model_copy(update={"method": UNSCREENED})
        config = prepared.config.model_copy(update={"run": run})
        prepared = replace(prepared, config=config, injection=prepared.injected_by(UNSCREENED, on_step))
    prove(prepared, on_step, briefly=True)
    return prepared


def _golden_range(prepared: PreparedCampaign) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The smallest and the largest weight of each fault's layer, [F]."""
    weights = [flat_weight(module.weight) for _, module in injectable_modules(prepared.plain)]
    ends = np.array([[weight.min(), weight.max()] for weight in weights], np.float32)[prepared.faults.layer]
    return ends[:, 0], ends[:, 1]


def _run_again(
    prepared: PreparedCampaign,
    critical: NDArray[np.int64],
    outside: NDArray[np.bool_],
    values: NDArray[np.float32],
    name: str,
    on_step: OnStep,
) -> NDArray[np.int64]:
    """[F] critical images of each fault where those that are `outside` [F] have other `values` [F]."""
    counts = critical.copy()
    in_order = prepared.faults_by_layer
    faults = in_order.take(np.flatnonzero(outside[in_order.positions]))
    if not len(faults):
        return counts
    value = values[faults.positions]
    changes = ~prepared.faults.format.same(prepared.golden_values[faults.positions], value)
    faults = replace(faults, value=value, changes=changes)
    counts[faults.positions] = 0
    injection, images = prepared.injection, len(prepared.workload)
    for start in range(0, images, injection.block_rows):
        on_step(Step(f"running {len(faults):,} faults again, {name}", start, images))
        stop = min(start + injection.block_rows, images)
        block = injection.load(prepared.images(start, stop))
        found = [(group.severity == CRITICAL).sum(axis=1) for group in injection.inject(block, faults)]
        counts[faults.positions] += np.concatenate(found)
    return counts
