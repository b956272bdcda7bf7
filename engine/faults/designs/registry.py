"""The sampling designs there are; a new one is a file beside this and an entry here."""

from __future__ import annotations

from engine.faults.designs.data_aware import DATA_AWARE
from engine.faults.designs.design import OPTIONS, Design
from engine.faults.designs.exhaustive import EXHAUSTIVE
from engine.faults.designs.layer import LAYER, LAYER_BIT
from engine.faults.designs.network import NETWORK
from engine.faults.designs.proportional import PROPORTIONAL

DESIGNS: dict[str, Design] = {
    each.name: each for each in (NETWORK, PROPORTIONAL, LAYER, LAYER_BIT, DATA_AWARE, EXHAUSTIVE)
}
"""Name -> design, the default first."""

LIST = "list"
"""`[faults] sampling` where the faults are given and not drawn"""

SAMPLINGS = (*DESIGNS, LIST)
"""What `[faults] sampling` may be."""

SAMPLING_HELP = "; ".join([*(f"{each.name}: {each.help}" for each in DESIGNS.values()), f"{LIST}: the faults of a CSV"])


def options_of(sampling: str) -> tuple[str, ...]:
    """The keys of `OPTIONS` that have an effect; of a list the seed draws rows, and polarities that it leaves open."""
    if sampling in DESIGNS:
        return DESIGNS[sampling].options
    return ("count", "seed") if sampling == LIST else OPTIONS
