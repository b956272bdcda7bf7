"""With the goal "critical_faults", a fault that was seen to be critical is not run on the images of later blocks.

Blocks follow each other in rank order, the most challenging images first, so that most critical faults are seen in the
first blocks. What is left out is counted as dropped.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.config.campaign_config import CRITICAL_FAULTS
from engine.injection.outcomes import Outcomes
from engine.severity import CRITICAL, DROPPED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from engine.injection.injection import Injection
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.outcomes import WeightFaults
    from engine.running.preparation import PreparedCampaign
    from engine.store.store import Store
    from engine.store.write.background import ComputedPart


def known_critical(prepared: PreparedCampaign, store: Store, campaign: int) -> NDArray[np.bool_] | None:
    """[faults, in execution order] those that committed parts show to be critical; None where all pairs are wanted."""
    if prepared.config.run.goal != CRITICAL_FAULTS:
        return None
    fault_id = prepared.faults.fault_id[prepared.faults.execution_order()]
    return np.isin(fault_id, store.critical_fault_ids(campaign))


def note_critical(critical: NDArray[np.bool_], part: ComputedPart) -> None:
    """Set `critical`, [faults in execution order], to True where a part shows a fault to be critical."""
    start = part.fault_start
    for group in part.groups:
        critical[start + group.critical_fault] = True
        start += len(group.positions)


def not_critical_on(injection: Injection, block: GoldenBlock, faults: WeightFaults) -> WeightFaults:
    """The faults, sorted by layer, that are not seen to be critical on the images of a block."""
    outcomes = injection.inject(block, faults)
    is_critical = np.concatenate([(group.severity == CRITICAL).any(1) for group in outcomes])
    return faults.take(np.flatnonzero(~is_critical))


def inject_left(
    injection: Injection, block: GoldenBlock, faults: WeightFaults, dropped: NDArray[np.bool_] | None
) -> Iterator[Outcomes]:
    """Inject the faults that are not `dropped` [faults], sorted by layer; outcomes of all, in order."""
    if dropped is None or not dropped.any():
        yield from injection.inject(block, faults)
        return
    left = np.flatnonzero(~dropped)
    start = done = 0
    for outcomes in injection.inject(block, faults.take(left)):
        done += len(outcomes.positions)
        stop = len(faults) if done == len(left) else int(left[done - 1]) + 1
        yield _spread(outcomes, faults.positions[start:stop], left[done - len(outcomes.positions) : done] - start)
        start = stop
    if start < len(faults):
        yield all_dropped(faults.positions[start:], block.count)


def _spread(outcomes: Outcomes, positions: NDArray[np.int64], rows: NDArray[np.int64]) -> Outcomes:
    """The outcomes of faults that stand at `rows` among `positions`, of which the others are dropped."""
    severity = np.full((len(positions), outcomes.severity.shape[1]), DROPPED, dtype=np.uint8)
    severity[rows] = outcomes.severity
    audit = outcomes.audit and replace(outcomes.audit, fault=rows[outcomes.audit.fault])
    critical_fault = rows[outcomes.critical_fault]
    return replace(outcomes, positions=positions, severity=severity, critical_fault=critical_fault, audit=audit)


def all_dropped(positions: NDArray[np.int64], images: int) -> Outcomes:
    """The outcomes of faults none of which is run; `positions` [faults] are their places in the fault list."""
    none = np.zeros(0, dtype=np.int64)
    return Outcomes(
        positions=positions,
        severity=np.full((len(positions), images), DROPPED, dtype=np.uint8),
        critical_fault=none,
        critical_image=none,
        prediction=none.astype(np.uint16),
        nonfinite=none.astype(np.bool_),
        golden_in_top5=none.astype(np.bool_),
        softmax_lost=none.astype(np.float32),
    )
