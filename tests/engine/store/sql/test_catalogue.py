"""A plain DuckDB client on the catalogue."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb

from engine.store import Store
from engine.store.schema import COLUMNS, COMPUTED
from engine.store.sql.sql import SqlSession
from tests.engine.store.stored_campaigns import PLAN, Truth, filled_store, new_campaign, write

REPOSITORY = Path(__file__).parents[4]

SUMMARY = ["masked", "non_critical", "critical", "screened", "dropped"]
VIEWS = {
    "accuracy_cost": ["campaign", "fault_id", "lost", "corrected", "cost", "points"],
    "audit": ["campaign", "fault_id", "image_id", "drawn_as", "bound", "prediction", "severity"],
    "campaigns": [
        *("campaign", "name", "state", "network", "dataset", "select", "metric", "method", "goal", "faults", "images"),
        *("pairs", "pairs_done", *SUMMARY, "created", "started", "finished", "error", "notes", "study", "factors"),
        *(
            "fault_model",
            "weight_format",
            "population",
            "drawn",
            "check_pairs",
            "check_differences",
            "check_undecided",
            "check_masked",
        ),
        *("check_seconds", "check_fallbacks", "fingerprint", "format", "config", "numerics"),
    ],
    "critical": ["campaign", "fault_id", "image_id", "prediction", "nonfinite", "golden_in_top5", "softmax_lost"],
    "curve": ["campaign", "rank", "image_id", "metric", "masked", "non_critical", "critical", "screened"],
    "fault_summary": [
        "campaign",
        "fault_id",
        *SUMMARY,
        "correct",
        "first_non_masked",
        "first_critical",
        "first_screened",
    ],
    "faults": [
        *("campaign", "fault_id", "layer", "layer_index", "weight_index", "tensor_index", "bit", "model"),
        *("golden_value", "faulty_value", "pattern_golden", "pattern_faulty", "stratum", "weight", "wave"),
        *("out_channel", "in_channel"),
    ],
    "image_summary": ["campaign", "image_id", *SUMMARY],
    "images": [
        *("campaign", "image_id", "rank", "label", "golden_class", "golden_correct"),
        *("el2n", "deepgini", "cross_entropy", "entropy", "margin", "least_confidence", "centroid"),
        *("kennard_stone", "kennard_stone_correlation", "pixel_entropy", "kennard_stone_pixels", "own"),
    ],
    "layers": [
        *("campaign", "layer_index", "layer", "kind", "shape", "weights", "groups", "population", "drawn"),
        *("method", "reason"),
    ],
    "parts": [
        *("campaign", "part", "rank_start", "rank_stop", "fault_start", "fault_stop", *SUMMARY),
        *("seconds", "engine", "statistics"),
    ],
    "severity": ["campaign", "fault_id", "image_id", "severity"],
    "sites": ["campaign", "fault_id", "layer", "weight_index", "mask"],
}

READER = """
import sys
from pathlib import Path
import duckdb
from engine.store import Store
from engine.store.sql.sql import SqlSession

path = Path(sys.argv[1])
reader, before = Store.open(path, read_only=True), 0
for _ in range(13):
    status = reader.campaign(1)
    assert len(reader.curve(1).critical) <= 15
    with duckdb.connect(str(path / "dear.duckdb"), read_only=True) as client:
        ((pairs,),) = client.sql("SELECT count(*) FROM severity").fetchall()
    with SqlSession(path) as session:
        ((summed,),) = session.query("SELECT sum(masked + non_critical + critical) FROM fault_summary")
    assert status.pairs_done <= 180 and before <= pairs <= (summed or 0) <= 180
    before = pairs
    print("read", flush=True)
"""

WRITER = """
import sys
from pathlib import Path
from tests.engine.store.stored_campaigns import PLAN, Truth, new_campaign, write
from engine.store import Store

store, truth = Store.open(Path(sys.argv[1])), Truth.of(new_campaign())
with store.lock():
    writer = store.writer(1)
    for part in range(len(PLAN)):
        sys.stdin.readline()
        write(writer, truth, PLAN[: part + 1])
        print("committed", flush=True)
    sys.stdin.readline()
    writer.seal()
    print("sealed", flush=True)
    sys.stdin.readline()
"""


def test_a_fresh_store_has_all_views_and_no_rows(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        assert {name for (name,) in client.sql("SHOW TABLES").fetchall()} == VIEWS.keys()
        for view, columns in VIEWS.items():
            query = client.sql(f"FROM {view}")
            assert (query.columns, query.fetchall()) == (columns, []), view
        assert client.sql("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
        tags = client.sql("SELECT tags FROM duckdb_databases() WHERE database_name = 'dear'").fetchall()
    assert tags == [({"storage_version": "v1.2.0+"},)]


def test_a_plain_client_and_the_guarded_session_see_the_same(tmp_path: Path) -> None:
    """Names, columns, types and contents, of a finished campaign and of one that is not."""
    store, campaign, _ = filled_store(tmp_path)
    other = new_campaign(seed=5, fingerprint="other")
    with store.lock():
        store.writer(campaign).seal()
        write(store.writer(store.create(other)), Truth.of(other, seed=6), PLAN[:3])
    with (
        duckdb.connect(str(store.layout.catalogue), read_only=True) as client,
        SqlSession(tmp_path) as session,
    ):
        assert [name for (name,) in session.query("SHOW TABLES")] == sorted(VIEWS)
        for view, columns in VIEWS.items():
            plain, guarded = client.sql(f"FROM {view} ORDER BY ALL"), session.query(f"FROM {view} ORDER BY ALL")
            assert list(guarded.columns) == plain.columns == columns
            assert list(guarded.types) == [str(kind) for kind in plain.types]
            rows = list(guarded)
            assert repr(rows) == repr(plain.fetchall())  # NaN is not equal to itself, but its text is
            assert {row[0] for row in rows} == (set() if view == "audit" else {1, 2})


def test_every_read_succeeds_while_another_process_writes(tmp_path: Path) -> None:
    """104 reads from two processes, by every way there is, between and during the commits of many parts."""
    store, campaign, truth = filled_store(tmp_path, [])
    paths = str(REPOSITORY)
    command = [sys.executable, "-c", READER, str(tmp_path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}) as one,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}) as two,
    ):
        with store.lock():
            writer = store.writer(campaign)
            for fault in range(12):
                for rank in range(0, 15, 3):
                    write(writer, truth, [(rank, rank + 3, fault, fault + 1)])
                    if rank == 6:  # 12 times, while the readers go on
                        assert one.stdout is not None
                        assert two.stdout is not None
                        assert one.stdout.readline() == two.stdout.readline() == "read\n"
            writer.seal()
        assert one.stdout is not None
        assert two.stdout is not None
        assert one.stdout.read() == two.stdout.read() == "read\n"
    assert (one.returncode, two.returncode) == (0, 0)


def test_a_client_that_stays_open_sees_each_part_as_another_process_commits_it(tmp_path: Path) -> None:
    store, _, truth = filled_store(tmp_path, [])
    query = "SELECT severity, count(*) FROM severity GROUP BY severity ORDER BY severity"
    paths = str(REPOSITORY)
    with (
        duckdb.connect(str(store.layout.catalogue), read_only=True) as client,
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        ) as writer,
    ):

        def go() -> None:
            assert writer.stdin is not None
            writer.stdin.write("\n")
            writer.stdin.flush()

        expected = [0, 0, 0]
        for rank_start, rank_stop, fault_start, fault_stop in PLAN:
            before = [tuple(row) for row in enumerate(expected) if row[1]]
            part = truth.severity[fault_start:fault_stop, rank_start:rank_stop]
            expected = [count + int((part == severity).sum()) for severity, count in enumerate(expected)]
            go()
            while_writing = client.sql(query).fetchall()  # whole parts or nothing, whatever the moment
            assert while_writing in (before, list(enumerate(expected)))
            assert writer.stdout is not None
            assert writer.stdout.readline() == "committed\n"
            assert client.sql(query).fetchall() == list(enumerate(expected))
            summaries = client.sql("SELECT sum(masked), sum(non_critical), sum(critical) FROM image_summary").fetchall()
            assert summaries == [tuple(expected)]
        go()
        assert client.sql(query).fetchall() == list(enumerate(expected))
        assert writer.stdout is not None
        assert writer.stdout.readline() == "sealed\n"
        assert client.sql(query).fetchall() == list(enumerate(expected))
        assert client.sql("SELECT state, pairs_done, critical FROM campaigns").fetchall() == [
            ("finished", 180, expected[2])
        ]
        go()
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        assert client.sql(query).fetchall() == list(enumerate(expected))


def test_counts_can_be_subtracted(tmp_path: Path) -> None:
    store, _, truth = filled_store(tmp_path)
    with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
        differences = client.sql("SELECT critical - masked FROM fault_summary ORDER BY fault_id").fetchall()
    assert differences == [(row[3] - row[1],) for row in truth.fault_summaries()]
    assert min(differences) < (0,)


def test_the_columns_that_advice_is_given_from_are_those_of_the_views() -> None:
    for view, columns in VIEWS.items():
        assert columns == ["campaign", *COLUMNS.get(view, ()), *COMPUTED.get(view, ())], view


def test_a_catalogue_that_was_deleted_comes_back(tmp_path: Path) -> None:
    filled_store(tmp_path)[0].close()
    (tmp_path / "dear.duckdb").unlink()
    Store.open(tmp_path)
    with duckdb.connect(str(tmp_path / "dear.duckdb"), read_only=True) as client:
        assert client.sql("SELECT count(*) FROM severity").fetchall() == [(180,)]
