"""Some of the faults of a campaign."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FaultGroup:
    """The faults of a layer and a bit, of one of the two, a single fault, or all faults."""

    layer: str | None = None
    bit: int | None = None
    fault_id: int | None = None
