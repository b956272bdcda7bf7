"""A report for programs: its numbers, and all that is needed to run it again."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.report.fit import fit_of
from engine.report.safety import marks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.analysis.estimate import Share
    from engine.report.document import Document
    from engine.report.fit import FitRate
    from engine.report.material import Material
    from engine.store import CampaignSummary

FORMAT = 1
"""of report.json"""


def as_record(document: Document, materials: Sequence[Material], rate: FitRate) -> dict[str, Any]:
    """What report.json holds: of one campaign its own keys, of several a list `campaigns`."""
    campaigns = [_record_of(material, rate) for material in materials]
    tables = [
        {"name": each.name, "title": each.table.title, "columns": [column.name for column in each.table.columns],
         "rows": [list(row) for row in each.table.rows]}
        for each in document.tables()
    ]  # fmt: skip
    head = {"format": FORMAT, "title": document.title, "made_by": document.made_by, "marks": list(document.marks)}
    own: dict[str, Any] = campaigns[0] if len(campaigns) == 1 else {"campaigns": campaigns}
    return head | own | {"tables": tables}


def _record_of(material: Material, rate: FitRate) -> dict[str, Any]:
    description, status, results = material.description, material.status, material.results
    shares = {name: _interval(share) for name, share in results.shares.items()}
    return {
        "id": status.id,
        "name": status.name,
        "state": material.campaign.state,
        "campaign_marks": list(marks_of(material)),
        "network": status.network,
        "dataset": status.dataset,
        "confidence": material.confidence.stated,
        "faults": status.faults,
        "drawn": description.get("drawn") or status.faults,
        "population": description["population"],
        "images": status.images,
        "pairs": status.pairs,
        "counts": {name: getattr(status, name) for name in
                   ("masked", "non_critical", "critical", "screened", "dropped")},
        "table_one": _table_one(material),
        "shares": shares,
        "fit_per_mbit": rate.per_mbit,
        "fit_budget": rate.budget,
        "fit": {name: _interval(share) for name, share in fit_of(material, rate).items()},
        "in_field_test": [
            {"images": each.images, **(_interval(each.detected) or {})} for each in material.coverage_of_tests
        ],
        "critical_pairs": {"count": len(material.summary.critical_fault), "sha256": digest(material.summary)},
        "identity": description.get("identity", {}),
        "fingerprint": description["fingerprint"],
        "numerics": description["numerics"],
        "config": description["config"],
    }  # fmt: skip


def _table_one(material: Material) -> dict[str, float | None]:
    """Table I; of dropped pairs it is not known what they are."""
    row: dict[str, float | None] = asdict(material.results.table_one)
    unknown = ("faulty_accuracy", "masked", "non_critical", "critical") if material.status.dropped else ()
    return row | dict.fromkeys(unknown)


def digest(summary: CampaignSummary) -> str:
    """The SHA-256 of the critical pairs, whatever order they are kept in."""
    order = np.lexsort((summary.critical_image, summary.critical_fault))
    pairs = np.stack([summary.critical_fault[order], summary.critical_image[order]]).astype("<u4")
    return hashlib.sha256(np.ascontiguousarray(pairs.T).tobytes()).hexdigest()


def _interval(share: Share | None) -> dict[str, float | None] | None:
    return None if share is None else {"value": share.value, "low": share.low, "high": share.high}
