"""The rows of the four files of a part set, worked out from what injecting gave."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.faults.order import execution_order
from engine.severity import CRITICAL, DROPPED, MASKED, SCREENED
from engine.store.description import read_description
from engine.store.parquet import ROW_GROUP_SIZE, read_arrays, stored, stored_rows
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
class OutcomesGroup:
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
    """[W] in rank order"""
    label: NDArray[np.int64]
    """[W] in rank order"""
    golden_correct: NDArray[np.bool_]
    """[W] in rank order: whether golden classifies the image as labelled"""


def read_fixed(connection: duckdb.DuckDBPyConnection, campaign: CampaignLayout) -> Fixed:
    """From the campaign's own files."""
    shapes = {layer["index"]: layer["shape"] for layer in read_description(campaign)["layers"]}
    per_channel = np.array([math.prod(shapes[index]) // shapes[index][0] for index in range(len(shapes))])
    fault = read_arrays(
        connection,
        "SELECT fault_id, layer_index AS layer, weight_index, wave::UTINYINT AS wave "
        f"FROM {stored_rows('faults', campaign.faults)}",
    )
    image = read_arrays(
        connection,
        f"SELECT image_id, label::BIGINT AS label, golden_correct FROM {stored(campaign.images)} "
        "WHERE rank IS NOT NULL ORDER BY rank",
    )
    channel = fault["weight_index"] // per_channel[fault["layer"]]
    order = execution_order(fault["layer"], channel, fault["fault_id"], fault["wave"])
    return Fixed(order, fault["fault_id"][order], image["image_id"], image["label"], image["golden_correct"])


def part_tables(
    fixed: Fixed, span: Span, groups: Sequence[OutcomesGroup]
) -> dict[str, Mapping[str, NDArray[Any] | pa.ChunkedArray]]:
    """Table -> column -> [rows], in the order of `PART_TABLES`; before these the audit, where there is one.

    Args:
        fixed: of the campaign.
        span: of the part.
        groups: all its pairs, one after the other; each is worked through while it is in the cache.
    """
    is_whole = all(group.is_whole for group in groups)
    of_groups = [_group_tables(fixed, group, with_severity=not is_whole) for group in groups]
    by_fault, by_image, critical, severity = zip(*of_groups, strict=True)
    image_id = fixed.image_id[span.rank_start : span.rank_stop]
    return {
        **_audit(fixed, span, groups),
        "fault_summary": _columns(by_fault, _joined),
        "image_summary": {"image_id": image_id, **_columns(by_image, partial(np.sum, axis=0))},
        "critical": _columns(critical, _joined),
        "severity": _whole_severity(fixed, span, groups) if is_whole else _columns(severity, _joined),
    }


def _columns(groups: Sequence[Columns], joined: Callable[[list[NDArray[Any]]], NDArray[Any]]) -> Columns:
    """The columns that some groups of faults share, joined."""
    return {name: joined([columns[name] for columns in groups]) for name in groups[0]}


def _joined(columns: list[NDArray[Any]]) -> NDArray[Any]:
    """One after the other; numpy's own way with masked ones takes ten times as long."""
    is_masked = any(isinstance(column, np.ma.MaskedArray) for column in columns)
    concatenate: Callable[[list[NDArray[Any]]], NDArray[Any]] = np.ma.concatenate if is_masked else np.concatenate
    return concatenate(columns)


def _group_tables(fixed: Fixed, group: OutcomesGroup, with_severity: bool) -> tuple[Columns, Columns, Columns, Columns]:
    """The tables of one group: by fault, counts by image, critical pairs, and, where asked for, severities."""
    span, outcomes = group.span, group.outcomes
    fault_id = fixed.fault_id[span.fault_start : span.fault_stop]
    image_id = fixed.image_id[span.rank_start : span.rank_stop]
    fault, image = outcomes.critical_fault, outcomes.critical_image
    pairs = _WholeGroup(outcomes) if group.is_whole else _PartOfGroup(outcomes)
    counts = pairs.counts(axis=1, critical=fault)
    by_fault = {
        "fault_id": fault_id,
        **counts,
        "correct": _correct(fixed, span, outcomes),
        "first_non_masked": _ranks(pairs.first_not_masked(), span, counts["non_critical"] + counts["critical"] == 0),
        "first_critical": _first_critical(span, outcomes),
        "first_screened": _ranks(pairs.first_screened(), span, counts["screened"] == 0),
    }
    critical: Columns = {
        "fault_id": fault_id[fault],
        "image_id": image_id[image],
        "prediction": outcomes.prediction,
        "nonfinite": outcomes.nonfinite,
        "golden_in_top5": outcomes.golden_in_top5,
        "softmax_lost": np.ma.masked_array(outcomes.softmax_lost, mask=np.isnan(outcomes.softmax_lost)),
    }
    severity = pairs.severity(fault_id, image_id) if with_severity else {}
    return by_fault, pairs.counts(axis=0, critical=image), critical, severity


class _WholeGroup:
    """The pairs of a group that were all run."""

    def __init__(self, outcomes: Outcomes) -> None:
        self._severity = outcomes.severity
        self._not_masked = outcomes.severity != MASKED

    def counts(self, axis: int, critical: NDArray[np.int64]) -> Columns:
        """Pairs of each kind along one axis; `critical`: the place on the other axis of each critical pair."""
        # not as int64, which takes twice as long
        not_masked = self._not_masked.view(np.uint8).sum(axis=axis, dtype=np.uint32).astype(np.int64)
        places = len(not_masked)
        critical_count, none = np.bincount(critical, minlength=places), np.zeros(places, np.int64)
        return {
            "masked": self._not_masked.shape[axis] - not_masked,
            "non_critical": not_masked - critical_count,
            "critical": critical_count,
            "screened": none,
            "dropped": none,
        }

    def first_not_masked(self) -> NDArray[np.int64]:
        """The first image of each fault for which it is not masked; any where there is none."""
        first: NDArray[np.int64] = self._not_masked.argmax(axis=1)
        return first

    def first_screened(self) -> NDArray[np.int64]:
        """The first image of each fault for which it is screened; any, as there is none."""
        return np.zeros(len(self._severity), np.int64)

    def severity(self, fault_id: NDArray[np.uint32], image_id: NDArray[np.uint32]) -> Columns:
        """A row for each pair, fault after fault."""
        faults, images = self._severity.shape
        return {
            "fault_id": np.repeat(fault_id, images),
            "image_id": np.tile(image_id, faults),
            "severity": self._severity.ravel(),
        }


class _PartOfGroup:
    """The pairs of a group of which some were not run, often nearly all: each one that was is looked at by itself."""

    def __init__(self, outcomes: Outcomes) -> None:
        self._all = outcomes.severity
        self._run = _Pairs.of(self._all, self._all <= CRITICAL)
        self._dropped = _Pairs.of(self._all, self._all == DROPPED)

    def counts(self, axis: int, critical: NDArray[np.int64]) -> Columns:
        """Pairs of each kind along one axis; `critical`: the place on the other axis of each critical pair."""
        places = self._all.shape[1 - axis]
        run, dropped = (np.bincount(pairs.place(axis), minlength=places) for pairs in (self._run, self._dropped))
        masked = np.bincount(self._run.place(axis)[self._run.severity == MASKED], minlength=places)
        critical_count = np.bincount(critical, minlength=places)
        return {
            "masked": masked,
            "non_critical": run - masked - critical_count,
            "critical": critical_count,
            "screened": self._all.shape[axis] - run - dropped,
            "dropped": dropped,
        }

    def first_not_masked(self) -> NDArray[np.int64]:
        """The first image of each fault for which it is not masked; any where there is none."""
        first = np.zeros(len(self._all), np.int64)
        seen = np.flatnonzero(self._run.severity != MASKED)[::-1]  # of several the one that is assigned last stays
        first[self._run.fault[seen]] = self._run.image[seen]
        return first

    def first_screened(self) -> NDArray[np.int64]:
        """The first image of each fault for which it is screened; any where there is none."""
        first: NDArray[np.int64] = (self._all == SCREENED).argmax(axis=1)
        return first

    def severity(self, fault_id: NDArray[np.uint32], image_id: NDArray[np.uint32]) -> Columns:
        """A row for each pair that was run, fault after fault."""
        run = self._run
        return {"fault_id": fault_id[run.fault], "image_id": image_id[run.image], "severity": run.severity}


@dataclass(frozen=True)
class _Pairs:
    """Some pairs of a group, in the order of faults, then images; all arrays have one row per pair."""

    fault: NDArray[np.int64]
    image: NDArray[np.int64]
    severity: NDArray[np.uint8]

    @classmethod
    def of(cls, severity: NDArray[np.uint8], chosen: NDArray[np.bool_]) -> _Pairs:
        """The chosen pairs of a matrix; as one long row they are found in a third of the time."""
        place = np.flatnonzero(chosen.reshape(-1))
        fault = place // severity.shape[1]
        return cls(fault, place - fault * severity.shape[1], severity.reshape(-1)[place])

    def place(self, axis: int) -> NDArray[np.int64]:
        """The one that is left when pairs are counted along an axis."""
        return self.image if axis == 0 else self.fault


def _whole_severity(
    fixed: Fixed, span: Span, groups: Sequence[OutcomesGroup]
) -> dict[str, NDArray[Any] | pa.ChunkedArray]:
    """A row for each pair of a part all of whose pairs were run, fault after fault.

    Neither severities nor image ids are held once more for every pair.
    """
    import pyarrow as pa

    image_id = fixed.image_id[span.rank_start : span.rank_stop]
    fault_id = fixed.fault_id[span.fault_start : span.fault_stop]
    most = max(1, ROW_GROUP_SIZE // span.images)
    images = pa.array(np.tile(image_id, min(most, span.faults)))
    faults = [min(most, span.faults - start) for start in range(0, span.faults, most)]
    return {
        "fault_id": np.repeat(fault_id, span.images),
        "image_id": pa.chunked_array([images.slice(0, some * span.images) for some in faults]),
        "severity": pa.chunked_array([group.outcomes.severity.ravel() for group in groups]),
    }


def _audit(fixed: Fixed, span: Span, groups: Sequence[OutcomesGroup]) -> dict[str, Columns]:
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
        audit: columns of the audit table, [rows] each.
    """
    pair = audit["fault_id"].astype(np.int64) << 32 | audit["image_id"].astype(np.int64)
    return {"audited": len(np.unique(pair)), "missed": len(np.unique(pair[audit["severity"] == CRITICAL]))}


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


def _ranks(place: NDArray[np.int64], span: Span, never: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places in the block as ranks; masked (NULL) where there is none."""
    return np.ma.masked_array(place + span.rank_start, mask=never)
