"""`dear-tui protect`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from engine.store.sql.sql import SqlSession
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

LAYERS = """
SELECT layer, (count(*), 100 * sum(critical) / sum(masked + non_critical + critical))
FROM fault_summary JOIN faults USING (campaign, fault_id) GROUP BY layer
"""

pytestmark = pytest.mark.usefixtures("one_thread")


def test_it_tells_what_each_scheme_leaves(invoke: Invoke, finished_store: Path) -> None:
    done = invoke("protect", "1", "--budget", "50", "--steps", "--store", finished_store)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "What protection within 50 % more memory leaves"
    for scheme in ("nothing", "triplication", "duplication, reloaded", "word parity, reloaded", "SEC-DED"):
        assert any(line.startswith(scheme) for line in lines), scheme
    assert "What triplication protects, in this order" in lines
    assert "the same faults chose the bits" in done.err


def test_it_tells_which_layers_are_critical(invoke: Invoke, finished_store: Path) -> None:
    done = invoke("protect", "1", "--format", "csv", "--store", finished_store)
    start = done.out.splitlines().index("") + 1
    layers = list(csv.DictReader(done.out.splitlines()[start:]))
    with SqlSession(finished_store) as session:
        found: dict[str, tuple[int, float]] = dict(session.query(LAYERS))
    assert {row["layer"]: (int(row["faults"]), float(row["critical_pairs_percent"])) for row in layers} == {
        layer: (faults, pytest.approx(percent)) for layer, (faults, percent) in found.items()
    }
    assert sum(float(row["of_critical_pairs_percent"]) for row in layers) == pytest.approx(100)
    for row in layers:
        low, value, high = (float(row[name]) for name in ("low_percent", "critical_faults_percent", "high_percent"))
        assert low <= value <= high


def test_what_is_critical_without_protection_is_what_the_store_has(
    invoke: Invoke, finished_store: Path, tmp_path: Path
) -> None:
    done = invoke("protect", "1", "--format", "csv", "--curve", tmp_path / "curve.csv", "--store", finished_store)
    assert done.code == 0
    nothing = next(csv.DictReader(done.out.splitlines()))
    with SqlSession(finished_store) as session:
        (critical,) = next(iter(session.query("SELECT 100 * sum(critical) / (60 * 40) FROM fault_summary")))
    assert float(nothing["residual_percent"]) == pytest.approx(critical)
    with (tmp_path / "curve.csv").open() as file:
        assert {row["scheme"] for row in csv.DictReader(file)} == {
            "triplication",
            "duplication, reloaded",
            "word parity, reloaded",
            "SEC-DED",
        }


def test_scripts_get_numbers(invoke: Invoke, finished_store: Path) -> None:
    done = invoke("protect", "1", "--format", "json", "--store", finished_store)
    plans = json.loads(done.out)["plans"]
    assert plans[0]["scheme"]["name"] == "triplication"
    assert all(plan["overhead"] <= 0.05 for plan in plans)


def test_faults_that_leave_the_range_are_run_again(invoke: Invoke, finished_store: Path) -> None:
    done = invoke("protect", "1", "--restrict", "--format", "json", "--store", finished_store)
    assert done.code == 0
    to_end, to_zero = json.loads(done.out)["repairs"]
    assert to_end["faults"] == to_zero["faults"] > 0
    for each in (to_end, to_zero):
        assert each["residual"]["low"] <= each["residual"]["value"] <= each["residual"]["high"]
    shown = invoke("protect", "1", "--restrict", "--store", finished_store)
    assert "range restriction, to zero" in shown.out


def test_a_list_is_taken_as_if_it_was_drawn(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "faults.csv").write_text("layer,weight_index,bit\nfc1,5,30\nfc1,7,30\nconv1,3,2\n")
    faults = {"sampling": "list", "list": "faults.csv", "count": None, "bits": None}
    assert invoke("run", write_config(tmp_path, faults=faults), "--store", tmp_path / "store").code == 0
    done = invoke("protect", "1", "--budget", "100", "--store", tmp_path / "store")
    assert (done.code, "triplication" in done.out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("9",), "there is no campaign 9"),
        (("1", "--budget", "0"), "0 is not between 0 and 1000"),
        (("1", "--budget", "nan"), "nan is not between 0 and 1000"),
        (("1", "--curve", "x.png"), "x.png: --curve writes .csv; give it a name that ends so"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    invoke: Invoke, finished_store: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = invoke("protect", *arguments, "--store", finished_store)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err
