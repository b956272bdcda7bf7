"""The SQL views over the parts: one definition for the catalogue, for ad-hoc queries and for the seal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.metrics.registry import METRIC_COLUMNS
from engine.severity import COUNTS
from engine.store.layout import CAMPAIGN_DIGITS, PART_DIGITS
from engine.store.parquet import known_columns, of_any_format, sql_path
from engine.store.schema import AUDIT, COLUMNS, DESCRIPTION, KNOWN, PART_TABLES, SITES_OF_ONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.store.layout import Layout

CAMPAIGN_FOLDERS = "campaign=" + "[0-9]" * CAMPAIGN_DIGITS
PART = f"part-{0:0{PART_DIGITS}d}.parquet"
"""One like all parts, for the length of their names."""

PARTS = "part-" + "[0-9]" * PART_DIGITS + ".parquet"
"""Strict, so that a foreign file (a copy, an editor's backup) is never read as data."""

NAMED = "hive_partitioning = false, filename = true"
"""DuckDB would take every folder above the store that is named `a=b` for a column too, and its value for our own."""

EVERY_FOOTER = ", union_by_name = true"
"""Files of older formats lack columns. And so DuckDB reads the footer of each, and plans with the true number of rows.

Otherwise it takes the rows of the first file, none, for those of every file, and joins by hashing all the pairs, or the
summaries of ten million faults."""

SMALL = ("image_summary",)
"""Whatever the planner thinks, and read by every chart: their footers are only read where a file is older."""

_SUMS = ", ".join(f"sum({name})::BIGINT AS {name}" for name in COUNTS)
_COUNTS = ", ".join(f"coalesce({name}, 0)::BIGINT AS {name}" for name in COUNTS)

FAULT_SUMMARY = f"""
SELECT campaign, fault_id, {_SUMS}, sum(correct)::BIGINT AS correct,
    if(min(first_screened) < min(first_non_masked), NULL, min(first_non_masked)) AS first_non_masked,
    min(first_critical) AS first_critical, min(first_screened) AS first_screened
FROM {{source}} GROUP BY campaign, fault_id"""
"""Where a screened image comes before, nobody knows whether that one is masked: `first_non_masked` is NULL."""

IMAGE_SUMMARY = f"""
SELECT campaign, image_id, {_SUMS} FROM {{source}} GROUP BY campaign, image_id"""

CHECKED = {**dict.fromkeys(("pairs", "differences", "undecided", "masked"), "BIGINT"), "seconds": "DOUBLE"}
"""What the self-check found, as `numerics` of older campaigns has it in words."""

_CHECKS = ", ".join(
    f"""coalesce("check".{name}, try_cast(numerics->>'check_{name}' AS {kind})) AS check_{name}"""
    for name, kind in CHECKED.items()
)

ACCURACY_COST = """
SELECT campaign, fault_id, coalesce(lost, 0)::BIGINT AS lost, coalesce(corrected, 0)::BIGINT AS corrected,
    coalesce(lost - corrected, 0)::BIGINT AS cost, 100 * coalesce(lost - corrected, 0) / images AS points
FROM faults JOIN {description} USING (campaign) LEFT JOIN (
    SELECT campaign, fault_id, count(*) FILTER (golden_correct) AS lost,
        count(*) FILTER (NOT golden_correct AND prediction = label AND NOT nonfinite) AS corrected
    FROM critical JOIN images USING (campaign, image_id) GROUP BY campaign, fault_id
) USING (campaign, fault_id)"""
"""The same as `engine.analysis.accuracy_cost` has from the sums of `correct`."""

CAMPAIGNS = f"""
SELECT campaign, name, state, network, dataset, "select", metric, method, coalesce(goal, {KNOWN["goal"]}) AS goal,
    faults, images, faults * images AS pairs, coalesce({" + ".join(COUNTS)}, 0)::BIGINT AS pairs_done, {_COUNTS},
    created, started, finished, error, notes, study, factors, fault_model,
    coalesce(weight_format, {KNOWN["weight_format"]}) AS weight_format, population, drawn,
    {_CHECKS},
    coalesce(len("check".fallbacks), if(numerics->>'check_fallbacks' = '', 0, NULL))::BIGINT AS check_fallbacks,
    fingerprint, format, config, numerics
FROM {{description}} LEFT JOIN (SELECT campaign, {_SUMS} FROM {{image_parts}} GROUP BY campaign) USING (campaign)"""

PLAIN = ("lenet5", "resnet9", "resnet18", "resnet20", "vgg11", "vgg16")
"""Networks of ours that have never had a grouped or a transposed convolution."""

_IS_PLAIN = f"(len(layer.shape) = 2 OR network IN {PLAIN})"
_OF_LAYERS = f"""
SELECT campaign, layer."index" AS layer_index, layer.name AS layer, layer.kind AS kind, layer.shape AS shape,
    list_product(layer.shape)::BIGINT AS weights, layer.method AS method, layer.reason AS reason,
    coalesce(layer.groups, if({_IS_PLAIN}, 1, NULL)) AS groups,
    coalesce(layer.transposed, if({_IS_PLAIN} OR layer.kind IN ('Conv1d', 'Conv2d', 'Conv3d'), false,
        if(starts_with(layer.kind, 'ConvTranspose'), true, NULL))) AS transposed, len(strata) > 0 AS has_strata
FROM (SELECT campaign, network, strata, unnest(layers) AS layer FROM {{description}})"""
"""What older campaigns do not say of a layer is told by the network, or by the class of its module, where that is one
of torch's own."""

LAYERS = f"""
SELECT campaign, layer_index, layer, kind, shape, weights, groups,
    if(has_strata, weights * coalesce(of_weight, 0), NULL)::BIGINT AS population, coalesce(drawn, 0) AS drawn,
    method, reason
FROM ({_OF_LAYERS}) LEFT JOIN (
    SELECT campaign, layer_index, sum(faults) AS of_weight FROM (
        SELECT campaign, unnest(stratum.layers) AS layer_index, stratum.copies * len(stratum.bits) AS faults
        FROM (SELECT campaign, unnest(strata) AS stratum FROM {{description}})
    ) GROUP BY campaign, layer_index
) USING (campaign, layer_index) LEFT JOIN (
    SELECT campaign, layer_index, count(*) AS drawn FROM {{faults}} GROUP BY campaign, layer_index
) USING (campaign, layer_index) ORDER BY campaign, layer_index"""
"""The population is what `engine.store.read.fault_results` has, which guesses it where no strata were kept."""

_FIRST = "weight_index // of_first"
_SECOND = "weight_index // of_second % second + weight_index // of_group * second"
FAULTS = f"""
SELECT fault.*,
    CASE transposed WHEN false THEN {_FIRST} WHEN true THEN {_SECOND} END::INTEGER AS out_channel,
    CASE transposed WHEN false THEN {_SECOND} WHEN true THEN {_FIRST} END::INTEGER AS in_channel
FROM {{faults}} AS fault LEFT JOIN (
    SELECT campaign, layer_index, any_value(transposed) AS transposed, any_value(shape[2]) AS second,
        any_value(weights // shape[1]) AS of_first, any_value(weights // shape[1] // shape[2]) AS of_second,
        any_value(weights // groups) AS of_group
    FROM ({_OF_LAYERS}) GROUP BY campaign, layer_index
) USING (campaign, layer_index)"""
"""The channels are places on the first two axes of the weight, of which the second counts within a group of channels.

`of_*`: weights of one place on an axis, and of one group. Grouped, so that DuckDB knows that no fault meets two layers
and leaves the join out of a query that asks for no channel: with ten million faults it takes a tenth of a second."""

SITES = f"""
FROM {{stored}} UNION ALL
SELECT campaign, {SITES_OF_ONE} FROM {{faults}} WHERE campaign NOT IN (SELECT campaign FROM {{stored}})"""

_FOOTER = ", ".join(
    f"max(decode(value)) FILTER (decode(key) = '{key}')::{kind} AS {key}"
    for key, kind in (
        *dict.fromkeys(("rank_start", "rank_stop", "fault_start", "fault_stop"), "INTEGER").items(),
        *{"seconds": "DOUBLE", "engine": "VARCHAR", "statistics": "JSON"}.items(),
    )
)
PARTS_VIEW = f"""
SELECT campaign, left(right(filename, {len(PART) - len("part-")}), {PART_DIGITS})::UINTEGER AS part,
    rank_start, rank_stop, fault_start, fault_stop, {", ".join(COUNTS)}, seconds, engine, statistics
FROM (SELECT campaign, filename, {_SUMS} FROM {{image_parts}} GROUP BY campaign, filename)
JOIN (SELECT file_name AS filename, {_FOOTER} FROM parquet_kv_metadata({{files}}) GROUP BY file_name)
USING (filename)"""
"""What the footers say; they are in one file of each part, the smallest one."""

_FIRSTS = ("not_masked", "non_masked", "critical")
"""What happens to a fault along the ranks: screened or worse, seen to be non-critical or worse, critical."""

CURVE = f"""
WITH complete AS (
    SELECT campaign, rank, image_id, faults,
        CASE metric {" ".join(f"WHEN '{name}' THEN {name}" for name in METRIC_COLUMNS)} END AS metric,
        row_number() OVER (PARTITION BY campaign ORDER BY rank) - 1 AS place
    FROM {{description}} JOIN images USING (campaign) JOIN image_summary USING (campaign, image_id)
    WHERE {" + ".join(COUNTS)} = faults
), firsts AS (
    SELECT campaign, min(first_screened) AS screened, min(first_non_masked) AS non_masked,
        min(first_critical) AS critical
    FROM {{fault_parts}} GROUP BY campaign, fault_id
), first_seen AS (
    SELECT campaign, rank, {", ".join(f"sum({name})::BIGINT AS {name}" for name in _FIRSTS)} FROM (
        SELECT campaign, least(screened, non_masked) AS rank, 1 AS not_masked, 0 AS non_masked, 0 AS critical
        FROM firsts
        UNION ALL
        SELECT campaign, non_masked AS rank, 0 AS not_masked, 1 AS non_masked, 0 AS critical FROM firsts
        UNION ALL
        SELECT campaign, critical AS rank, 0 AS not_masked, 0 AS non_masked, 1 AS critical FROM firsts
    ) WHERE rank IS NOT NULL GROUP BY campaign, rank
), so_far AS (
    SELECT campaign, rank, image_id, complete.metric, faults,
        {", ".join(f"coalesce(sum({name}) OVER ranks, 0) AS {name}" for name in _FIRSTS)}
    FROM complete LEFT JOIN first_seen USING (campaign, rank) WHERE place = rank
    WINDOW ranks AS (PARTITION BY campaign ORDER BY rank)
)
SELECT campaign, rank, image_id, metric, (faults - not_masked)::BIGINT AS masked,
    (non_masked - critical)::BIGINT AS non_critical, critical::BIGINT AS critical,
    (not_masked - non_masked)::BIGINT AS screened
FROM so_far"""
"""Algorithm 1, over the ranks for which every fault is in; a fault with a screened image and none that was seen to be
non-critical or critical so far is screened."""


@dataclass(frozen=True)
class Found:
    """What files of a table there are, where not all can be opened or none has all the columns of today."""

    none: bool = False
    """there is not one, not even of campaign 0: an older store that is only read"""
    whole: tuple[int, ...] | None = None
    """the campaigns all of whose files can be opened; None: those of all can"""


def view_definitions(
    layout: Layout, found: Mapping[str, Found] | None = None, has_older: bool = True
) -> dict[str, str]:
    """View -> its SELECT, over absolute paths, in an order in which they can be created.

    Args:
        layout: of the store.
        found: table -> what there is of it; None: every file can be opened, and campaign 0 has all columns. Of
            campaigns that are not whole, and of those to come, no footer is read beforehand, so that only the queries
            that read a damaged file fail.
        has_older: whether there may be files of an older format.
    """

    def rows(table: str, extra: str = "") -> str:
        if found is not None:
            return _rows_of_any_format(layout, table, found[table], extra)
        return _rows(layout, table, "" if table in SMALL and not has_older else EVERY_FOOTER, extra)

    description, faults, images = f"({_description(layout)})", rows("faults"), rows("images")
    fault_parts, image_parts = rows("fault_summary"), rows("image_summary", ", filename")
    files = _glob(layout, f"image_summary/{PARTS}")
    return {
        "faults": FAULTS.format(faults=faults, description=description),
        "images": f"FROM {images}",
        "severity": f"FROM {rows('severity')}",
        "critical": f"FROM {rows('critical')}",
        "audit": f"FROM {rows('audit')}",
        "sites": SITES.format(stored=rows("sites"), faults=faults),
        "fault_summary": FAULT_SUMMARY.format(source=fault_parts),
        "image_summary": IMAGE_SUMMARY.format(source=image_parts),
        "accuracy_cost": ACCURACY_COST.format(description=description),
        "campaigns": CAMPAIGNS.format(description=description, image_parts=image_parts),
        "layers": LAYERS.format(description=description, faults=faults),
        "parts": PARTS_VIEW.format(image_parts=image_parts, files=files),
        "curve": CURVE.format(description=description, fault_parts=fault_parts),
    }


def table_glob(layout: Layout, table: str, campaign: int | None = None) -> str:
    """The files of one table, of all campaigns or of one, as an SQL literal."""
    return _glob(layout, _names(table)[0], campaign)


def _names(table: str) -> tuple[str, str]:
    """The names of a table's files in the folder of a campaign: the pattern, and one that is as long."""
    is_part = table in (*PART_TABLES, AUDIT)
    return (f"{table}/{PARTS}", f"{table}/{PART}") if is_part else (f"{table}.parquet", f"{table}.parquet")


def _description(layout: Layout) -> str:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in DESCRIPTION.items())
    names = ", ".join(f'"{name}"' for name in DESCRIPTION)
    options = f"format = 'unstructured', columns = {{{columns}}}, {NAMED}"
    return _of_campaigns(names, f"read_json({_glob(layout, 'campaign.json')}, {options})", "campaign.json")


def _rows(layout: Layout, table: str, footers: str, extra: str) -> str:
    """The rows of a table of `COLUMNS` in all campaigns, for FROM; of a part table, those that are committed."""
    files = f"read_parquet({table_glob(layout, table)}, {NAMED}{footers})"
    return _committed(layout, table, _of_campaigns(known_columns(table) + extra, files, _names(table)[1]))


def _rows_of_any_format(layout: Layout, table: str, found: Found, extra: str) -> str:
    """The rows of a table of `COLUMNS` in all campaigns, for FROM, where files lack columns or cannot be opened.

    Each SELECT has the campaign itself: asked for one campaign, DuckDB opens no file of the others.
    """
    if found.none:
        selects = []
    elif found.whole is None:
        files = f"read_parquet({table_glob(layout, table)}, {NAMED}{EVERY_FOOTER})"
        selects = [_of_campaigns("*", files, _names(table)[1])]
    else:
        selects = _in_two(layout, table, found.whole)
    rows = of_any_format(table, {"campaign": "UINTEGER", "filename": "VARCHAR"}, *selects)
    return _committed(layout, table, f"SELECT campaign, {', '.join(COLUMNS[table])}{extra} FROM {rows} WHERE true")


def _committed(layout: Layout, table: str, rows: str) -> str:
    """The `rows` of committed parts, for FROM, where the table is one of parts; else all of them."""
    if table not in (*PART_TABLES, AUDIT) or table == "severity":
        return f"({rows})"
    folder, number = f"left(file, length(file) - {len(f'severity/{PART}')})", f"right(file, {len(PART)})"
    commits = f"glob({_glob(layout, f'severity/{PARTS}')})"  # a part whose severity file is there is committed
    return f"({rows} AND filename IN (SELECT {folder} || '{table}/' || {number} FROM {commits}))"


def _in_two(layout: Layout, table: str, whole: Sequence[int]) -> list[str]:
    """A SELECT of the campaigns whose files can all be opened, and one of the others."""
    name, campaigns = _names(table)[1], (0, *whole)
    globs = ", ".join(table_glob(layout, table, campaign) for campaign in campaigns)
    others = f"{_campaign(name)} NOT IN ({', '.join(map(str, campaigns))})"
    return [
        _of_campaigns("*", f"read_parquet([{globs}], {NAMED}{EVERY_FOOTER})", name),
        f"{_of_campaigns('*', f'read_parquet({table_glob(layout, table)}, {NAMED})', name)} AND {others}",
    ]


def _of_campaigns(columns: str, files: str, name: str) -> str:
    """The rows of files of this name, with the campaign in whose folder they are."""
    return f"SELECT {_campaign(name)} AS campaign, {columns} FROM {files} WHERE {_campaign(name)} > 0"


def _campaign(name: str) -> str:
    """The number of a campaign from the path of its file of this name, counted from the path's end."""
    return f"substr(filename, -{CAMPAIGN_DIGITS + 1 + len(name)}, {CAMPAIGN_DIGITS})::UINTEGER"


def _glob(layout: Layout, name: str, campaign: int | None = None) -> str:
    folder = CAMPAIGN_FOLDERS if campaign is None else layout.campaign(campaign).folder.name
    return f"{sql_path(layout.campaigns)[:-1]}/{folder}/{name}'"
