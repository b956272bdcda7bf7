"""Ad-hoc SQL: what it answers, and what it must refuse."""

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from engine.errors import InputError, UnreachableError
from engine.store.sql.current_state import CurrentState
from engine.store.sql.errors import QueryError
from engine.store.sql.sql import Order, SqlSession
from tests.endless_queries import ENDLESS
from tests.engine.store.stored_campaigns import filled_store


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
    ("query", "message"),
    [
        ("DROP VIEW severity", "only SELECT is allowed here, not DROP"),
        ("SET lock_configuration = false", "only SELECT is allowed here, not SET"),
        ("INSERT INTO severity VALUES (1, 1, 1, 1)", "only SELECT is allowed here, not INSERT"),
        ("PIVOT faults ON bit IN (SELECT 30)", r"not PIVOT; write its values: PIVOT faults ON bit IN \(30, 31\)"),
        ("PIVOT range(2000) ON range", r"makes more than 1,000 columns; write which: IN \(...\)"),
        ("PIVOT (FROM faults WHERE false) ON bit", r"finds no values; write which: IN \(...\)"),
        ("PIVOT faults ON nothing", "there is no column nothing"),
        ("PRAGMA database_list", "not PRAGMA; write SHOW TABLES"),
        ("CREATE TABLE mine AS SELECT 1", "not CREATE; write WITH name AS"),
        ("-- mine\nCOPY faults TO 'x'", "not COPY; write the SELECT alone"),
        ("EXPLAIN EXPLAIN SELECT 1", "EXPLAIN"),
        ("SELECT 1; SELECT 2", "give exactly one SELECT; here are 2 statements"),
        ("", "give exactly one SELECT; here are 0 statements"),
        ("-- nothing", "give exactly one SELECT; here are 0 statements"),
        ("SELECT 1 WHERE", "the query ends after WHERE; write what belongs there"),
        ("SELECT nothing FROM faults", "there is no column nothing; DESCRIBE lists"),
        ("SELECT * FROM severities", "there is no view severities; there are campaigns, faults, .* and curve$"),
        ("SELECT * FROM nowhere.at_all", 'schema "nowhere" does not exist'),
        ("SELECT * FROM main.parquet", "there is no view parquet; there are campaigns, "),
        ("SELECT * FROM memory.main.csv", "there is no view csv; there are campaigns, "),
        ('SELECT * FROM "/etc".main.faults', "is not allowed here, files are not read"),
        ("SELECT error('on the way')", "on the way"),
        ("SELECT * FROM read_text('/etc/hostname')", r"FROM read_text\(\) is not allowed here; there are campaigns, "),
        ("SELECT * FROM '{state}'", "is not allowed here, files are not read; there are campaigns, "),
        ("UPDATE EXTENSIONS", "only SELECT is allowed here"),
    ],
)
def test_the_rest_is_refused_in_one_sentence(store: Path, session: SqlSession, query: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        list(session.query(query.format(state=str(store / "state.sqlite").replace("'", "''"))))
    assert "\n" not in str(refusal.value)


def test_rows_stream(session: SqlSession) -> None:
    rows = iter(session.query("SELECT range FROM range(1000000000000)"))
    assert [next(rows) for _ in range(3)] == [(0,), (1,), (2,)]


def test_a_query_runs_out_of_time(store: Path) -> None:
    with SqlSession(store, timeout_s=0.05) as session, pytest.raises(InputError, match="maximum execution time"):
        list(session.query(ENDLESS))


def test_a_query_runs_out_of_memory(store: Path) -> None:
    with (
        SqlSession(store, memory_limit="64MB") as session,
        pytest.raises(InputError, match="needs more memory than it may take"),
    ):
        list(session.query("SELECT range, hash(range) FROM range(50000000) ORDER BY 2"))


def test_a_memory_limit_that_is_no_size_is_said(store: Path) -> None:
    with pytest.raises(InputError, match="memory limit lots: write a size with its unit, such as 2GB"):
        SqlSession(store, memory_limit="lots")


@pytest.mark.parametrize("ask", [SqlSession.query, SqlSession.statement, SqlSession.write_parquet])
def test_an_interrupt_before_the_query_itself_is_one_too(
    session: SqlSession, monkeypatch: pytest.MonkeyPatch, ask: Callable[[SqlSession, str], object]
) -> None:
    def interrupted(_state: CurrentState) -> None:
        raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")

    monkeypatch.setattr(CurrentState, "refresh", interrupted)
    with pytest.raises(InputError, match=r"^SQL: interrupted$"):
        ask(session, "SELECT 1")


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
    assert [str(failure) for failure in failures] == ["SQL: interrupted"]
    assert list(session.query("SELECT 1")) == [(1,)]


@pytest.mark.parametrize(("limit", "rows"), [(None, 180), (7, 7)])
def test_a_select_can_be_written_as_parquet_to_the_one_file_named_before(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int | None, rows: int
) -> None:
    monkeypatch.chdir(tmp_path)
    output = Path("it's out.parquet")
    with SqlSession(store, output=output) as session:
        session.write_parquet("SELECT * FROM severity -- all\n;", limit)
        with pytest.raises(InputError, match="is not allowed here"):
            list(session.query(f"SELECT * FROM '{tmp_path}/other.parquet'"))
        with pytest.raises(InputError, match="only SELECT"):
            session.write_parquet("DROP VIEW severity")
    assert duckdb.read_parquet(str(output)).aggregate("count(*)").fetchall() == [(rows,)]


def test_a_missing_store_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="there is no store here"):
        SqlSession(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_a_statement_is_read_in_pages_and_counted(session: SqlSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.sql.sql.PAGE_ROWS", 100)
    with closing(session.statement("SELECT * FROM severity -- all\n;")) as statement:
        pages = [statement.page(), statement.page(100)]
        assert [(page.first, page.rows.num_rows, page.more) for page in pages] == [(0, 100, True), (100, 80, False)]
        assert statement.count() == 180


def test_the_place_of_an_error_is_the_typed_line(session: SqlSession) -> None:
    with (
        closing(session.statement("SELECT bit\nFROM faults WHERE nowhere = 1")) as statement,
        pytest.raises(QueryError) as error,
    ):
        statement.page()
    assert error.value.place.startswith("LINE 2: FROM faults WHERE nowhere = 1\n")


DEEP = {
    "brackets": lambda depth: f"SELECT {'(' * depth}1{')' * depth}",
    "terms": lambda depth: f"SELECT {'+'.join(['1'] * depth)}",
    "selects": lambda depth: f"SELECT * FROM {'(SELECT * FROM ' * depth}faults{')' * depth}",
    "lists": lambda depth: f"SELECT {'[' * depth}1{']' * depth}",
    "joins": lambda depth: f"SELECT 1 FROM {' CROSS JOIN '.join(['range(1)'] * depth)}",
    "comments": lambda depth: f"{'/*' * depth} {'*/' * depth} SELECT 1 {'-- ' * depth}",
    "pivots": lambda depth: f"{'PIVOT (' * depth} FROM faults {') ON bit' * depth}",
    "explain": lambda depth: "EXPLAIN " * depth + "SELECT 1",
}


@pytest.mark.parametrize("depth", [330, 10_000])
@pytest.mark.parametrize("kind", DEEP)
def test_however_deep_a_query_is_nested_it_is_answered_or_refused_in_a_sentence(
    session: SqlSession, kind: str, depth: int
) -> None:
    assert len(said(session, DEEP[kind](depth)).splitlines()) <= 1
    assert list(session.query("SELECT 1")) == [(1,)]


def said(session: SqlSession, query: str) -> str:
    """The refusal; empty where there are rows."""
    try:
        list(session.query(query))
    except InputError as refusal:
        return str(refusal)[:300]
    return ""


@pytest.mark.parametrize("kind", ["brackets", "selects", "lists"])
def test_what_is_nested_too_deeply_is_told_what_to_write_instead(session: SqlSession, kind: str) -> None:
    with pytest.raises(InputError, match=r"nested too deeply; break it into parts, each with a name: WITH part AS"):
        list(session.query(DEEP[kind](10_000)))


GROUPS = 250_000
UNORDERED = f"SELECT hash(range) % {GROUPS} AS place, count(*) AS rows FROM range(2000000) GROUP BY 1"


def test_without_an_order_every_row_is_on_one_page_once(session: SqlSession) -> None:
    with closing(session.statement(UNORDERED)) as statement:
        pages = [statement.page()]
        while pages[-1].more:
            pages.append(statement.page(pages[-1].first + pages[-1].rows.num_rows))
        places = [place for page in pages for place in page.rows.column("place").to_pylist()]
        assert len(places) == len(set(places)) == statement.count()
        assert statement.page(0).rows == pages[0].rows, "going back gives the same rows"
        assert [page.first for page in pages] == [0, 100_000, 200_000]
    expected = list(session.query(f"SELECT count(*) FROM ({UNORDERED})"))
    assert expected == [(len(places),)]


def test_pages_are_kept_up_to_a_limit(session: SqlSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.sql.sql.PAGE_ROWS", 100)
    monkeypatch.setattr("engine.store.sql.pages.KEPT_BYTES", 3000)
    with closing(session.statement("SELECT hash(range) AS h FROM range(5000)")) as statement:
        assert statement.page().more
        assert statement.count() is None, "the rest is neither read nor counted"
        assert 100 < statement.rows_read < 5000
        last = statement.page()
        while last.more:
            last = statement.page(last.first + 100)
        with pytest.raises(InputError, match="the rows after these are not kept; ask for fewer, or export them all"):
            statement.page(last.first + 100)


@pytest.mark.parametrize("is_descending", [False, True])
def test_all_rows_are_sorted_not_only_a_page_and_equal_ones_keep_their_order(
    session: SqlSession, monkeypatch: pytest.MonkeyPatch, is_descending: bool
) -> None:
    monkeypatch.setattr("engine.store.sql.sql.PAGE_ROWS", 100)
    sql = "SELECT range AS n, nullif(range * 7919 % 10, 3) AS n FROM range(1050)"
    with closing(session.statement(sql)) as statement:
        assert statement.count() == 1050
        with closing(statement.sorted(Order(1, is_descending))) as ordered:
            found = [ordered.page(first).rows for first in range(0, 1050, 100)]
            assert ordered.count() == 1050
        rows = [row for page in found for row in zip(*(column.to_pylist() for column in page.columns), strict=True)]
        assert found[0].column_names == statement.page().rows.column_names
        unsorted = [(n, None if n * 7919 % 10 == 3 else n * 7919 % 10) for n in range(1050)]
        values = sorted(
            (row for row in unsorted if row[1] is not None), key=lambda row: row[1] or 0, reverse=is_descending
        )
        assert rows == values + [row for row in unsorted if row[1] is None]


VALUES = (
    *("[n]", "{'a': n}", "map([n], ['x'])", "n::DECIMAL(20, 4)", "INTERVAL (n) days", "n::UHUGEINT", "n::BIT", "NULL"),
    *("TIMESTAMPTZ '2026-01-01' + INTERVAL (n) days", "n::VARCHAR::JSON", "n > 1", "chr(n::INTEGER + 65)::BLOB"),
    "if(n = 1, 'nan'::DOUBLE, n)",
)


@pytest.mark.parametrize("value", VALUES)
def test_values_of_every_type_are_sorted_and_stay_what_they_are(session: SqlSession, value: str) -> None:
    with closing(session.statement(f"SELECT {value} AS value FROM (VALUES (2), (0), (1)) AS t(n)")) as statement:
        assert statement.count() == 3
        with closing(statement.sorted(Order(0))) as ordered:
            after = ordered.page().rows.column("value").to_pylist()
        before = statement.page().rows.column("value").to_pylist()
        assert sorted(map(repr, after)) == sorted(map(repr, before))


@pytest.mark.parametrize("end", ["", ";", " -- three\n;", "; -- é; three", " /* ; /* ; */ */ ; ;", "; -- 'it''s"])
def test_a_query_is_streamed_in_another_order_too(session: SqlSession, end: str) -> None:
    sql = f"SELECT n, '; -- ü' AS \"-- ;\" FROM (VALUES (2), (NULL), (3)) AS t(n){end}"
    rows = list(session.query(sql, Order(0, is_descending=True)))
    assert rows == [(3, "; -- ü"), (2, "; -- ü"), (None, "; -- ü")]


def test_a_plan_has_no_other_order(session: SqlSession) -> None:
    assert list(session.query("EXPLAIN SELECT 1", Order(0))) == list(session.query("EXPLAIN SELECT 1"))


def test_rows_that_are_not_all_kept_are_not_sorted(session: SqlSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.sql.sql.PAGE_ROWS", 100)
    monkeypatch.setattr("engine.store.sql.pages.KEPT_BYTES", 3000)
    with closing(session.statement("SELECT hash(range) AS h FROM range(5000)")) as statement:
        statement.count()
        with pytest.raises(InputError, match="not all rows are kept, so they are not sorted here; write ORDER BY"):
            statement.sorted(Order(0))


def test_a_page_can_be_read_while_another_thread_counts(session: SqlSession) -> None:
    with closing(session.statement("SELECT range FROM range(3000000)")) as statement:
        statement.page()
        counts: list[int | None] = []
        counting = threading.Thread(target=lambda: counts.append(statement.count()))
        counting.start()
        assert statement.page(1_500_000).rows.column("range")[0].as_py() == 1_500_000
        counting.join()
        assert counts == [3_000_000]


def test_what_fails_on_the_way_keeps_the_pages_before(session: SqlSession) -> None:
    late = "SELECT CASE WHEN range = 8000000 THEN error('too late') ELSE range END AS r FROM range(9000000)"
    with closing(session.statement(late)) as statement:
        assert statement.page().rows.num_rows == 100_000
        with pytest.raises(InputError, match="too late"):
            statement.count()
        assert statement.page().rows.num_rows == 100_000
