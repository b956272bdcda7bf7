"""Ad-hoc SQL: what it answers, and what it must refuse."""

import threading
from pathlib import Path

import duckdb
import pytest
from stored_campaigns import filled_store

from engine.errors import InputError, UnreachableError
from engine.store.sql import SqlSession

ENDLESS = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sql") / "it's a [store]"
    filled_store(path)
    return path


@pytest.fixture
def session(store: Path):
    with SqlSession(store) as session:
        yield session


def test_a_select_gives_columns_types_and_rows(session: SqlSession) -> None:
    result = session.query("SELECT severity, count(*) AS pairs FROM severity GROUP BY 1 ORDER BY 1")
    assert (result.columns, result.types) == (("severity", "pairs"), ("UTINYINT", "BIGINT"))
    rows = list(result)
    assert [severity for severity, _ in rows] == [0, 1, 2]
    assert sum(pairs for _, pairs in rows) == 180


@pytest.mark.parametrize(
    "query",
    [
        "FROM curve;",
        "SHOW TABLES",
        "DESCRIBE faults",
        "SUMMARIZE images",
        "VALUES (1), (2)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n -- five",
        "SELECT * FROM (PIVOT (SELECT layer, bit FROM faults) ON layer IN ('conv1', 'fc1') USING count(*))",
        "SELECT fault_id FROM faults UNION SELECT image_id FROM images",
        "EXPLAIN SELECT 1",
        "explain analyze select count(*) from severity",
        "EXPLAIN (FORMAT json) SELECT 1;",
        "SELECT 'COPY x TO y; DROP' AS type",
        "SELECT created FROM campaigns",
    ],
)
def test_what_only_reads_is_answered(session: SqlSession, query: str) -> None:
    assert list(session.query(query))


WRITES = [
    "COPY (SELECT 1) TO '{target}'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{target}'",
    "EXPLAIN (FORMAT /*) SELECT 1 -- */ json) COPY (SELECT 1) TO '{target}'",
    "WITH a AS (COPY (SELECT 1) TO '{target}') SELECT * FROM a",
    "EXPLAIN ANALYZE WITH a AS (COPY (SELECT 1) TO '{target}') SELECT * FROM a",
    "SELECT * FROM (WITH a AS (COPY (SELECT 1) TO '{target}') SELECT * FROM a)",
    "SELECT (WITH a AS (COPY (SELECT 1) TO '{target}') SELECT 1 FROM a)",
    "SELECT 1 UNION (WITH a AS (COPY (SELECT 1) TO '{target}') SELECT 1 FROM a)",
    "SELECT * FROM query('WITH a AS (COPY (SELECT 1) TO ''{target}'') SELECT * FROM a')",
    "SELECT * FROM system.main.\"QUERY\"('WITH a AS (COPY (SELECT 1) TO ''{target}'') SELECT * FROM a')",
    "EXPORT DATABASE '{target}'",
    "ATTACH '{target}'",
    "SELECT * FROM enable_profiling(save_location := '{target}')",
    "SELECT * FROM enable_logging(storage := 'file', storage_path := '{target}')",
]


@pytest.mark.parametrize("query", WRITES)
def test_nothing_can_be_written_not_even_where_reading_is_allowed(store: Path, session: SqlSession, query: str) -> None:
    allowed = store.resolve() / "campaigns" / "written"
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    with pytest.raises(InputError):
        list(session.query(query.format(target=str(allowed).replace("'", "''"))))
    with pytest.raises(InputError):
        list(session.query(query.format(target=str(allowed).replace("'", "''''"))))
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("DROP VIEW severity", "only SELECT is allowed here, not DROP"),
        ("SET lock_configuration = false", "only SELECT is allowed here, not SET"),
        ("INSERT INTO severity VALUES (1, 1, 1, 1)", "only SELECT is allowed here, not INSERT"),
        ("PIVOT faults ON bit", "only SELECT is allowed here"),
        ("SELECT 1; SELECT 2", "give exactly one SELECT; here are 2 statements"),
        ("", "give exactly one SELECT; here are 0 statements"),
        ("-- nothing", "give exactly one SELECT; here are 0 statements"),
        ("SELECT 1 WHERE", "Parser Error: syntax error"),
        ("SELECT nothing FROM faults", 'Binder Error: Referenced column "nothing" not found'),
        ("SELECT * FROM severities", "there is no view severities; there are campaigns, faults, .* and curve$"),
        ("SELECT * FROM nowhere.at_all", 'schema "nowhere" does not exist'),
        ("SELECT error('on the way')", "on the way"),
        ("SELECT * FROM read_text('/etc/hostname')", "Permission Error"),
        ("SELECT * FROM glob('/etc/*')", "Permission Error"),
        ("SELECT * FROM '{state}'", "Permission Error|there is no view"),
    ],
)
def test_the_rest_is_refused_in_one_sentence(store: Path, session: SqlSession, query: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        list(session.query(query.format(state=str(store / "state.sqlite").replace("'", "''"))))
    assert "\n" not in str(refusal.value)


def test_variables_of_this_program_are_not_tables(session: SqlSession) -> None:
    secret = {"column": [1, 2]}
    assert secret
    with pytest.raises(InputError, match="there is no view secret"):
        session.query("FROM secret")


def test_rows_stream(session: SqlSession) -> None:
    rows = iter(session.query("SELECT range FROM range(1000000000000)"))
    assert [next(rows) for _ in range(3)] == [(0,), (1,), (2,)]


def test_a_query_runs_out_of_time(store: Path) -> None:
    with SqlSession(store, timeout_s=0.05) as session, pytest.raises(InputError, match="maximum execution time"):
        list(session.query(ENDLESS))


def test_a_query_runs_out_of_memory(store: Path) -> None:
    with SqlSession(store, memory_limit="64MB") as session, pytest.raises(InputError, match="Out of Memory"):
        list(session.query("SELECT range, hash(range) FROM range(50000000) ORDER BY 2"))


def test_a_query_can_be_interrupted_from_another_thread_and_the_session_goes_on(session: SqlSession) -> None:
    failures: list[InputError] = []

    def run() -> None:
        try:
            list(session.query(ENDLESS))
        except InputError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():  # an interrupt before the query has started is lost
        session.interrupt()
        thread.join(0.01)
    assert [str(failure) for failure in failures] == ["SQL: INTERRUPT Error: Interrupted!"]
    assert list(session.query("SELECT 1")) == [(1,)]


@pytest.mark.parametrize(("limit", "rows"), [(None, 180), (7, 7)])
def test_a_select_can_be_written_as_parquet_to_the_one_file_named_before(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int | None, rows: int
) -> None:
    monkeypatch.chdir(tmp_path)
    output = Path("it's out.parquet")
    with SqlSession(store, output=output) as session:
        session.write_parquet("SELECT * FROM severity -- all\n;", limit)
        with pytest.raises(InputError, match="Permission Error"):
            list(session.query(f"SELECT * FROM read_text('{tmp_path}/other')"))
        with pytest.raises(InputError, match="only SELECT"):
            session.write_parquet("DROP VIEW severity")
    assert duckdb.read_parquet(str(output)).aggregate("count(*)").fetchall() == [(rows,)]


def test_a_missing_store_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="there is no store here"):
        SqlSession(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []
