"""The SQL views over the parts: one definition for the catalogue, for ad-hoc queries and for the seal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.metrics.registry import METRICS
from engine.store.layout import CAMPAIGN_DIGITS, COLUMNS, PART_DIGITS, PART_TABLES
from engine.store.parquet import sql_path

if TYPE_CHECKING:
    from engine.store.layout import Layout

TABLES = ("campaigns", "faults", "images", "severity", "critical", "fault_summary", "image_summary")
"""The views that are tables in a sealed campaign; `curve` is derived from them in both."""

CAMPAIGN_FOLDERS = "campaign=" + "[0-9]" * CAMPAIGN_DIGITS
PART = f"part-{0:0{PART_DIGITS}d}.parquet"
"""One like all parts, for the length of their names."""

PARTS = "part-" + "[0-9]" * PART_DIGITS + ".parquet"
"""Strict, so that a foreign file (a copy, an editor's backup) is never read as data."""

DESCRIPTION = {
    "name": "VARCHAR",
    "state": "VARCHAR",
    "network": "VARCHAR",
    "dataset": "VARCHAR",
    "select": "VARCHAR",
    "metric": "VARCHAR",
    "method": "VARCHAR",
    "faults": "BIGINT",
    "images": "BIGINT",
    "created": "TIMESTAMP",
    "started": "TIMESTAMP",
    "finished": "TIMESTAMP",
    "error": "VARCHAR",
    "fault_model": "VARCHAR",
    "population": "BIGINT",
    "fingerprint": "VARCHAR",
    "config": "JSON",
    "numerics": "JSON",
}
"""The keys of campaign.json that the view `campaigns` shows, read with these types instead of guessed ones."""

NAMED = "hive_partitioning = false, filename = true"
"""DuckDB would take every folder above the store that is named `a=b` for a column too, and its value for our own."""

EVERY_FOOTER = ", union_by_name = true"
"""The names are the same in all files; but so DuckDB reads the footer of each, and plans with the true number of rows.

Otherwise it takes the rows of the first file, none, for those of every file, and joins by hashing all the pairs."""

SUMMARIES = ("fault_summary", "image_summary")
"""Small whatever the planner thinks, and read by every chart: their footers are not worth the time."""

FAULT_SUMMARY = """
SELECT campaign, fault_id, sum(masked)::BIGINT AS masked, sum(non_critical)::BIGINT AS non_critical,
    sum(critical)::BIGINT AS critical, sum(correct)::BIGINT AS correct,
    min(first_non_masked) AS first_non_masked, min(first_critical) AS first_critical
FROM {source} GROUP BY campaign, fault_id"""

IMAGE_SUMMARY = """
SELECT campaign, image_id, sum(masked)::BIGINT AS masked, sum(non_critical)::BIGINT AS non_critical,
    sum(critical)::BIGINT AS critical
FROM {source} GROUP BY campaign, image_id"""

CAMPAIGNS = """
SELECT campaign, name, state, network, dataset, "select", metric, method, faults, images, faults * images AS pairs,
    coalesce(masked + non_critical + critical, 0)::BIGINT AS pairs_done, coalesce(masked, 0)::BIGINT AS masked,
    coalesce(non_critical, 0)::BIGINT AS non_critical, coalesce(critical, 0)::BIGINT AS critical,
    created, started, finished, error, fault_model, population, fingerprint, config, numerics
FROM {description} LEFT JOIN (
    SELECT campaign, sum(masked) AS masked, sum(non_critical) AS non_critical, sum(critical) AS critical
    FROM {image_parts} GROUP BY campaign
) USING (campaign)"""

CURVE = f"""
WITH complete AS (
    SELECT campaign, rank, image_id, faults,
        CASE metric {" ".join(f"WHEN '{name}' THEN {name}" for name in METRICS)} END AS metric,
        row_number() OVER (PARTITION BY campaign ORDER BY rank) - 1 AS place
    FROM {{description}} JOIN images USING (campaign) JOIN image_summary USING (campaign, image_id)
    WHERE masked + non_critical + critical = faults
), first_seen AS (
    SELECT campaign, rank, sum(non_masked)::BIGINT AS non_masked, sum(critical)::BIGINT AS critical FROM (
        SELECT campaign, first_non_masked AS rank, 1 AS non_masked, 0 AS critical FROM fault_summary
        UNION ALL
        SELECT campaign, first_critical AS rank, 0 AS non_masked, 1 AS critical FROM fault_summary
    ) WHERE rank IS NOT NULL GROUP BY campaign, rank
), so_far AS (
    SELECT campaign, rank, image_id, complete.metric, faults,
        coalesce(sum(non_masked) OVER ranks, 0) AS non_masked, coalesce(sum(critical) OVER ranks, 0) AS critical
    FROM complete LEFT JOIN first_seen USING (campaign, rank) WHERE place = rank
    WINDOW ranks AS (PARTITION BY campaign ORDER BY rank)
)
SELECT campaign, rank, image_id, metric, (faults - non_masked)::BIGINT AS masked,
    (non_masked - critical)::BIGINT AS non_critical, critical::BIGINT AS critical
FROM so_far"""
"""Algorithm 1, over the ranks for which every fault is in."""


def view_definitions(layout: Layout, footers: str = EVERY_FOOTER) -> dict[str, str]:
    """View -> its SELECT, over absolute paths, in an order in which they can be created.

    Args:
        footers: empty: only the first file's is read beforehand, so that no other file has to be whole.
    """
    description = _description(layout)
    parts = {table: _parts(layout, table, "" if table in SUMMARIES else footers) for table in PART_TABLES}
    return {
        "faults": _table(layout, "faults", footers),
        "images": _table(layout, "images", footers),
        "severity": parts["severity"],
        "critical": parts["critical"],
        "fault_summary": FAULT_SUMMARY.format(source=f"({parts['fault_summary']})"),
        "image_summary": IMAGE_SUMMARY.format(source=f"({parts['image_summary']})"),
        "campaigns": CAMPAIGNS.format(description=f"({description})", image_parts=f"({parts['image_summary']})"),
        "curve": CURVE.format(description=f"({description})"),
    }


def _description(layout: Layout) -> str:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in DESCRIPTION.items())
    names = ", ".join(f'"{name}"' for name in DESCRIPTION)
    options = f"format = 'unstructured', columns = {{{columns}}}, {NAMED}"
    return _rows(names, f"read_json({_glob(layout, 'campaign.json')}, {options})", "campaign.json")


def _table(layout: Layout, table: str, footers: str) -> str:
    name = f"{table}.parquet"
    return _rows(", ".join(COLUMNS[table]), f"read_parquet({_glob(layout, name)}, {NAMED}{footers})", name)


def _parts(layout: Layout, table: str, footers: str) -> str:
    """The rows of a part table whose set is committed, that is: has its severity file."""
    files = f"read_parquet({_glob(layout, f'{table}/{PARTS}')}, {NAMED}{footers})"
    rows = _rows(", ".join(COLUMNS[table]), files, f"{table}/{PART}")
    if table == "severity":
        return rows
    folder, number = f"left(file, length(file) - {len(f'severity/{PART}')})", f"right(file, {len(PART)})"
    commits = _glob(layout, f"severity/{PARTS}")
    return f"{rows} AND filename IN (SELECT {folder} || '{table}/' || {number} FROM glob({commits}))"


def _rows(columns: str, files: str, name: str) -> str:
    """The rows of files of this name, with the campaign in whose folder they are, counted from the path's end."""
    campaign = f"substr(filename, -{CAMPAIGN_DIGITS + 1 + len(name)}, {CAMPAIGN_DIGITS})::UINTEGER"
    return f"SELECT {campaign} AS campaign, {columns} FROM {files} WHERE {campaign} > 0"


def _glob(layout: Layout, name: str) -> str:
    return f"{sql_path(layout.campaigns)[:-1]}/{CAMPAIGN_FOLDERS}/{name}'"
