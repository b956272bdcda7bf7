"""How long an injection takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.injection.injection import Injection
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.outcomes import WeightFaults


def injection_seconds(injection: Injection, block: GoldenBlock, faults: WeightFaults) -> float:
    """Seconds to inject faults, sorted by layer, into a block."""
    started = time.perf_counter()
    for _ in injection.inject(block, faults):  # outcomes are on the host: the device is done
        pass
    return time.perf_counter() - started
