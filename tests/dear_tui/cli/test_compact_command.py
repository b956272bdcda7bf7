"""`dear-tui compact`: the sentence and tables it prints, the files it writes, and what it refuses."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.store.sql.sql import SqlSession
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")


def critical_faults(store: Path, campaign: int = 1) -> set[int]:
    with SqlSession(store) as session:
        rows = session.query(f"SELECT DISTINCT fault_id FROM critical WHERE campaign = {campaign}")
        return {int(row[0]) for row in rows}


def test_it_says_how_few_images_do_and_what_others_need(invoke: Invoke, finished_store: Path) -> None:
    done = invoke("compact", "1", "--store", finished_store)
    assert done.code == 0
    lines = done.out.splitlines()
    count = len(critical_faults(finished_store))
    images = int(lines[1].split()[0])
    assert lines[0] == "campaign 1: small, lenet5 on npz"
    assert lines[1] == f"{images} of 40 images detect all {count} critical faults; no fewer can"
    listed = lines[2].removeprefix("image ids, those that show most first: ").split()
    assert len(set(listed)) == images
    assert f"{images} ms at 1 ms each" in lines[3]
    assert "dear-tui compact 1 --output images.npz" in done.err
    for order in ("smallest", "greedy", "el2n", "deepgini", "random, luckiest"):
        assert any(line.startswith(f"{order} ") for line in lines), order


def test_the_images_detect_every_critical_fault_when_run_alone(
    invoke: Invoke, finished_store: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "images.csv"
    done = invoke("compact", "1", "--output", listed, "--format", "json", "--store", finished_store)
    assert done.code == 0
    found = json.loads(done.out)
    with listed.open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["image_id"]) for row in rows] == found["images"]
    assert int(rows[-1]["detected_so_far"]) == found["critical_faults"]
    config = write_config(tmp_path, workload={"select": "list", "list": "images.csv"})
    assert invoke("run", config, "--store", tmp_path / "store").code == 0
    assert critical_faults(tmp_path / "store") == critical_faults(finished_store)
    with SqlSession(tmp_path / "store") as session:
        run = [row[0] for row in session.query("SELECT image_id FROM images WHERE rank IS NOT NULL ORDER BY rank")]
    assert run == found["images"], "in the order of the list"


def test_the_images_can_be_written_with_what_the_network_answers(
    invoke: Invoke, finished_store: Path, tmp_path: Path
) -> None:
    done = invoke("compact", "1", "--output", tmp_path / "images.npz", "--store", finished_store)
    assert done.code == 0
    written = np.load(tmp_path / "images.npz")
    count = len(written["image_id"])
    assert (written["images"].shape, written["labels"].shape) == ((count, 1, 28, 28), (count,))
    with SqlSession(finished_store) as session:
        golden: dict[int, int] = dict(session.query("SELECT image_id, golden_class FROM images"))
    expected = [golden[image] for image in written["image_id"].tolist()]
    assert written["golden_logits"].argmax(axis=1).tolist() == expected
    config = write_config(tmp_path, dataset={"path": "images.npz"})
    assert invoke("run", config, "--store", tmp_path / "store").code == 0
    assert critical_faults(tmp_path / "store") == critical_faults(finished_store)


def test_the_curves_can_be_written(invoke: Invoke, finished_store: Path, tmp_path: Path) -> None:
    assert invoke("compact", "1", "--curve", tmp_path / "curve.csv", "--store", finished_store).code == 0
    with (tmp_path / "curve.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0][:4] == ["images", "smallest", "greedy", "el2n"]
    assert len(rows) == 41


def test_chosen_by_some_faults_they_are_tried_on_others(invoke: Invoke, tmp_path: Path) -> None:
    store = tmp_path / "store"
    for seed in (1, 2):
        faults = {"seed": seed, "bits": [30, 31], "count": 150}
        assert invoke("run", write_config(tmp_path, name=f"seed{seed}", faults=faults), "--store", store).code == 0
    done = invoke(
        "compact", "1", "--against", "2", "--layer", "fc1", "--bit", "30", "--format", "json", "--store", store
    )
    assert done.code == 0
    found = json.loads(done.out)
    of_rest, of_other = found["transfers"]
    assert of_rest["of"] == "the other layers and bits"
    assert of_rest["faults"] + found["critical_faults"] == len(critical_faults(store, 1))
    assert of_other["of"] == "campaign 2, seed2"
    assert 0 < of_other["faults"] <= len(critical_faults(store, 2))
    for each in (of_rest, of_other):
        assert each["detected"]["low"] <= each["detected"]["value"] <= each["detected"]["high"]


def test_where_nothing_is_critical_nothing_is_needed(invoke: Invoke, tmp_path: Path) -> None:
    config = write_config(tmp_path, faults={"bits": [0], "count": 5})
    assert invoke("run", config, "--store", tmp_path / "store").code == 0
    done = invoke("compact", "1", "--store", tmp_path / "store")
    assert (done.code, done.out) == (0, "campaign 1: no fault is critical, so no image is needed to detect one\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("9",), "there is no campaign 9"),
        (("1", "--output", "images.txt"), "images.txt: --output writes .csv or .npz; give it a name that ends so"),
        (("1", "--curve", "curve.npz"), "curve.npz: --curve writes .csv; give it a name that ends so"),
        (("1", "--layer", "conv9"), "--layer conv9: matches no layer; there are conv1, conv2, fc1, fc2, fc3"),
        (("1", "--format", "word"), "'word' is none of"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    invoke: Invoke, finished_store: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = invoke("compact", *arguments, "--store", finished_store)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err


def test_a_campaign_that_left_pairs_out_is_refused(invoke: Invoke, tmp_path: Path) -> None:
    config = write_config(tmp_path, run={"goal": "critical_faults"})
    assert invoke("run", config, "--store", tmp_path / "store").code == 0
    done = invoke("compact", "1", "--store", tmp_path / "store")
    assert done.code == 2
    assert 'because their faults were known to be critical; run it with [run] goal = "severities"' in done.err


def test_images_of_another_data_set_are_refused(invoke: Invoke, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert invoke("run", write_config(tmp_path), "--store", store).code == 0
    assert invoke("run", write_config(tmp_path, dataset={"mean": [0.2]}), "--store", store).code == 0
    done = invoke("compact", "1", "--against", "2", "--store", store)
    assert (done.code, done.err) == (
        2,
        "dear-tui: campaign 2: its images are not those of campaign 1; take one that has them\n",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("image_id\n3\n400\n", "row 2: '400' is none of the images 0 to 39; fix it"),
        ("image_id\n3\n7\n3\n", "row 3: image 3 is there already, in row 1; remove one"),
        ("image_id\nx\n", "row 1: 'x' is none of the images 0 to 39; fix it"),
        ("id\n3\n", "has no column image_id; give it that heading"),
        ("image_id\n", 'select: "list" picks none of 40 images; give a list with images'),
    ],
)
def test_a_list_that_cannot_be_run_is_one_sentence(invoke: Invoke, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "images.csv").write_text(content)
    config = write_config(tmp_path, workload={"select": "list", "list": "images.csv"})
    done = invoke("run", config, "--store", tmp_path / "store")
    assert (done.code, said in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bit", "32"], "--bit 32: there is no such bit; a weight has bits 0 to 31"),
        (["--bit", "-1"], "--bit -1: there is no such bit; a weight has bits 0 to 31"),
        (["--output", "x.csv", "--curve", "x.csv"], "x.csv: --output and --curve are the same file"),
        (["--curve", "/nope/x.csv"], "there is no folder /nope; give --curve another file"),
    ],
)
def test_what_would_mislead_is_refused(
    invoke: Invoke,
    finished_store: Path,
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = invoke("compact", "1", *arguments, "--store", finished_store)
    assert refused.code == 2
    assert said in refused.err
    assert not list(tmp_path.glob("*.csv"))


def test_a_campaign_that_did_not_run_the_images_tells_nothing_of_them(invoke: Invoke, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert invoke("run", write_config(tmp_path), "--store", store).code == 0
    few = write_config(tmp_path, "few.toml", name="few", faults={"seed": 5}, workload={"select": "random", "n": 1})
    assert invoke("run", few, "--store", store).code == 0
    refused = invoke("compact", "1", "--against", "2", "--store", store)
    assert refused.code == 2
    assert "campaign 2: ran " in refused.err
    assert "take one that ran them all" in refused.err


def test_of_bits_that_are_not_critical_it_says_so_and_writes_nothing(
    invoke: Invoke, finished_store: Path, tmp_path: Path
) -> None:
    none = invoke("compact", "1", "--bit", "0", "--output", tmp_path / "x.csv", "--store", finished_store)
    assert (none.code, none.out.strip()) == (
        0,
        "campaign 1: no fault of these layers and bits is critical, so no image is needed to detect one",
    )
    assert "no file is written" in none.err
    as_json = invoke("compact", "1", "--bit", "0", "--format", "json", "--store", finished_store)
    assert json.loads(as_json.out)["images"] == []
