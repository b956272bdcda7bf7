"""`dear-tui study`: what it queues, what it reads off, and what it shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from engine.store.sql.sql import SqlSession
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")

VARY = """
[vary]
"faults.seed" = [1, 2]
[[vary.selection]]
name = "all"
workload = { select = "all" }
[[vary.selection]]
name = "few"
workload = { select = "top_n", n = 7 }
"""


def write_study(folder: Path, vary: str = VARY, **changes: Any) -> Path:
    config = write_config(folder, **changes)
    path = folder / "study.toml"
    path.write_text(config.read_text().replace("[workload]\n", "") + vary)
    return path


def rows(store: Path, query: str) -> list[tuple[Any, ...]]:
    with SqlSession(store) as session:
        return list(session.query(query))


def test_members_are_queued_and_know_their_study(invoke: Invoke, tmp_path: Path) -> None:
    study, store = write_study(tmp_path), tmp_path / "store"
    done = invoke("study", study, "--no-start", "--store", store)
    assert (done.code, done.out.split()) == (0, ["1", "2"])
    assert "2 members are not run: their results are read off members with all images" in done.err
    assert f"then: dear-tui study {study} --results" in done.err
    found = rows(store, "SELECT campaign, study, factors FROM campaigns ORDER BY 1")
    assert [(each[0], each[1], json.loads(each[2])) for each in found] == [
        (1, "small", {"faults.seed": 1, "selection": "all"}),
        (2, "small", {"faults.seed": 2, "selection": "all"}),
    ]
    listed = invoke("list", "--store", store).out.splitlines()
    assert listed[0].split()[:4] == ["id", "name", "state", "study"]
    again = invoke("study", study, "--no-start", "--store", store)
    assert again.out.split() == ["1", "2"], "it is the same study"
    shown = json.loads(invoke("study", study, "--results", "--format", "json", "--store", store).out)
    assert [(each["campaign"], each["state"]) for each in shown] == [
        (1, "queued"),
        (None, "waits for all images"),
        (2, "queued"),
        (None, "waits for all images"),
    ]


@pytest.mark.parametrize("damage", [False, True], ids=["whole", "its faults are written again"])
def test_a_member_that_was_run_still_knows_its_study(invoke: Invoke, tmp_path: Path, damage: bool) -> None:
    study, store = write_study(tmp_path), tmp_path / "store"
    assert invoke("study", study, "--try-out", "--no-start", "--store", store).code == 0
    if damage:
        (store / "campaigns" / "campaign=000001" / "faults.parquet").write_bytes(b"")
    assert invoke("run", write_config(tmp_path, "one.toml", faults={"seed": 1}), "--store", store).code == 0
    found = rows(store, "SELECT state, study, factors FROM campaigns WHERE campaign = 1")
    assert [(state, of, json.loads(factors)) for state, of, factors in found] == [
        ("finished", "small", {"faults.seed": 1, "selection": "all"})
    ]


def test_what_is_read_off_is_what_the_subset_alone_gives(invoke: Invoke, tmp_path: Path) -> None:
    study, store = write_study(tmp_path), tmp_path / "store"
    for seed in (1, 2):
        config = write_config(tmp_path, name=f"full {seed}", faults={"seed": seed})
        assert invoke("run", config, "--store", store).code == 0
    shown = json.loads(invoke("study", study, "--results", "--format", "json", "--store", store).out)
    assert [each["state"] for each in shown] == ["finished", "read off"] * 2
    alone = tmp_path / "alone"
    for member, seed in ((shown[1], 1), (shown[3], 2)):
        workload = {"select": "top_n", "n": 7}
        config = write_config(tmp_path, faults={"seed": seed}, workload=workload)
        assert invoke("run", config, "--store", alone).code == 0
        tables = json.loads(invoke("show", str(seed), "--json", "--store", alone).out)["tables"]
        assert member["images"] == 7
        assert member["critical_faults"] == tables["table_one"]["critical_faults"]
        assert member["critical_percent"] == pytest.approx(tables["table_one"]["critical"])
        assert member["critical"] == pytest.approx(tables["shares"]["critical"])


def test_results_are_a_table_for_people_and_for_papers(invoke: Invoke, tmp_path: Path) -> None:
    study, store = write_study(tmp_path), tmp_path / "store"
    config = write_config(tmp_path, faults={"seed": 1})
    assert invoke("run", config, "--store", store).code == 0
    done = invoke("study", study, "--results", "--store", store)
    lines = done.out.splitlines()
    assert lines[0] == "Study small"
    assert [word for word in ("faults.seed", "selection", "critical faults") if word in lines[2]] == [
        "faults.seed",
        "selection",
        "critical faults",
    ]
    assert sum("read off" in line for line in lines) == 1
    latex = invoke("study", study, "--results", "--format", "latex", "--store", store)
    assert (latex.code, "tabular" in latex.out) == (0, True)


def test_members_are_queued_unseen_but_for_those_that_are_finished(invoke: Invoke, tmp_path: Path) -> None:
    study, store = write_study(tmp_path, '[vary]\n"faults.seed" = [1, 2, 100]\n'), tmp_path / "store"
    config = write_config(tmp_path, "two.toml", name="small 2", faults={"seed": 2})
    assert invoke("run", config, "--store", store).code == 0
    done = invoke("study", study, "--no-start", "--store", store)
    assert (done.code, done.out.split()) == (0, ["2", "1", "3"])
    assert "campaign 1 was already finished; nothing to run" in done.err
    found = rows(store, "SELECT campaign, state, faults FROM campaigns ORDER BY 1")
    assert found[1:] == [(2, "queued", 0), (3, "queued", 0)], "they are not prepared"
    assert invoke("study", study, "--again", "--no-start", "--store", store).out.split() == ["4", "5", "6"]


def test_a_bad_member_is_named_and_nothing_is_queued(invoke: Invoke, tmp_path: Path) -> None:
    vary = '[vary]\n"faults.count" = [20, 100000000]\n'
    done = invoke("study", write_study(tmp_path, vary), "--try-out", "--no-start", "--store", tmp_path / "store")
    assert (done.code, done.out) == (2, "")
    assert "small 100000000: [faults] count: 100000000 faults cannot be drawn" in done.err
    listed = invoke("list", "--json", "--store", tmp_path / "store")
    assert listed.out.strip() in ("[]", "")


def test_members_by_other_methods_are_campaigns_of_their_own(invoke: Invoke, tmp_path: Path) -> None:
    study, store = write_study(tmp_path, '[vary]\n"run.method" = ["exact", "fast"]\n'), tmp_path / "store"
    assert invoke("run", write_config(tmp_path), "--store", store).code == 0  # by exact
    shown = json.loads(invoke("study", study, "--results", "--format", "json", "--store", store).out)
    assert [each["state"] for each in shown] == ["finished", "not queued"]


def test_two_things_that_set_the_same_key_are_refused(invoke: Invoke, tmp_path: Path) -> None:
    vary = VARY + '[[vary.other]]\nname = "a"\n[[vary.other]]\nname = "a"\nfaults = { seed = 3 }\n'
    refused = invoke("study", write_study(tmp_path, vary), "--no-start", "--store", tmp_path / "store")
    assert refused.code == 2
    assert "[vary] other: 'a' is there twice; give each value a name of its own" in refused.err
    assert "[vary] other and faults.seed both set faults.seed; leave it to one" in refused.err
    assert not (tmp_path / "store").exists()


def test_a_member_that_is_read_off_is_tried_out_too(invoke: Invoke, tmp_path: Path) -> None:
    study, store = write_study(tmp_path, VARY.replace("n = 7", "n = 41")), tmp_path / "store"
    refused = invoke("study", study, "--try-out", "--no-start", "--store", store)
    assert refused.code == 2
    assert "few: [workload] n: 41 images are asked of a data set of 40; lower n" in refused.err
    assert not store.exists()


def test_intervals_of_several_confidences_do_not_claim_one(invoke: Invoke, tmp_path: Path) -> None:
    study = write_study(tmp_path, '[vary]\n"run.memory" = ["1MB", "2MB"]\n')
    store = tmp_path / "store"
    assert invoke("study", study, "--no-start", "--store", store).code == 0
    assert "99 % from" in invoke("study", study, "--results", "--store", store).out
    study.write_text(study.read_text().replace('"run.memory" = ["1MB", "2MB"]', '"faults.confidence" = [0.8, 0.9]'))
    shown = invoke("study", study, "--results", "--store", store).out
    assert " from " in shown
    assert "% from" not in shown
