"""Every way to do harm with SQL that we know of: refused in one sentence, and nothing has changed on disk."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from engine.errors import InputError
from engine.store.sql.sql import SqlSession
from tests.engine.store.stored_campaigns import filled_store

WRITING = """
COPY (SELECT 1) TO '{new}'
COPY faults TO '{new}' (FORMAT parquet)
COPY (SELECT 1) TO '{part}' (FORMAT parquet)
COPY faults FROM '{secret}'
COPY FROM DATABASE memory TO memory
EXPLAIN COPY (SELECT 1) TO '{new}'
EXPLAIN ANALYZE COPY (SELECT 1) TO '{new}'
explain analyze copy (select 1) to '{part}' (format parquet)
EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{new}'
EXPLAIN (FORMAT json) COPY (SELECT 1) TO '{new}'
EXPLAIN (FORMAT /*) SELECT 1 -- */ json) COPY (SELECT 1) TO '{new}'
EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO '{new}'
EXPLAIN /* SELECT 1 */ ANALYZE /**/ COPY (SELECT 1) TO '{new}'
WITH a AS (COPY (SELECT 1) TO '{new}') SELECT * FROM a
EXPLAIN ANALYZE WITH a AS (COPY (SELECT 1) TO '{new}') SELECT * FROM a
SELECT * FROM (WITH a AS (COPY (SELECT 1) TO '{new}') SELECT * FROM a)
SELECT (WITH a AS (COPY (SELECT 1) TO '{new}') SELECT 1 FROM a)
SELECT 1 UNION (WITH a AS (COPY (SELECT 1) TO '{new}') SELECT 1 FROM a)
WITH a AS (INSERT INTO severity VALUES (1, 1, 1, 1) RETURNING *) SELECT * FROM a
WITH a AS (DELETE FROM severity RETURNING *) SELECT * FROM a
WITH a AS (COPY (SELECT 1) TO '{new}') PIVOT a ON x
PIVOT (WITH a AS (COPY (SELECT 1) TO '{new}') FROM a) ON x
WITH RECURSIVE a AS (SELECT 1 UNION ALL (WITH b AS (COPY (SELECT 1) TO '{new}') SELECT * FROM b)) SELECT * FROM a
COPY/**/(SELECT 1)/**/TO/**/'{new}'
-- SELECT 1{newline}COPY (SELECT 1) TO '{new}'
/* SELECT */ COPY (SELECT 1) TO '{new}'
COPY{nbsp}(SELECT 1){nbsp}TO{nbsp}'{new}'
{zero_width}COPY (SELECT 1) TO '{new}'
СОРУ (SELECT 1) TO '{new}'
"COPY" (SELECT 1) TO '{new}'
EXPORT DATABASE '{new}'
EXPORT DATABASE '{new}' (FORMAT parquet)
IMPORT DATABASE '{new}'
ATTACH '{new}'
ATTACH '{new}' AS other (TYPE duckdb)
ATTACH '{catalogue}' AS dear
ATTACH ':memory:' AS other
DETACH memory
CREATE TABLE mine AS SELECT 1
CREATE OR REPLACE VIEW severity AS SELECT 1
CREATE MACRO mine() AS 1
CREATE TEMP TABLE mine (a INT)
CREATE SECRET mine (TYPE s3)
CREATE PERSISTENT SECRET mine (TYPE s3)
CREATE SEQUENCE mine
CREATE SCHEMA mine
CREATE TYPE mine AS ENUM ('a')
INSERT INTO severity VALUES (1, 1, 1, 1)
UPDATE faults SET bit = 1
DELETE FROM faults
MERGE INTO faults USING images ON true WHEN MATCHED THEN DELETE
TRUNCATE faults
DROP VIEW severity
ALTER VIEW severity RENAME TO mine
COMMENT ON VIEW faults IS 'mine'
VACUUM
ANALYZE
CHECKPOINT
FORCE CHECKPOINT
FROM checkpoint()
FROM force_checkpoint()
SELECT * FROM enable_profiling(save_location := '{new}')
SELECT * FROM enable_logging(storage := 'file', storage_path := '{new}')
FROM disable_logging()
FROM truncate_duckdb_logs()
"""

SETTING = """
SET lock_configuration = false
SET GLOBAL enable_external_access = true
SET SESSION memory_limit = '100GB'
SET VARIABLE mine = 1
SET VARIABLE mine = (SELECT content FROM read_text('{secret}'))
RESET memory_limit
RESET max_execution_time
PRAGMA enable_profiling
PRAGMA enable_profiling = 'json'
PRAGMA profiling_output = '{new}'
PRAGMA database_list
PRAGMA table_info('{secret}')
PRAGMA table_info(faults); PRAGMA table_info(faults)
PRAGMA table_info(main."{secret}")
PRAGMA show('{secret}')
PRAGMA memory_limit = '100GB'
PRAGMA force_checkpoint
PRAGMA import_database('{new}')
PRAGMA copy_database('memory', 'memory')
CALL pragma_version()
CALL enable_logging()
CALL force_checkpoint()
CALL query('SELECT 1')
USE memory
USE system
INSTALL httpfs
FORCE INSTALL httpfs
INSTALL '{new}'
LOAD httpfs
LOAD '{secret}'
UPDATE EXTENSIONS
PREPARE mine AS SELECT 1
PREPARE mine AS COPY (SELECT 1) TO '{new}'
EXECUTE mine
DEALLOCATE mine
BEGIN
COMMIT
ROLLBACK
SELECT set_config('memory_limit', '100GB', false)
SELECT setval('mine', 1)
SELECT load_extension('httpfs')
"""

READING = """
SELECT * FROM read_text('{secret}')
SELECT * FROM READ_TEXT('{secret}')
SELECT * FROM "read_text"('{secret}')
SELECT * FROM system.main.read_text('{secret}')
SELECT * FROM read/**/_text('{secret}')
SELECT * FROM read_text{nbsp}('{secret}')
SELECT * FROM reаd_text('{secret}')
SELECT * FROM read_blob('{secret}')
SELECT * FROM read_csv('{secret}')
SELECT * FROM read_csv_auto('{secret}')
SELECT * FROM read_csv(['{secret}', '{secret}'])
SELECT * FROM read_parquet('{parquet}')
SELECT * FROM parquet_scan('{parquet}')
SELECT * FROM parquet_metadata('{parquet}')
SELECT * FROM parquet_kv_metadata('{parquet}')
SELECT * FROM parquet_schema('{parquet}')
SELECT * FROM read_json('{secret}')
SELECT * FROM read_json_auto('{secret}')
SELECT * FROM read_ndjson_objects('{secret}')
SELECT * FROM read_duckdb('{catalogue}')
SELECT * FROM sniff_csv('{secret}')
SELECT * FROM glob('/etc/*')
SELECT * FROM glob('{store}/*')
SELECT * FROM sqlite_scan('{state}', 'campaigns')
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM pandas_scan(1)
SELECT * FROM seq_scan('faults')
FROM '{secret}'
from '{secret}' select *
FROM '{parquet}'
FROM '{parquet_upper}'
FROM "{secret}"
FROM $${secret}$$
FROM E'{secret}'
FROM/**/'{secret}'
FROM{nbsp}'{secret}'
FROM '/etc/passwd'
FROM '/etc/*'
FROM '../secret.csv'
FROM 'secret.csv'
FROM './secret.csv'
FROM '~/secret.csv'
FROM '{store}/campaigns/../../secret.csv'
FROM '{store}/campaigns/../inside.csv'
FROM 'file://{secret}'
FROM 'https://example.invalid/x.parquet'
FROM 'http://example.invalid/x.csv'
FROM 's3://bucket/x.parquet'
FROM 'gcs://bucket/x.parquet'
FROM 'hf://datasets/x/y.parquet'
FROM '/dev/stdin'
TABLE "{secret}"
SELECT * FROM faults, '{secret}'
SELECT * FROM faults JOIN "{parquet}" ON true
SELECT (SELECT count(*) FROM '{secret}')
SELECT * FROM faults WHERE fault_id IN (FROM '{secret}')
WITH a AS (FROM '{secret}') FROM a
FROM (FROM (FROM '{secret}'))
SELECT * FROM (VALUES (1)) UNION ALL FROM '{secret}'
DESCRIBE '{secret}'
DESCRIBE FROM '{secret}'
SUMMARIZE '{secret}'
SUMMARIZE FROM '{parquet}'
EXPLAIN FROM '{secret}'
EXPLAIN ANALYZE FROM '{parquet}'
SELECT * FROM (DESCRIBE FROM '{secret}')
SELECT * FROM (PIVOT '{secret}' ON a IN (1) USING count(*))
SELECT * FROM query('SELECT 1')
SELECT * FROM query('COPY (SELECT 1) TO ''{new}''')
SELECT * FROM system.main."QUERY"('WITH a AS (COPY (SELECT 1) TO ''{new}'') SELECT * FROM a')
SELECT * FROM query(getvariable('x'))
SELECT * FROM query_table('faults')
SELECT * FROM query_table('{secret}')
SELECT * FROM query_table(['{secret}'])
SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))
SELECT * FROM histogram('{parquet}', 'x')
SELECT getenv('HOME')
SELECT * FROM duckdb_secrets()
SELECT * FROM which_secret('s3://bucket', 's3')
SELECT * FROM duckdb_logs()
SELECT * FROM duckdb_extensions()
FROM python_variable
SELECT * FROM python_variable
FROM locals()
FROM "{stem}".parquet
FROM main."{stem}.parquet"
FROM memory.main."{stem}.parquet"
FROM "{stem}"."parquet"
FROM "{folder}"."campaign=000001"."faults.parquet"
FROM faults.parquet
FROM main.parquet
FROM "faults".csv
SELECT (SELECT count(*) FROM "{stem}".parquet)
SELECT faults.* FROM faults JOIN "{stem}".parquet ON true
WITH a AS (FROM "{stem}".parquet) FROM a
WITH parquet AS (SELECT 1) FROM "{stem}".parquet
DESCRIBE "{stem}".parquet
SUMMARIZE "{stem}".parquet
EXPLAIN ANALYZE FROM "{stem}".parquet
PIVOT "{stem}".parquet ON bit
PIVOT '{secret}' ON a
PIVOT (FROM '{secret}') ON a
PIVOT read_csv('{secret}') ON a
PIVOT faults ON (SELECT max(a) FROM '{secret}')
PIVOT faults ON bit USING max((SELECT max(a) FROM '{secret}'))
PIVOT faults ON bit) SELECT * FROM read_csv('{secret}') --
SELECT * FROM (PIVOT faults ON bit) JOIN '{secret}' ON true
WITH b AS (FROM '{secret}') PIVOT b ON a
FROM pragma_table_info('{stem}.parquet')
FROM duckdb_settings()
FROM duckdb_databases()
FROM pragma_storage_info('faults')
FROM parquet_full_metadata('{stem}.parquet')
FROM parquet_file_metadata('{stem}.parquet')
FROM read_single_parquet_file('{stem}.parquet')
FROM "seq_scan"('faults')
FROM system.main.glob('{store}/*')
"""

SEVERAL = """
SELECT 1; SELECT 2
SELECT 1; COPY (SELECT 1) TO '{new}'
SELECT 1;; DROP VIEW severity
SELECT 1; -- nothing{newline}COPY (SELECT 1) TO '{new}'
SELECT 1 /* ; */; COPY (SELECT 1) TO '{new}'
SELECT ';'; COPY (SELECT 1) TO '{new}'
EXPLAIN SELECT 1; COPY (SELECT 1) TO '{new}'
EXPLAIN ANALYZE SELECT 1; DROP VIEW severity
SELECT $$;$$; DROP VIEW severity
PIVOT faults ON bit; DROP VIEW severity
PIVOT faults ON bit; PIVOT faults ON bit
;
"""

HARMS = [harm for group in (WRITING, SETTING, READING, SEVERAL) for harm in group.strip().splitlines()]

BENIGN = """
SELECT severity, count(*) FROM severity GROUP BY 1
FROM curve;
SHOW TABLES
DESCRIBE faults
DESCRIBE SELECT * FROM faults JOIN images ON true
SUMMARIZE images
EXPLAIN SELECT * FROM severity
EXPLAIN ANALYZE SELECT count(*) FROM severity
EXPLAIN (FORMAT json) SELECT 1
WITH a AS (SELECT bit FROM faults), b AS (FROM a) SELECT count(*) FROM b
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n
WITH "a b" AS (SELECT 1) FROM "a b"
SELECT rank, critical - lag(critical) OVER (ORDER BY rank) FROM curve
SELECT layer, bit, row_number() OVER (PARTITION BY layer ORDER BY bit) FROM faults QUALIFY row_number() OVER () < 5
SELECT list_sum([1, 2]), fdiv(7, 2), round_even(2.5, 0)
SELECT list_transform([1, 2], lambda x: x + 1)
SELECT * FROM range(3), generate_series(1, 2), unnest([1, 2])
SELECT unnest(json_keys(config)) FROM campaigns
SELECT config ->> '$.model.arch' FROM campaigns
SELECT * FROM (PIVOT (SELECT layer, bit FROM faults) ON layer IN ('conv1', 'fc1') USING count(*))
SELECT 'COPY x TO y; DROP' AS "read_text('/etc/passwd')"
SELECT 1 -- COPY (SELECT 1) TO 'x'
SELECT * FROM duckdb_columns() WHERE table_name = 'faults'
SELECT table_name FROM information_schema.tables
SELECT severity.* FROM severity SEMI JOIN faults USING (campaign, fault_id)
SELECT created, now()::TIMESTAMPTZ FROM campaigns
VALUES (1), (2)
TABLE images
PIVOT faults ON bit USING count(*) GROUP BY layer
PIVOT faults ON bit
PIVOT_WIDER faults ON layer, bit > 20 USING count(*) AS n, max(fault_id) GROUP BY campaign ORDER BY campaign LIMIT 3
PIVOT faults ON bit IN (30, 31), layer USING count(*)
PIVOT (SELECT layer, bit FROM faults) ON layer || '-' || bit
PIVOT faults JOIN images ON faults.campaign = images.campaign ON bit USING count(*) GROUP BY label
WITH a AS (SELECT layer, bit FROM faults) PIVOT a ON layer USING count(*)
WITH a(l) AS (SELECT layer FROM faults), b AS (PIVOT a ON l) SELECT max(1), b.* FROM b GROUP BY ALL
SELECT * FROM (PIVOT faults ON layer GROUP BY bit) one JOIN (PIVOT faults ON bit GROUP BY layer) two ON true
EXPLAIN PIVOT faults ON bit
-- rows{newline}PIVOT faults ON bit -- by bit
UNPIVOT (SELECT masked, critical FROM fault_summary) ON masked, critical INTO NAME severity VALUE pairs
PRAGMA table_info(faults)
pragma table_info('faults');
PRAGMA show_tables
DESC faults
SHOW faults
SHOW ALL TABLES
FROM faults SELECT bit
-- hi{newline}SELECT 1
/* hi */ SELECT 1 /* there */
-- hi{newline}EXPLAIN SELECT 1
EXPLAIN -- hi{newline}SELECT 1
EXPLAIN /* a */ ANALYZE /* b */ SELECT 1
SELECT 1;;; ;
SELECT 1; -- the end
FROM memory.main.faults
FROM main.curve
FROM "FAULTS"
FROM information_schema.columns
WITH RECURSIVE N(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) FROM n
WITH a AS NOT MATERIALIZED (SELECT 1) FROM A
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store in it and files that are none of its business."""
    folder = tmp_path_factory.mktemp("harm")
    filled_store(folder / "it's a [store]")[0].close()
    (folder / "secret.csv").write_text("a,b\n1,2\n")
    (folder / "it's a [store]" / "inside.csv").write_text("a,b\n1,2\n")
    secret = duckdb.sql("SELECT 42 AS x")
    assert secret is not None
    secret.write_parquet(str(folder / "secret.parquet"))
    (folder / "SECRET.PARQUET").write_bytes((folder / "secret.parquet").read_bytes())
    return folder


@pytest.fixture(scope="module")
def session(place: Path) -> Iterator[SqlSession]:
    """One for all: what one query leaves behind, the others would meet."""
    with SqlSession(place / "it's a [store]") as session:
        yield session


def contents(place: Path) -> dict[Path, bytes | None]:
    """Everything below a folder."""
    return {path: path.read_bytes() if path.is_file() else None for path in place.rglob("*")}


@pytest.mark.parametrize("harm", HARMS)
def test_harm_is_refused_in_one_sentence_and_leaves_no_trace(
    place: Path, session: SqlSession, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    python_variable = {"column": [1, 2]}
    assert python_variable
    store = place / "it's a [store]"
    paths = {
        "store": store,
        "new": store.resolve() / "campaigns" / "new",
        "part": store / "campaigns" / "campaign=000001" / "severity" / "part-000000.parquet",
        "catalogue": store / "dear.duckdb",
        "state": store / "state.sqlite",
        "folder": store / "campaigns",
        "stem": store / "campaigns" / "campaign=000001" / "faults",
        "secret": place / "secret.csv",
        "parquet": place / "secret.parquet",
        "parquet_upper": place / "SECRET.PARQUET",
    }
    signs = {"newline": "\n", "nbsp": "\N{NO-BREAK SPACE}", "zero_width": "\N{ZERO WIDTH NO-BREAK SPACE}"}
    query = harm.format(**{name: str(path).replace("'", "''") for name, path in paths.items()}, **signs)
    before = contents(place)
    with pytest.raises(InputError) as refusal:
        list(session.query(query))
    assert str(refusal.value).startswith("SQL: ")
    assert "\n" not in str(refusal.value)
    with pytest.raises(InputError):
        session.write_parquet(query)
    assert contents(place) == before
    assert list(session.query("SELECT count(*) FROM severity")) == [(180,)], "the session goes on"


@pytest.mark.parametrize("query", BENIGN.strip().splitlines())
def test_what_only_reads_is_answered_in_the_same_session(session: SqlSession, query: str) -> None:
    query = query.format(newline="\n")
    rows = list(session.query(query))
    assert rows
    with closing(session.statement(query)) as statement:
        assert statement.count()


def test_the_limits_stay_as_they_were_set(place: Path) -> None:
    with SqlSession(place / "it's a [store]", memory_limit="64MB", timeout_s=60.0) as session:
        for harm in SETTING.strip().splitlines():
            with pytest.raises(InputError):
                list(session.query(harm.format(secret=place / "secret.csv", new=place / "new")))
        (limits,) = session.query(
            "SELECT current_setting('memory_limit'), current_setting('max_execution_time'), "
            "current_setting('enable_external_access'), current_setting('lock_configuration')"
        )
    assert limits == ("61.0 MiB", 60_000, False, True)


def test_nothing_is_left_in_the_home_folder(place: Path) -> None:
    assert not (place / ".duckdb").exists()
