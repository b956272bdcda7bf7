"""The usual slips in a query, and what the user is told to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from engine.store.sql.errors import QueryError, reported
from engine.store.sql.macros import create_macros

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("CREATE TABLE faults (campaign INTEGER, fault_id INTEGER, layer VARCHAR, bit UTINYINT)")
        opened.execute("INSERT INTO faults VALUES (1, 0, 'conv1', 30)")
        create_macros(opened)
        opened.execute("CREATE TABLE severity (campaign INTEGER, severity UTINYINT)")
        opened.execute("INSERT INTO severity VALUES (1, 2)")
        opened.execute("CREATE TABLE fault_summary (campaign INTEGER, fault_id INTEGER, critical INTEGER)")
        yield opened


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELCT 1", "did you mean SELECT?"),
        ("select bits from faults", "there is no column bits; did you mean bit (of faults)?"),
        ('select * from faults where layer = "conv1"', "write it in single quotes: 'conv1'"),
        ("select critical from faults", "write JOIN fault_summary USING (campaign, fault_id)"),
        ("select f.nope from faults f", "there is no column nope; DESCRIBE lists those of a view"),
        ("select x.layer from faults", "x is not in FROM; write FROM x"),
        ("select layer, count(*) from faults", "add it to GROUP BY, or write any_value(layer)"),
        ("select * from faults where sum(bit) > 3", "write that condition as HAVING, after GROUP BY"),
        ("select sum(layer) from faults", "sum does not take (VARCHAR); text becomes a number with TRY_CAST"),
        ("select bit from faults where layer like 5", "write a pattern in single quotes"),
        ("select points from faults", "write JOIN accuracy_cost USING (campaign, fault_id)"),
        ("select in_chanel from faults", "did you mean in_channel (of faults)?"),
        ("select populaton from faults", "did you mean population (of campaigns)?"),
        ("select pairs_done from faults", "write JOIN campaigns USING (campaign)"),
        ("select * from severity where severity = 'critical'", "write severity_name(severity) = 'critical'"),
        ("select wilson_low(1, 2, confidence := 99)", "a confidence is a share between 0 and 1, not 99; write"),
        ("select wilson_low(1)", "wilson_low takes other arguments; write wilson_low(k, n, confidence"),
        ("select countt(*) from faults", "there is no function countt; did you mean count?"),
        (
            "select fault_id from faults f join fault_summary s on f.fault_id = s.fault_id",
            "write f.fault_id or s.fault_id, or join with USING (fault_id)",
        ),
        ("select * from faults f, faults f", "f stands for two; give each a name of its own"),
        ("select * from faults order by 9", "from 1 to 4; write one of these, or a column's name"),
        ("select * from faults limit -1", "write LIMIT 10"),
        ("select top 10 * from faults", "write LIMIT 10 at the end"),
        ("select 1 union select 1, 2", "write the missing ones as NULL"),
        ("select row_number() from faults", "write it as row_number() OVER (ORDER BY fault_id)"),
        ("select max(sum(bit)) from faults", "WITH part AS (SELECT ...)"),
        ("select layer::int from faults", "'conv1' cannot become INT32; write TRY_CAST(... AS INT32)"),
        ("select 300::utinyint", "300 does not fit into UINT8; write a larger type"),
        ("select * from faults where", "the query ends after where"),
        ("select * from (select 1", "a closing ) is missing"),
        ("select case when bit > 1 then 1 from faults", "a CASE needs END"),
        ("select 'abc from faults", "a single quote is missing"),
        ("select layer bits count from faults", "before it a comma, a quote or a word is missing"),
        ("select ?", "write the value itself"),
        ("select date_trunc('x', now())", 'extract specifier "x" not recognized; write that part of the query in'),
    ],
)
def test_every_error_says_what_to_write(connection: duckdb.DuckDBPyConnection, query: str, said: str) -> None:
    with pytest.raises(QueryError) as refusal, reported():
        connection.execute(query).fetchall()
    sentence = str(refusal.value)
    assert said in sentence
    assert sentence.startswith("SQL: ")
    assert "\n" not in sentence
    assert " Error: " not in sentence
