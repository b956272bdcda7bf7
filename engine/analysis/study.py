"""The members of a study side by side; a member on some images is read off a campaign that ran all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.accuracy_cost import COSTS
from engine.analysis.campaign_results import campaign_results
from engine.analysis.estimate import estimate_mean, percents, weighted_mean
from engine.analysis.result_table import UNKNOWN, Column, Kind, Table, interval
from engine.config.campaign_config import DEFAULTS
from engine.metrics.selection import select_images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.analysis.estimate import Confidence, Share
    from engine.config.campaign_config import WorkloadConfig
    from engine.store import CampaignSummary


READ_OFF = "read off"
"""state of a member whose results are those of a campaign with more images"""


@dataclass(frozen=True)
class MemberResults:
    """What one member found; None where that is not known."""

    factors: Mapping[str, Any]
    campaign: int | None
    """None: there is none yet"""
    state: str
    """of the campaign, or `READ_OFF`"""
    faults: int | None = None
    images: int | None = None
    critical: Share | None = None
    """share of pairs, 0..1"""
    critical_percent: float | None = None
    critical_faults: int | None = None
    faulty_accuracy: float | None = None
    """percent"""
    lowering_faults: int | None = None
    """faults that lower the accuracy"""
    seconds: float | None = None
    """what computing took"""


def of_campaign(factors: Mapping[str, Any], summary: CampaignSummary, description: Mapping[str, Any]) -> MemberResults:
    """The results of a member whose own campaign is finished."""
    results = campaign_results(summary, description)
    status = summary.status
    return MemberResults(
        factors=factors,
        campaign=status.id,
        state=status.state,
        faults=status.faults,
        images=status.images,
        critical=results.shares.get("critical"),
        critical_percent=results.table_one.critical,
        critical_faults=results.table_one.critical_faults,
        faulty_accuracy=results.table_one.faulty_accuracy,
        lowering_faults=None if results.effects is None else results.effects[COSTS[0].name],
        seconds=results.seconds,
    )


def of_subset(
    factors: Mapping[str, Any],
    workload: WorkloadConfig,
    summary: CampaignSummary,
    confidence: Confidence,
) -> MemberResults:
    """The results of a member on some images, from the campaign of its faults on all of them.

    Args:
        factors: of the member.
        workload: which images it asks for.
        summary: of the campaign on all images, which has the metric.
        confidence: of the interval.

    Raises:
        InputError: the selection is empty.
    """
    images = select_images(workload, summary.metrics[workload.column])
    is_in = np.isin(summary.critical_image, images)
    place = np.searchsorted(summary.fault_id, summary.critical_fault[is_in])
    critical = np.bincount(place, minlength=len(summary.fault_id))
    share = None
    if summary.population is not None:
        share = estimate_mean(critical, len(images), summary.stratum, summary.population, confidence.of_interval)
    return MemberResults(
        factors=factors,
        campaign=summary.status.id,
        state=READ_OFF,
        faults=len(summary.fault_id),
        images=len(images),
        critical=share,
        critical_percent=100 * weighted_mean(critical, summary.weight) / len(images),
        critical_faults=int(np.count_nonzero(critical)),
    )


def what_differs(configs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of each config the keys, such as `faults.seed`, of which not all have the same value; what is unsaid has its own.

    Args:
        configs: of some campaigns, as the store keeps them.
    """
    flat = [_flat(config) for config in configs]
    keys = dict.fromkeys(key for each in flat for key in each)
    differing = [key for key in keys if any(each.get(key) != flat[0].get(key) for each in flat)]
    return [{key: each.get(key) for key in differing} for each in flat]


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """`table.key` -> value, with the defaults of what is unsaid."""
    tables = {name: config.get(name, {}) for name in DEFAULTS}
    alone = {name: value for name, value in config.items() if name not in tables}
    return alone | {
        f"{name}.{key}": value for name, table in tables.items() for key, value in {**DEFAULTS[name], **table}.items()
    }


def study_table(title: str, members: Sequence[MemberResults], confidence: float | None) -> Table:
    """A row for each member: what sets it apart, and what was found; `confidence` None: it differs."""
    factors = list(members[0].factors) if members else []
    return Table(
        title,
        (
            Column("campaign", Kind.ID, priority=9),
            Column("state", priority=6),
            *(Column(factor, priority=8) for factor in factors),
            Column("faults", Kind.COUNT, priority=5),
            Column("images", Kind.COUNT, priority=6),
            Column("critical_percent", Kind.PERCENT, "critical pairs", priority=9, term="critical"),
            *interval(confidence, priority=5),
            Column("critical_faults", Kind.COUNT, "critical faults", priority=7, term="critical fault"),
            Column("faulty_accuracy_percent", Kind.PERCENT, "faulty accuracy", priority=4, term="faulty accuracy"),
            Column("lowering_faults", Kind.COUNT, "lower the accuracy", priority=4, term="lower the accuracy"),
            Column("seconds", Kind.SECONDS, "computed in", priority=2, term="computed in"),
        ),
        tuple(
            (each.campaign, each.state, *(factor_text(each.factors[factor]) for factor in factors),
             each.faults, each.images, each.critical_percent, *percents(each.critical)[1:], each.critical_faults,
             each.faulty_accuracy, each.lowering_faults, each.seconds)
            for each in members
        ),
        (*((READ_OFF,) if any(each.state == READ_OFF for each in members) else ()), "pair"),
    )  # fmt: skip


def factor_text(value: Any) -> str:
    """A value of what varies, in one cell: lists as a person writes them, `-` where a config says nothing."""
    if value is None:
        return UNKNOWN
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
