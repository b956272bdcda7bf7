"""The sampling designs there are; a new one is a file beside this and an entry here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faults.designs.network import NETWORK

if TYPE_CHECKING:
    from engine.faults.designs.design import Design

DESIGNS: dict[str, Design] = {each.name: each for each in (NETWORK,)}
"""Name -> design, the default first."""

LIST = "list"
"""`[faults] sampling` where the faults are given and not drawn"""

SAMPLINGS = (*DESIGNS, LIST)
"""What `[faults] sampling` may be."""

SAMPLING_HELP = "; ".join([*(f"{each.name}: {each.help}" for each in DESIGNS.values()), f"{LIST}: the faults of a CSV"])
