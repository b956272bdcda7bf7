"""Every column that a store has, in one place: of its SQLite tables, its Parquet files and its JSON.

A store has one format number, `FORMAT`. A change of any column is a step at the end of `MIGRATIONS`, which raises it.
Parquet files and the fixed part of a campaign.json are never changed: a column that they lack reads as NULL, or as the
value in `KNOWN` where the older format can have meant nothing else. A new metric needs no step: its column is NULL in
campaigns that did not compute it, whatever their format.
"""

from __future__ import annotations

from engine.metrics.registry import METRIC_COLUMNS
from engine.severity import COUNTS

PART_TABLES = ("fault_summary", "image_summary", "critical", "severity")
"""In the order a part set is published: the severity file comes last and is the commit."""

AUDIT = "audit"
"""The part table that only the parts of an audited campaign have."""

DRAWN_AS = ("pair", "fault")
"""What the audit drew, as its numbers 0 and 1 are stored."""

AUDIT_COUNTS = ("audited", "missed")
"""Counts of the pairs that an audit ran and of those of them that are critical. They are not in `COUNTS`, because such
a pair is counted there already: as screened, or, where it is a miss, as critical."""

_COUNT_COLUMNS = dict.fromkeys(COUNTS, "INTEGER")

COLUMNS = {
    "faults": {
        "fault_id": "UINTEGER",
        "layer": "VARCHAR",
        "layer_index": "INTEGER",
        "weight_index": "BIGINT",
        "tensor_index": "VARCHAR",
        "bit": "UTINYINT",
        "model": "VARCHAR",
        "golden_value": "FLOAT",
        "faulty_value": "FLOAT",
        "pattern_golden": "UINTEGER",
        "pattern_faulty": "UINTEGER",
        "stratum": "INTEGER",
        "weight": "DOUBLE",
        "wave": "UTINYINT",
    },
    "sites": {"fault_id": "UINTEGER", "layer": "VARCHAR", "weight_index": "BIGINT", "mask": "UINTEGER"},
    "images": {
        "image_id": "UINTEGER",
        "rank": "INTEGER",
        "label": "INTEGER",
        "golden_class": "INTEGER",
        "golden_correct": "BOOLEAN",
        **dict.fromkeys(METRIC_COLUMNS, "DOUBLE"),
    },
    "severity": {"fault_id": "UINTEGER", "image_id": "UINTEGER", "severity": "UTINYINT"},
    "critical": {
        "fault_id": "UINTEGER",
        "image_id": "UINTEGER",
        "prediction": "USMALLINT",
        "nonfinite": "BOOLEAN",
        "golden_in_top5": "BOOLEAN",
        "softmax_lost": "FLOAT",
    },
    "fault_summary": {
        "fault_id": "UINTEGER",
        **_COUNT_COLUMNS,
        "correct": "INTEGER",
        "first_non_masked": "INTEGER",
        "first_critical": "INTEGER",
        "first_screened": "INTEGER",
    },
    "image_summary": {"image_id": "UINTEGER", **_COUNT_COLUMNS},
    "audit": {
        "fault_id": "UINTEGER",
        "image_id": "UINTEGER",
        "drawn_as": "VARCHAR",
        "bound": "FLOAT",
        "prediction": "USMALLINT",
        "severity": "UTINYINT",
    },
}
"""Table -> column -> DuckDB type, as in the Parquet files; `first_*` are ranks, NULL = never.

Counts and ranks are signed, because queries subtract them. `pattern_*` are the bits of the stored weight. `weight` is
how many faults of the population one drawn fault stands for, `wave` which turn of a campaign with a `precision` runs
it. `first_non_masked` of a part is of the images that were run; whether a screened one comes before it,
`first_screened` tells. `drawn_as` says what the audit drew: a `pair`, or a `fault` of all whose pairs this is one.
`bound` is what called the pair safe."""

KNOWN = {"screened": "0", "dropped": "0", "wave": "0", "goal": "'severities'", "weight_format": "'float32'"}
"""Column -> the SQL value that it has in files written before there was such a column."""

SITES_OF_ONE = "fault_id, layer, weight_index, (1::BIGINT << bit)::UINTEGER AS mask"
"""The columns of `sites` for faults of one bit of one weight, from `faults`: such campaigns keep no file of sites."""

_LAYER = (
    "STRUCT(index INTEGER, name VARCHAR, kind VARCHAR, shape BIGINT[], method VARCHAR, reason VARCHAR, "
    "groups INTEGER, transposed BOOLEAN)"
)
_STRATUM = "STRUCT(layers INTEGER[], bits INTEGER[], copies INTEGER)"
_CHECK = "STRUCT(pairs BIGINT, differences BIGINT, undecided BIGINT, masked BIGINT, fallbacks JSON[], seconds DOUBLE)"

DESCRIPTION = {
    "name": "VARCHAR",
    "state": "VARCHAR",
    "network": "VARCHAR",
    "dataset": "VARCHAR",
    "select": "VARCHAR",
    "metric": "VARCHAR",
    "method": "VARCHAR",
    "goal": "VARCHAR",
    "faults": "BIGINT",
    "drawn": "BIGINT",
    "images": "BIGINT",
    "created": "TIMESTAMP",
    "started": "TIMESTAMP",
    "finished": "TIMESTAMP",
    "error": "VARCHAR",
    "notes": "VARCHAR",
    "study": "VARCHAR",
    "factors": "JSON",
    "fault_model": "VARCHAR",
    "weight_format": "VARCHAR",
    "population": "BIGINT",
    "fingerprint": "VARCHAR",
    "format": "INTEGER",
    "check": _CHECK,
    "strata": f"{_STRATUM}[]",
    "layers": f"{_LAYER}[]",
    "config": "JSON",
    "numerics": "JSON",
}
"""The keys of campaign.json that the views show, read with these types instead of guessed ones."""

CHANGING = ("state", "started", "finished", "error", "notes")
"""The keys of campaign.json that may change after it was written, as copies of state.sqlite."""

MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE campaigns (
        id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, name TEXT NOT NULL, network TEXT NOT NULL,
        dataset TEXT NOT NULL, "select" TEXT NOT NULL, metric TEXT NOT NULL, method TEXT NOT NULL,
        faults INTEGER NOT NULL, images INTEGER NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL,
        started TEXT, finished TEXT, error TEXT, sealed_sha256 TEXT
    ) STRICT;
    CREATE TABLE progress (
        campaign INTEGER PRIMARY KEY REFERENCES campaigns, pairs_done INTEGER NOT NULL, rate REAL, eta_s REAL,
        heartbeat TEXT NOT NULL, pid INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE receipts (
        campaign INTEGER NOT NULL REFERENCES campaigns, part INTEGER NOT NULL,
        rank_start INTEGER NOT NULL, rank_stop INTEGER NOT NULL,
        fault_start INTEGER NOT NULL, fault_stop INTEGER NOT NULL,
        masked INTEGER NOT NULL, non_critical INTEGER NOT NULL, critical INTEGER NOT NULL,
        fault_summary_sha256 TEXT NOT NULL, image_summary_sha256 TEXT NOT NULL,
        critical_sha256 TEXT NOT NULL, severity_sha256 TEXT NOT NULL,
        seconds REAL, rebuilt INTEGER NOT NULL, PRIMARY KEY (campaign, part)
    ) STRICT;
    """,
    """
    ALTER TABLE campaigns ADD COLUMN position INTEGER;
    ALTER TABLE progress DROP COLUMN heartbeat;
    ALTER TABLE progress DROP COLUMN pid;
    CREATE TABLE commands (id INTEGER PRIMARY KEY, action TEXT NOT NULL, target INTEGER NOT NULL) STRICT;
    CREATE TABLE worker (
        id INTEGER PRIMARY KEY CHECK (id = 1), pid INTEGER NOT NULL, device TEXT, campaign INTEGER,
        rank_start INTEGER, rank_stop INTEGER, rate REAL, heartbeat TEXT NOT NULL, clock REAL NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE deaths (
        campaign INTEGER PRIMARY KEY REFERENCES campaigns, parts INTEGER NOT NULL, count INTEGER NOT NULL
    ) STRICT;
    """,
    "ALTER TABLE worker ADD COLUMN step TEXT;",
    """
    ALTER TABLE campaigns ADD COLUMN goal TEXT NOT NULL DEFAULT 'severities';
    ALTER TABLE campaigns ADD COLUMN notes TEXT;
    ALTER TABLE receipts ADD COLUMN screened INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE receipts ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE receipts ADD COLUMN audit_sha256 TEXT;
    ALTER TABLE receipts ADD COLUMN engine TEXT;
    ALTER TABLE receipts ADD COLUMN statistics TEXT;
    """,
    """
    ALTER TABLE receipts ADD COLUMN audited INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE receipts ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;
    """,
    "ALTER TABLE campaigns ADD COLUMN drawn INTEGER;",
)
"""Step i brings state.sqlite from `user_version` i to i + 1."""

FORMAT = len(MIGRATIONS)
"""The format of a store as this version writes it: `user_version` of state.sqlite, `format` of a campaign.json."""

VIEWS = {
    "campaigns": "per campaign: configuration, state, counts, what the self-check found",
    "faults": "per fault: where it is, with its channels, what it does to the weight, its stratum and weight",
    "images": "per image of the data set: rank (from 0, NULL outside the workload), label, golden class, metrics",
    "severity": "per pair that was run: 0 masked, 1 non-critical, 2 critical",
    "critical": "per critical pair: what the image is taken for, and what the golden class lost",
    "fault_summary": "per fault: counts of images",
    "image_summary": "per image: counts of faults",
    "accuracy_cost": "per fault: right answers lost, wrong ones corrected, what both cost in points of accuracy",
    "layers": "per layer of a campaign's network: shape, weights, how many faults it has and how many were drawn",
    "sites": "per weight that a fault changes: the bits that it changes there",
    "parts": "per committed part: its ranks and faults, counts, seconds, engine and statistics of the method",
    "audit": "per screened pair that was run all the same, to see what screening misses",
    "curve": "per rank, from 0: the detection curve",
}
"""The views, and what a row of each is."""

COMPUTED = {
    "faults": ("out_channel", "in_channel"),
    "accuracy_cost": ("fault_id", "lost", "corrected", "cost", "points"),
    "layers": (
        *("layer_index", "layer", "kind", "shape", "weights", "groups", "population", "drawn", "method", "reason"),
    ),
    "campaigns": (
        *("name", "state", "network", "dataset", "select", "metric", "method", "goal", "faults", "images", "pairs"),
        *("pairs_done", *COUNTS, "created", "started", "finished", "error", "notes", "study", "factors"),
        *("fault_model", "weight_format", "population", "drawn", "check_pairs", "check_differences"),
        *("check_undecided", "check_masked", "check_seconds", "check_fallbacks", "fingerprint", "format"),
        *("config", "numerics"),
    ),
    "parts": (
        *("part", "rank_start", "rank_stop", "fault_start", "fault_stop", *COUNTS, "seconds", "engine"),
        "statistics",
    ),
    "curve": ("rank", "image_id", "metric", "masked", "non_critical", "critical", "screened"),
}
"""View -> its columns that are in no file of its own, beside `campaign`, which every view begins with."""
