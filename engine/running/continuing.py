"""A campaign that was begun before goes on only where it would be begun in the same way now, or its pairs agree.

The engine that computes severities and what it has measured on this machine (batch sizes, rounding) may be others than
at the start. Where the campaign has no part yet, it is prepared anew. Where it has parts, some of their pairs are
computed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.injection.methods import METHODS
from engine.running.fingerprint import ENGINE
from engine.running.out_of_memory import until_it_fits
from engine.severity import CRITICAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.running.preparation import PreparedCampaign
    from engine.store import NewCampaign, Receipt, Store

_MOST_PARTS = 8
_MOST_FAULTS = 200
_MOST_IMAGES = 64
"""of the parts, and of each one's faults and images, that are computed again"""


def continue_from(store: Store, campaign: int, prepared: PreparedCampaign, new: NewCampaign) -> None:
    """Mend a campaign's files, and bring what is known of it up to date, before it goes on.

    Args:
        store: with the campaign, which may be new.
        campaign: its id.
        prepared: the same campaign as it would begin now.
        new: `prepared` as the store keeps it.

    Raises:
        InputError: parts of it were computed by another engine or calibration, and their pairs do not agree.
    """
    store.restore(campaign, new)
    then, receipts = store.description(campaign), store.receipts(campaign)
    for measured_then in (then["numerics"], *(receipt.statistics for receipt in receipts)):
        prepared.injection.recall(measured_then)
    measured = {name: str(value) for name, value in prepared.injection.measured.items()}
    before = {**then["numerics"], ENGINE: then["identity"].get(ENGINE)}
    now = {**measured, ENGINE: new.identity[ENGINE]}
    changed = [name for name in now if before.get(name) != now[name]]
    if (
        changed
        and receipts
        and not until_it_fits(
            lambda: _agree(store, campaign, prepared, receipts), lambda: prepared.halve_batches(keeps_fall_backs=True)
        )
    ):
        shown = ", ".join(f"{name} {str(before.get(name))[:8]} (now {now[name][:8]})" for name in changed)
        raise InputError(
            f"campaign {campaign}: parts of it were computed with {shown}, and their pairs come out otherwise now; "
            "start it anew with --again"
        )
    store.renew(campaign, new, with_tables=bool(changed) and not receipts)


def _agree(store: Store, campaign: int, prepared: PreparedCampaign, receipts: list[Receipt]) -> bool:
    """Whether some pairs of some parts come out as they are in the store.

    Of `fast`, whether they are critical; on a GPU of `exact` too: there masked pairs depend on the size of the batch,
    which is as large as what was free there. Only pairs that were run both times tell: what an audit draws, and so
    which screened pairs are run, may be others.
    """
    chosen = np.unique(np.linspace(0, len(receipts) - 1, _MOST_PARTS, dtype=np.int64))
    is_exact = METHODS[prepared.config.run.method].is_bit_equal and prepared.numerics.device == "cpu"
    for receipt in (receipts[place] for place in chosen):
        stored = store.severities(campaign, receipt)
        rows = np.unique(np.linspace(0, len(stored) - 1, _MOST_FAULTS, dtype=np.int64))
        images = min(stored.shape[1], prepared.injection.block_rows, _MOST_IMAGES)
        now, then = _computed(prepared, receipt, rows, images), stored[rows, :images]
        was_run = (now <= CRITICAL) & (then <= CRITICAL)
        now, then = now[was_run], then[was_run]
        if not np.array_equal(now == CRITICAL, then == CRITICAL) or (is_exact and not np.array_equal(now, then)):
            return False
    return True


def _computed(prepared: PreparedCampaign, receipt: Receipt, rows: NDArray[np.int64], images: int) -> NDArray[np.uint8]:
    span = receipt.span
    faults = prepared.faults_in_execution_order().take(span.fault_start + rows)
    block = prepared.injection.load(prepared.images(span.rank_start, span.rank_start + images))
    return np.concatenate([outcomes.severity for outcomes in prepared.injection.inject(block, faults)])
