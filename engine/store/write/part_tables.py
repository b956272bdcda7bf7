"""The rows of the four files of a part set, worked out from what injecting gave."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.faults.order import execution_order
from engine.severity import CRITICAL, DROPPED, MASKED, SCREENED
from engine.store.parquet import ROW_GROUP_SIZE, read_arrays, stored
from engine.store.schema import AUDIT, DRAWN_AS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    import duckdb
    import pyarrow as pa
    from numpy.typing import NDArray

    from engine.injection.outcomes import Outcomes
    from engine.store.layout import CampaignLayout
    from engine.store.records import Span

    Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Group:
    """Some faults of a part, all of its images."""

    span: Span
    outcomes: Outcomes
    is_whole: bool
    """whether all pairs were run"""


@dataclass(frozen=True)
class Fixed:
    """What the writer needs to know of a campaign's F faults and W images."""

    order: NDArray[np.int64]
    """[F] positions in execution order"""
    fault_id: NDArray[np.uint32]
    """[F] in execution order"""
    image_id: NDArray[np.uint32]
    """[W] in rank order, like the next two"""
    label: NDArray[np.int64]
    golden_correct: NDArray[np.bool_]


def read_fixed(connection: duckdb.DuckDBPyConnection, campaign: CampaignLayout) -> Fixed:
    """From the campaign's own files."""
    channel = r"regexp_extract(tensor_index, '\d+')::BIGINT AS channel"
    fault = read_arrays(
        connection,
        f"SELECT fault_id, layer_index::BIGINT AS layer, {channel} FROM {stored(campaign.faults)}",
    )
    order = execution_order(fault["layer"], fault["channel"], fault["fault_id"])
    image = read_arrays(
        connection,
        f"SELECT image_id, label::BIGINT AS label, golden_correct FROM {stored(campaign.images)} "
        "WHERE rank IS NOT NULL ORDER BY rank",
    )
    return Fixed(order, fault["fault_id"][order], image["image_id"], image["label"], image["golden_correct"])


def part_tables(
    fixed: Fixed, span: Span, groups: Sequence[Group]
) -> dict[str, Mapping[str, NDArray[Any] | pa.ChunkedArray]]:
    """Table -> its columns, in the order of `PART_TABLES`; before these the audit, where there is one.

    Args:
        fixed: of the campaign.
        span: of the part.
        groups: all its pairs, one after the other; each is worked through while it is in the cache.
    """
    of_groups = [_group_tables(fixed, group) for group in groups]
    by_fault, by_image, critical = zip(*of_groups, strict=True)
    image_id = fixed.image_id[span.rank_start : span.rank_stop]
    return {
        **_audit(fixed, span, groups),
        "fault_summary": _columns(by_fault, np.ma.concatenate),
        "image_summary": {"image_id": image_id, **_columns(by_image, partial(np.sum, axis=0))},
        "critical": _columns(critical, np.ma.concatenate),
        "severity": _severity(fixed, span, groups),
    }


def _columns(groups: Sequence[Columns], joined: Callable[[list[NDArray[Any]]], NDArray[Any]]) -> Columns:
    """The same columns of some groups of faults as one."""
    return {name: joined([columns[name] for columns in groups]) for name in groups[0]}


def _group_tables(fixed: Fixed, group: Group) -> tuple[Columns, Columns, Columns]:
    """Of one group: by fault, counts by image, critical pairs."""
    span, outcomes = group.span, group.outcomes
    fault_id = fixed.fault_id[span.fault_start : span.fault_stop]
    image_id = fixed.image_id[span.rank_start : span.rank_stop]
    fault, image = outcomes.critical_fault, outcomes.critical_image
    not_masked = outcomes.severity != MASKED
    if not group.is_whole:
        not_masked &= outcomes.severity <= CRITICAL
    counts = _counts(group, not_masked, axis=1, critical=fault)
    by_fault = {
        "fault_id": fault_id,
        **counts,
        "correct": _correct(fixed, span, outcomes),
        "first_non_masked": _ranks(not_masked.argmax(axis=1), span, counts["non_critical"] + counts["critical"] == 0),
        "first_critical": _first_critical(span, outcomes),
        "first_screened": _first_screened(group, counts["screened"]),
    }
    critical: Columns = {
        "fault_id": fault_id[fault],
        "image_id": image_id[image],
        "prediction": outcomes.prediction,
        "nonfinite": outcomes.nonfinite,
        "golden_in_top5": outcomes.golden_in_top5,
        "softmax_lost": np.ma.masked_array(outcomes.softmax_lost, mask=np.isnan(outcomes.softmax_lost)),
    }
    return by_fault, _counts(group, not_masked, axis=0, critical=image), critical


def _severity(fixed: Fixed, span: Span, groups: Sequence[Group]) -> dict[str, NDArray[Any] | pa.ChunkedArray]:
    """A row for each pair that was run, fault after fault.

    Where all were, neither severities nor image ids are held once more for every pair.
    """
    import pyarrow as pa

    image_id = fixed.image_id[span.rank_start : span.rank_stop]
    fault_id = fixed.fault_id[span.fault_start : span.fault_stop]
    if not all(group.is_whole for group in groups):
        severity = np.concatenate([group.outcomes.severity for group in groups])
        fault, image = np.nonzero(severity <= CRITICAL)
        return {"fault_id": fault_id[fault], "image_id": image_id[image], "severity": severity[fault, image]}
    most = max(1, ROW_GROUP_SIZE // span.images)
    images = pa.array(np.tile(image_id, min(most, span.faults)))
    faults = [min(most, span.faults - start) for start in range(0, span.faults, most)]
    return {
        "fault_id": np.repeat(fault_id, span.images),
        "image_id": pa.chunked_array([images.slice(0, some * span.images) for some in faults]),
        "severity": pa.chunked_array([group.outcomes.severity.ravel() for group in groups]),
    }


def _audit(fixed: Fixed, span: Span, groups: Sequence[Group]) -> dict[str, Columns]:
    """The table of the pairs that an audit ran; none where nothing was audited."""
    audits = [(group, audit) for group in groups if (audit := group.outcomes.audit) is not None and len(audit)]
    if not audits:
        return {}
    image_id = fixed.image_id[span.rank_start : span.rank_stop]
    names = np.array(DRAWN_AS, object)
    of_groups: list[Columns] = [
        {
            "fault_id": fixed.fault_id[group.span.fault_start + audit.fault],
            "image_id": image_id[audit.image],
            "drawn_as": names[audit.drawn_as],
            "bound": audit.bound,
            "prediction": audit.prediction,
            "severity": audit.severity,
        }
        for group, audit in audits
    ]
    return {AUDIT: _columns(of_groups, np.concatenate)}


def audit_counts(audit: Mapping[str, NDArray[Any]]) -> dict[str, int]:
    """How many pairs an audit ran, and how many of them are critical, whichever way they were drawn.

    Args:
        audit: columns of the audit table.
    """
    pair = audit["fault_id"].astype(np.int64) << 32 | audit["image_id"].astype(np.int64)
    return {"audited": len(np.unique(pair)), "missed": len(np.unique(pair[audit["severity"] == CRITICAL]))}


def _counts(group: Group, not_masked: NDArray[np.bool_], axis: int, critical: NDArray[np.int64]) -> Columns:
    """Pairs of each kind along one axis; `critical`: the place on the other axis of each critical pair."""
    # not as int64, which takes twice as long
    not_masked_count = not_masked.view(np.uint8).sum(axis=axis, dtype=np.uint32).astype(np.int64)
    places = not_masked.shape[1 - axis]
    critical_count = np.bincount(critical, minlength=places)
    screened, dropped = (
        np.zeros(places, np.int64) if group.is_whole else np.count_nonzero(group.outcomes.severity == code, axis=axis)
        for code in (SCREENED, DROPPED)
    )
    return {
        "masked": not_masked.shape[axis] - not_masked_count - screened - dropped,
        "non_critical": not_masked_count - critical_count,
        "critical": critical_count,
        "screened": screened,
        "dropped": dropped,
    }


def _correct(fixed: Fixed, span: Span, outcomes: Outcomes) -> NDArray[np.int64]:
    """Images classified correctly under each fault, [faults]: golden's, but for the critical pairs."""
    golden = fixed.golden_correct[span.rank_start : span.rank_stop]
    label = fixed.label[span.rank_start : span.rank_stop]
    right = (outcomes.prediction == label[outcomes.critical_image]) & ~outcomes.nonfinite
    change = right.astype(np.int64) - golden[outcomes.critical_image]
    changes = np.bincount(outcomes.critical_fault, weights=change, minlength=span.faults)
    return changes.astype(np.int64) + np.count_nonzero(golden)


def _first_critical(span: Span, outcomes: Outcomes) -> NDArray[np.int64]:
    first = np.full(span.faults, span.images)
    np.minimum.at(first, outcomes.critical_fault, outcomes.critical_image)
    return _ranks(first, span, first == span.images)


def _first_screened(group: Group, screened: NDArray[np.int64]) -> NDArray[np.int64]:
    """`screened`: images of each fault that are."""
    place = np.zeros(group.span.faults, np.int64)
    if not group.is_whole:
        place = (group.outcomes.severity == SCREENED).argmax(axis=1)
    return _ranks(place, group.span, screened == 0)


def _ranks(place: NDArray[np.int64], span: Span, never: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places in the block as ranks; masked (NULL) where there is none."""
    return np.ma.masked_array(place + span.rank_start, mask=never)
