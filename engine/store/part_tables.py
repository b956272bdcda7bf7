"""The rows of the four files of a part set, worked out from what injecting gave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.faults.order import execution_order
from engine.store.layout import MASKED
from engine.store.parquet import read_arrays, sql_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    import duckdb
    import pyarrow as pa
    from numpy.typing import NDArray

    from engine.injection.outcomes import Outcomes
    from engine.store.layout import CampaignLayout
    from engine.store.records import Span

    Columns = dict[str, NDArray[Any]]

ROWS_AT_ONCE = 131_072
"""pairs whose rows are made at once: their columns stay in the cache until they are compressed"""


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
        f"SELECT fault_id, layer_index::BIGINT AS layer, {channel} FROM read_parquet({sql_path(campaign.faults)})",
    )
    order = execution_order(fault["layer"], fault["channel"], fault["fault_id"])
    image = read_arrays(
        connection,
        f"SELECT image_id, label::BIGINT AS label, golden_correct FROM read_parquet({sql_path(campaign.images)}) "
        "WHERE rank IS NOT NULL ORDER BY rank",
    )
    return Fixed(order, fault["fault_id"][order], image["image_id"], image["label"], image["golden_correct"])


def joined(groups: Sequence[Outcomes]) -> Outcomes:
    """Outcomes of consecutive faults as one."""
    starts = np.cumsum([0, *(len(outcomes.severity) for outcomes in groups[:-1])])
    fields = ("positions", "severity", "critical_image", "prediction", "nonfinite")
    return replace(
        groups[0],
        **{name: np.concatenate([getattr(outcomes, name) for outcomes in groups]) for name in fields},
        critical_fault=np.concatenate([o.critical_fault + start for o, start in zip(groups, starts, strict=True)]),
    )


def part_tables(fixed: Fixed, span: Span, outcomes: Outcomes) -> dict[str, Columns]:
    """Table -> its columns, of all but `severity`.

    Args:
        fixed: of the campaign.
        span: of the part.
        outcomes: of all its pairs; each critical one is listed once.
    """
    fault_id = fixed.fault_id[span.fault_start : span.fault_stop]
    image_id = fixed.image_id[span.rank_start : span.rank_stop]
    fault, image = outcomes.critical_fault, outcomes.critical_image
    ran = outcomes.severity != MASKED
    by_fault = {
        "fault_id": fault_id,
        **_counts(ran, axis=1, critical=fault),
        "correct": _correct(fixed, span, outcomes),
        "first_non_masked": _ranks(ran.argmax(axis=1), span, ~ran.any(axis=1)),
        "first_critical": _first_critical(span, outcomes),
    }
    return {
        "fault_summary": by_fault,
        "image_summary": {"image_id": image_id, **_counts(ran, axis=0, critical=image)},
        "critical": {
            "fault_id": fault_id[fault],
            "image_id": image_id[image],
            "prediction": outcomes.prediction,
            "nonfinite": outcomes.nonfinite,
        },
    }


def severity_rows(fixed: Fixed, span: Span, severity: NDArray[np.uint8]) -> pa.RecordBatchReader:
    """The rows of `severity`, made as they are read, once; `severity` [faults, images] of the part."""
    import pyarrow as pa

    fault_id = fixed.fault_id[span.fault_start : span.fault_stop]
    image_id = fixed.image_id[span.rank_start : span.rank_stop]
    faults = max(1, ROWS_AT_ONCE // span.images)
    every_image = np.tile(image_id, min(faults, span.faults))

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, span.faults, faults):
            some = severity[start : start + faults]
            fault = np.repeat(fault_id[start : start + faults], span.images)
            columns = (fault, every_image[: some.size], some.ravel())
            yield pa.record_batch([pa.array(column) for column in columns], schema=schema)

    types = {"fault_id": pa.uint32(), "image_id": pa.uint32(), "severity": pa.uint8()}
    schema = pa.schema(list(types.items()))
    return pa.RecordBatchReader.from_batches(schema, batches())


def _counts(not_masked: NDArray[np.bool_], axis: int, critical: NDArray[np.int64]) -> Columns:
    """Pairs of each severity along one axis; `critical`: the place on the other axis of each critical pair."""
    # not as int64, which takes twice as long
    not_masked_count = not_masked.view(np.uint8).sum(axis=axis, dtype=np.uint32).astype(np.int64)
    critical_count = np.bincount(critical, minlength=not_masked.shape[1 - axis])
    return {
        "masked": not_masked.shape[axis] - not_masked_count,
        "non_critical": not_masked_count - critical_count,
        "critical": critical_count,
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


def _ranks(place: NDArray[np.int64], span: Span, never: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Places in the block as ranks; masked (NULL) where there is none."""
    return np.ma.masked_array(place + span.rank_start, mask=never)
