"""`list`, `show`, `sql`, `estimate`, `doctor`, `train`: what scripts and people read."""

from __future__ import annotations

import csv
import io
import json
import resource
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from dear_tui.cli.listing import campaign_table
from dear_tui.cli.printing.terminal_table import print_table
from engine.config.campaign_config import load_config
from engine.running.execution import execute
from engine.running.preparation import prepare
from engine.running.training import TrainingProgress, TrainingResult
from engine.store import Store
from engine.units import percent
from tests.dear_tui.cli.narrow_terminal import NarrowTerminal
from tests.endless_queries import ENDLESS
from tests.small_campaign import FAULTS, IMAGES, write_config
from tests.test_sample_configs import Silent

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")

FIELDS = [
    *("id", "name", "state", "network", "dataset", "select", "method", "faults", "images", "pairs", "pairs_done"),
    *("rate", "eta_s", "masked", "non_critical", "critical", "created", "started", "finished", "error"),
    *("goal", "screened", "dropped", "audited", "missed", "drawn", "notes", "study"),
]
RESULTS = ["critical_faults", "clean_accuracy", "faulty_accuracy", "faults_lowering_accuracy", "computing_s"]


def test_list_json_has_the_fields_scripts_rely_on(invoke: Invoke, finished_store: Path) -> None:
    (campaign,) = json.loads(invoke("list", "--json", "--store", finished_store).out)
    assert list(campaign) == [*FIELDS, *RESULTS]
    assert (campaign["id"], campaign["state"], campaign["pairs"]) == (1, "finished", FAULTS * IMAGES)
    counts = ("masked", "non_critical", "critical", "screened", "dropped")
    assert sum(campaign[name] for name in counts) == campaign["pairs_done"]
    assert campaign["created"].endswith("Z")


def test_list_json_tells_what_campaigns_found(invoke: Invoke, finished_store: Path, tmp_path: Path) -> None:
    (campaign,) = json.loads(invoke("list", "--json", "--store", finished_store).out)
    tables = json.loads(invoke("show", "1", "--json", "--store", finished_store).out)["tables"]
    one = tables["table_one"]
    for name in ("critical_faults", "clean_accuracy", "faulty_accuracy"):
        assert campaign[name] == pytest.approx(one[name])
    assert campaign["faults_lowering_accuracy"] == tables["effects"]["cost"] > 0
    assert campaign["computing_s"] == pytest.approx(tables["seconds"])
    store = tmp_path / "store"
    execute(prepare(load_config(write_config(tmp_path))), store, Silent(), lambda: True)
    (unfinished,) = json.loads(invoke("list", "--json", "--store", store).out)
    assert unfinished["clean_accuracy"] is unfinished["faults_lowering_accuracy"] is None
    assert 0 <= unfinished["critical_faults"] <= FAULTS


def test_list_shows_critical_faults_and_what_they_cost(invoke: Invoke, finished_store: Path) -> None:
    headings = invoke("list", "--store", finished_store).out.splitlines()[0]
    for heading in ("critical faults", "points lost", "took", "computed in"):
        assert heading in headings


def test_a_campaign_that_cannot_be_read_keeps_no_other_from_being_listed(
    invoke: Invoke, finished_store: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(finished_store, store)
    part = next((store / "campaigns" / "campaign=000001" / "fault_summary").iterdir())
    part.write_bytes(part.read_bytes()[:20])
    listed = invoke("list", "--json", "--store", store)
    assert (listed.code, json.loads(listed.out)[0]["critical_faults"]) == (0, None)
    said = invoke("list", "--store", store)
    assert said.code == 0
    assert "`dear-tui verify 1` sets aside what is damaged" in said.err


def test_list_of_an_empty_store_says_how_to_start(invoke: Invoke, tmp_path: Path) -> None:
    nothing = invoke("list", "--store", tmp_path / "store")
    assert (nothing.code, nothing.out) == (0, "")
    assert nothing.err == f"no campaigns in {tmp_path}/store; start with: dear-tui demo\n"
    assert json.loads(invoke("list", "--json", "--store", tmp_path / "store").out) == []
    assert not (tmp_path / "store").exists()


def test_list_in_a_pipe_is_as_wide_as_it_is(invoke: Invoke, finished_store: Path) -> None:
    heading, row = invoke("list", "--store", finished_store).out.splitlines()
    assert heading.split("  ")[0] == "id"
    assert "non-critical" in heading
    assert row.split()[:6] == ["1", "small", "finished", "lenet5", "npz", "all"]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_list_on_a_narrow_terminal_has_fewer_columns_but_what_matters(
    finished_store: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    finished = Store.open(finished_store, read_only=True).campaign(1)
    large = replace(finished, id=12, name="a name of some length", faults=16_501, images=10_000, pairs=165_010_000)
    running = replace(large, state="running", rate=398_123.0, eta_s=7215.0, masked=132_961_293, non_critical=31_023_238)
    terminal = NarrowTerminal()
    print_table(campaign_table([running, finished], []), terminal)
    shown = terminal.lines()
    assert all(len(line) <= width for line in shown)
    for heading in ("id", "name", "state", "done", "ETA", "critical"):
        assert heading in shown[0]
    assert "a name of some length" in shown[1]


def test_show_json_is_the_status_the_config_and_the_tables(invoke: Invoke, finished_store: Path) -> None:
    shown = json.loads(invoke("show", "1", "--json", "--store", finished_store).out)
    assert set(FIELDS) < set(shown)
    assert shown["config"]["faults"]["count"] == FAULTS
    assert shown["numerics"]["device"] == "cpu"
    assert shown["tables"]["table_one"]["critical_faults"] > 0
    assert [row["method"] for row in shown["tables"]["table_four"]] == ["central", "random", "pre_plateau", "all"]
    assert shown["tables"]["seconds"] > 0


def test_show_of_an_unfinished_campaign_has_its_state_and_no_tables(invoke: Invoke, tmp_path: Path) -> None:
    store = tmp_path / "store"
    execute(prepare(load_config(write_config(tmp_path))), store, Silent(), lambda: True)
    shown = invoke("show", "1", "--store", store)
    assert shown.code == 0
    state, size, *_ = shown.out.splitlines()[1:]
    done = Store.open(store, read_only=True).campaign(1).pairs_done
    assert state == f"paused: {percent(done, FAULTS * IMAGES)} done, {done:,} of 2,400 pairs"
    assert size == "60 faults x 40 images = 2,400 pairs"
    assert "\nKnown so far\n" in shown.out
    assert "clean accuracy" not in shown.out
    assert shown.err.endswith("next: dear-tui resume 1 goes on with it\n")
    assert json.loads(invoke("show", "1", "--json", "--store", store).out)["tables"] is None


def test_show_of_a_campaign_that_is_not_prepared_says_what_is_known_and_its_config(
    invoke: Invoke, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    invoke("submit", "--no-start", write_config(tmp_path), "--store", store)
    shown = invoke("show", "1", "--store", store)
    assert shown.code == 0
    assert shown.out.splitlines()[1:3] == ["queued, number 1 in the queue", "faults and images not known yet"]
    assert "  faults.count         60\n" in shown.out
    assert "  population " not in shown.out
    assert shown.err.endswith("next: dear-tui worker status tells what runs before it\n")
    invoke("cancel", "1", "--store", store)
    assert invoke("show", "1", "--store", store).out.splitlines()[1] == "cancelled"


def test_show_of_a_finished_campaign_begins_with_its_results(invoke: Invoke, finished_store: Path) -> None:
    shown = invoke("show", "1", "--store", finished_store).out
    assert shown.startswith("campaign 1: small, lenet5 on npz\n60 faults x 40 images = 2,400 pairs, computed in ")
    assert "images: all 40 images of the data set; the network without faults has 40 of them right\n" in shown
    assert "  faults.count         60\n" in shown
    assert "  run.memory           1,000,000\n" in shown
    places = [shown.index(f"\n{title}\n") for title in ("Accuracy and severities", "config", "numerics", "depends on")]
    assert places == sorted(places)


FIRST_LINES = {
    "csv": "quantity,percent,low_percent,high_percent,count,of,unit",
    "md": "**Accuracy and severities**",
    "latex": r"\begin{table}",
    "html": "<table>",
}


@pytest.mark.parametrize("table_format", FIRST_LINES)
def test_the_tables_of_a_campaign_in_every_format(invoke: Invoke, finished_store: Path, table_format: str) -> None:
    shown = invoke("show", "1", "--format", table_format, "--store", finished_store)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines()[0] == FIRST_LINES[table_format]
    assert "clean accuracy" in shown.out
    assert "2,400" in shown.out or "2400" in shown.out
    assert "pre-plateau" in shown.out


def test_the_csv_of_a_campaign_is_tables_of_numbers(invoke: Invoke, finished_store: Path) -> None:
    tables = invoke("show", "1", "--format", "csv", "--store", finished_store).out.split("\n\n")
    accuracy, _costs, selections, correlations, rankings = ([*csv.DictReader(io.StringIO(table))] for table in tables)
    status = Store.open(finished_store, read_only=True).campaign(1)
    counts = {row["quantity"]: row["count"] for row in accuracy}
    assert counts["critical"] == str(status.critical)
    assert counts["faulty accuracy"] == ""
    assert float(selections[-1]["percent_of_samples"]) == 100
    assert float(correlations[0]["el2n"]) == pytest.approx(1)
    assert rankings[0]["order"] == "greedy"


def test_several_campaigns_are_shown_one_after_the_other(invoke: Invoke, finished_store: Path) -> None:
    shown = invoke("show", "1", "9", "--store", finished_store)
    assert (shown.code, shown.out) == (2, invoke("show", "1", "--store", finished_store).out)
    assert f"dear-tui: {finished_store}: there is no campaign 9; " in shown.err
    (only,) = json.loads(invoke("show", "1", "9", "--json", "--store", finished_store).out)
    assert only["id"] == 1


def test_show_as_json_by_either_option(invoke: Invoke, finished_store: Path) -> None:
    by_format = invoke("show", "1", "--format", "json", "--store", finished_store).out
    assert by_format == invoke("show", "1", "--json", "--store", finished_store).out


def test_an_unfinished_campaign_has_no_tables_to_be_formatted(invoke: Invoke, tmp_path: Path) -> None:
    store = tmp_path / "store"
    execute(prepare(load_config(write_config(tmp_path))), store, Silent(), lambda: True)
    shown = invoke("show", "1", "--format", "csv", "--store", store)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err == "dear-tui: campaign 1: has no tables while it is paused; run it to its end\n"


QUERY = "SELECT fault_id, layer, bit = 30 AS highest, golden_value FROM faults ORDER BY fault_id"


def test_sql_gives_csv_in_a_pipe(invoke: Invoke, finished_store: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(invoke("sql", QUERY, "--store", finished_store).out)))
    assert len(rows) == FAULTS
    assert rows[0].keys() == {"fault_id", "layer", "highest", "golden_value"}
    assert {row["highest"] for row in rows} == {"true", "false"}


def test_sql_json_is_one_array_of_objects(invoke: Invoke, finished_store: Path) -> None:
    query = "SELECT campaign, created, 1.5 AS half, 'nan'::FLOAT AS nan, NULL AS nothing FROM campaigns"
    (row,) = json.loads(invoke("sql", query, "--format", "json", "--store", finished_store).out)
    assert (row["campaign"], row["half"], row["nan"], row["nothing"]) == (1, 1.5, "nan", None)
    assert row["created"][10] == "T"
    assert json.loads(invoke("sql", "SELECT 1 WHERE false", "--format", "json", "--store", finished_store).out) == []


def test_sql_json_has_json_columns_as_json(invoke: Invoke, finished_store: Path) -> None:
    query = """SELECT config, numerics->'check_pairs' AS pairs, factors, [config->'name', NULL] AS names,
        'not {json' AS text, (repeat('[', 900) || repeat(']', 900))::JSON AS deep FROM campaigns"""
    (row,) = json.loads(invoke("sql", query, "--format", "json", "--store", finished_store).out)
    assert row["config"]["model"]["arch"] == "lenet5"
    assert (row["factors"], row["names"], row["text"]) == ({}, ["small", None], "not {json")
    assert int(row["pairs"]) > 0
    assert str(row["deep"]).startswith("[[")


VALUES_INSIDE = """SELECT ['nan'::DOUBLE, NULL] AS a, {'b': 'inf'::DOUBLE, 'c': [1.5]} AS d,
    MAP {DATE '2020-01-01': true} AS e, 'infinity'::DATE AS f, '-infinity'::TIMESTAMP AS g,
    TIMESTAMP '2020-01-02' AS h, MAP {{'i': 1}: 2} AS j"""


def test_sql_json_is_json_whatever_the_values_hold(invoke: Invoke, finished_store: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    done = invoke("sql", VALUES_INSIDE, "--format", "json", "--store", finished_store)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out, parse_constant=refuse) == [
        {
            "a": ["nan", None],
            "d": {"b": "inf", "c": [1.5]},
            "e": {"2020-01-01": True},
            "f": "infinity",
            "g": "-infinity",
            "h": "2020-01-02T00:00:00",
            "j": {"key": [{"i": 1}], "value": [2]},
        }
    ]


def test_sql_csv_and_table_write_values_as_duckdb_does(invoke: Invoke, finished_store: Path) -> None:
    command = ("sql", VALUES_INSIDE, "--store", finished_store, "--format")
    (row,) = csv.DictReader(io.StringIO(invoke(*command, "csv").out))
    assert (row["a"], row["d"]) == ("[nan, NULL]", "{'b': inf, 'c': [1.5]}")
    assert (row["e"], row["f"], row["g"]) == ("{2020-01-01: true}", "infinity", "-infinity")
    assert row["h"] == "2020-01-02 00:00:00"
    table = invoke(*command, "table").out
    assert all(value in table for value in row.values())


def test_sql_json_has_no_row_limit_but_the_one_asked_for(invoke: Invoke, finished_store: Path) -> None:
    command = ("sql", "SELECT * FROM severity", "--format", "json", "--store", finished_store)
    assert len(json.loads(invoke(*command).out)) == FAULTS * IMAGES
    assert len(json.loads(invoke(*command, "--limit", "3").out)) == 3


def test_sql_table_has_aligned_columns_and_says_when_there_are_more_rows(invoke: Invoke, finished_store: Path) -> None:
    done = invoke("sql", QUERY, "--format", "table", "--limit", "2", "--store", finished_store)
    heading, *rows = done.out.splitlines()
    assert heading.split() == ["fault_id", "layer", "highest", "golden_value"]
    assert len(rows) == 2
    assert all(len(row) == len(heading) for row in rows)
    assert done.err == ""
    more = invoke("sql", "SELECT * FROM severity", "--format", "table", "--store", finished_store)
    assert len(more.out.splitlines()) == 1001
    assert more.err == "the first 1,000 rows; for all of them: --format csv --output FILE\n"


def test_sql_table_cuts_a_giant_value_which_would_pad_all_rows(invoke: Invoke, finished_store: Path) -> None:
    query = "SELECT 1 AS one, range(10000) AS many UNION ALL SELECT 2, [3]"
    done = invoke("sql", query, "--format", "table", "--store", finished_store)
    assert max(map(len, done.out.splitlines())) < 220
    assert done.err == "values are cut after 200 letters; for whole ones: --format vertical or csv\n"
    whole = invoke("sql", query, "--format", "vertical", "--store", finished_store)
    assert whole.out.splitlines()[2] == f"many  {list(range(10000))}"
    assert whole.err == ""


@pytest.mark.parametrize("width", [40, 80, 120])
def test_sql_is_vertical_where_a_terminal_is_too_narrow(
    invoke: Invoke, finished_store: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    wide = "SELECT * FROM campaigns JOIN layers USING (campaign) LIMIT 2"

    def shown(*query: str) -> list[str]:
        monkeypatch.setattr(sys, "stdout", terminal := NarrowTerminal())
        assert invoke("sql", *query, "--store", finished_store).err == ""
        return terminal.lines()

    lines = shown(wide)
    assert [line for line in lines if line.startswith("row ")] == ["row 1", "row 2"]
    assert sum(line.split()[:1] == ["check_differences"] for line in lines) == 2
    assert max(map(len, lines)) <= width
    assert '"arch":"lenet5"' in "".join(line[18:].strip() for line in lines)
    assert shown("SELECT 1 AS one, 'a' AS two") == ["one  two", "  1  a"]
    assert shown("SELECT 1 AS one", "--format", "vertical") == ["row 1", "one  1"]


@pytest.mark.parametrize("file_format", ["csv", "json", "table", "vertical", "parquet"])
def test_sql_writes_a_file(invoke: Invoke, finished_store: Path, tmp_path: Path, file_format: str) -> None:
    output = tmp_path / f"out.{file_format}"
    options = ("--format", file_format, "--output", output, "--limit", "5", "--store", finished_store)
    done = invoke("sql", QUERY + ";", *options)
    assert (done.code, done.out, done.err) == (0, "", "")
    if file_format not in ("table", "vertical"):
        assert duckdb.execute(f"SELECT count(*) FROM '{output}'").fetchall() == [(5,)]
    assert list(tmp_path.iterdir()) == [output]


def test_sql_reads_the_query_from_standard_input(
    invoke: Invoke, finished_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT count(*) AS n\nFROM faults;\n"))
    assert invoke("sql", "-", "--store", finished_store).out == f"n\n{FAULTS}\n"


def test_sql_gives_up_where_it_is_told_to(invoke: Invoke, finished_store: Path) -> None:
    for query, limit, said in [
        (ENDLESS, ("--timeout", "0.05"), "longer than its maximum execution time"),
        ("SELECT range, hash(range) FROM range(50000000) ORDER BY 2", ("--memory", "64MB"), "needs more memory"),
        ("SELECT 1", ("--memory", "lots"), "memory limit lots: write a size with its unit, such as 2GB"),
    ]:
        before = resource.getrlimit(resource.RLIMIT_DATA)
        done = invoke("sql", query, *limit, "--store", finished_store)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert said in done.err
        assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_an_exported_fault_list_can_be_run_again(invoke: Invoke, finished_store: Path, tmp_path: Path) -> None:
    query = "SELECT * FROM faults WHERE bit = 30 ORDER BY fault_id"
    assert invoke("sql", query, "--output", tmp_path / "faults.csv", "--store", finished_store).code == 0
    faults = {"sampling": "list", "list": "faults.csv", "count": None, "bits": None}
    done = invoke("run", write_config(tmp_path, faults=faults), "--store", tmp_path / "store")
    assert done.code == 0
    critical = "SELECT count(*) FROM critical JOIN faults USING (campaign, fault_id) WHERE bit = 30"
    again = invoke("sql", critical, "--store", tmp_path / "store").out
    assert again == invoke("sql", critical, "--store", finished_store).out


def test_estimate_for_people_and_for_scripts(invoke: Invoke, tmp_path: Path) -> None:
    config = write_config(tmp_path)
    said = invoke("estimate", config)
    assert said.code == 0
    names = ["faults", "injected", "images", "pairs", "FLOPs", "memory", "disk", "time"]
    assert [line[:8].strip() for line in said.out.splitlines() if line[:8].strip()] == names
    assert " of set-up, then about " in said.out
    assert (
        "injected 61,470 of 61,706 parameters (99.6 %), the weights of Conv2d and Linear; not injected: 236" in said.out
    )
    assert "60 of a population of 184,410" in said.out
    counted = json.loads(invoke("estimate", config, "--json").out)
    assert (counted["faults"], counted["images"], counted["pairs"]) == (FAULTS, IMAGES, FAULTS * IMAGES)
    assert counted["memory"] == 1_000_000 - IMAGES * 28 * 28, "the images are kept in the same memory"
    assert counted["not_injected"][0] == {"name": "conv1.bias", "kind": "bias", "parameters": 6}
    assert sum(part["parameters"] for part in counted["not_injected"]) == 236


def test_doctor_names_versions_devices_store_and_terminal(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("doctor", "--store", tmp_path / "store")
    assert done.code == 0
    topics = [line.split()[0] for line in done.out.splitlines() if not line.startswith(" ")]
    for topic in ("python", "dear-tui", "torch", "duckdb", "cpu", "store", "worker", "config", "crash", "terminal"):
        assert topic in topics
    for topic in ("colours", "clipboard"):
        assert topic in topics
    assert not (tmp_path / "store").exists()


def test_doctor_warns_of_a_store_that_is_a_file(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "WARNING: this is a file" in invoke("doctor", "--store", tmp_path / "file").out
    found = json.loads(invoke("doctor", "--json", "--store", tmp_path / "file").out)
    (warning,) = (each for each in found if each["finding"].startswith("this is a file"))
    assert (warning["topic"], warning["warning"]) == ("store", True)
    assert next(each for each in found if each["topic"] == "python")["warning"] is False


def test_doctor_names_a_config_that_is_wrong(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.toml"
    config.write_text("theme = 3\n")
    monkeypatch.setenv("DEAR_CONFIG", str(config))
    done = invoke("doctor", "--store", tmp_path / "store")
    assert done.code == 0
    assert f"config       {config}\n             WARNING: {config}: theme: " in done.out


def test_train_refuses_what_it_cannot_train(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("train", "vgg99", "mnist", "--out", tmp_path / "w.safetensors")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_train_reports_each_epoch_and_prints_file_and_accuracy(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "w.safetensors"

    def train(
        arch: str, dataset: str, out: Path, path: Path | None, epochs: int, seed: int, report: Any, device: str
    ) -> Any:
        assert (arch, dataset, path, epochs, seed, device) == ("lenet5", "mnist", tmp_path, 2, 7, "cuda:1")
        for step in range(1, 5):
            report(TrainingProgress((step + 1) // 2, 2, step, 4, 0.25, 0.98 if step > 2 else None))
        return TrainingResult(out, 0.9876, "cuda:1", "bfloat16")

    monkeypatch.setattr("engine.running.training.train", train)
    options = ("--out", out, "--data", tmp_path, "--epochs", "2", "--seed", "7", "--device", "cuda:1")
    done = invoke("train", "lenet5", "mnist", *options)
    assert (done.code, done.out) == (0, f"{out}  test accuracy 98.76%\n")
    epochs = "epoch 1/2 loss 0.250\nepoch 2/2 loss 0.250, test accuracy 98.00% after epoch 1\n"
    assert done.err == f"{epochs}trained on cuda:1 in bfloat16\n"


def test_train_refuses_a_device_that_is_not_there(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("train", "lenet5", "mnist", "--out", tmp_path / "w.safetensors", "--device", "cuda:99")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("dear-tui: device: cuda:99 is asked for, but there is")
    assert done.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
