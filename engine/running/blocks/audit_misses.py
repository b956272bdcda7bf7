"""What follows when an audit finds a critical pair that a bound called safe: theta falls in that layer.

What the layer's larger theta may have hidden is computed again, in every part that holds faults of the layer. What is
audited of it is drawn anew, so that the audit tells of the pairs that are left out now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.severity import CRITICAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.running.preparation import PreparedCampaign
    from engine.store.write.background import ComputedPart
    from engine.store.write.writer import CampaignWriter


@dataclass(frozen=True)
class Miss:
    """A critical pair that was called safe."""

    layer: int
    fault_id: int
    image_id: int
    bound: float
    """share of the lead that it was said to take at most"""


def find_misses(prepared: PreparedCampaign, part: ComputedPart) -> list[Miss]:
    """The misses among the audited pairs of a part."""
    misses = []
    for group in part.groups:
        audit = group.audit
        if audit is None:
            continue
        for row in np.flatnonzero(audit.severity == CRITICAL):
            position = group.positions[audit.fault[row]]
            misses.append(
                Miss(
                    layer=int(prepared.faults.layer[position]),
                    fault_id=int(prepared.faults.fault_id[position]),
                    image_id=int(prepared.workload[part.rank_start + audit.image[row]]),
                    bound=float(audit.bound[row]),
                )
            )
    return misses


def take_over(prepared: PreparedCampaign, writer: CampaignWriter, misses: Sequence[Miss]) -> Iterator[str]:
    """Let theta fall where pairs were missed, and take back what has to be computed again; a sentence for each layer.

    Args:
        prepared: the campaign, whose injection leaves less out from now on.
        writer: of its parts, none of which is being written.
        misses: some, of any layers.
    """
    faults = prepared.faults_in_execution_order()
    for layer in sorted({miss.layer for miss in misses}):
        worst = min((miss for miss in misses if miss.layer == layer), key=lambda miss: miss.bound)
        prepared.injection.tighten(layer, worst.bound)
        places = np.flatnonzero(faults.layer == layer)
        turns = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)  # one in each wave
        again = sum(writer.withdraw(int(turn[0]), int(turn[-1]) + 1) for turn in turns)
        yield (
            f"audit: fault {worst.fault_id} is critical on image {worst.image_id}, where the bound said at most "
            f"{worst.bound:.3g} of the lead; screening is stricter in {prepared.injection.names[layer]} from now on, "
            f"and {again:,} pairs are computed again"
        )
