"""Bad input: one sentence that names the file, the field and the mend; an exit code; nothing left behind."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engine.models.weights import BUNDLED_WEIGHTS
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")


class Malicious:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, ("unpickled",)


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content)


def npz(**arrays: Any) -> Callable[[Path], object]:
    return lambda path: np.savez(path, **arrays)


def tensors(**changes: Any) -> Callable[[Path], object]:
    return lambda path: torch.save(load_file(BUNDLED_WEIGHTS) | changes, path)


def refused(invoke: Invoke, folder: Path, changes: dict[str, Any], code: int = 2) -> str:
    """The one sentence that `run` gives, without the program's name and the folder."""
    before = sorted(folder.rglob("*"))
    config = write_config(folder, **changes)
    done = invoke("run", config, "--store", folder / "store")
    assert done.code == code
    assert done.out == ""
    assert done.err.count("\n") == 1, done.err
    assert sorted(folder.rglob("*")) == sorted({*before, config, folder / "set.npz"}), "something was left behind"
    return done.err.removeprefix("dear-tui: ").replace(f"{folder}/", "").rstrip("\n")


IMAGES = np.zeros((4, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize(
    ("file", "make", "changes", "expected"),
    [
        (None, None, {"faults": {"cuont": 3}}, "small.toml: [faults] cuont: unknown key; did you mean count?"),
        (None, None, {"faults": {"error_margin": 0}},
         "small.toml: [faults] error_margin: should be greater than 0, but is 0"),
        (None, None, {"model": {"weights": "gone.pt"}},
         "small.toml: [model] weights: there is no file gone.pt; fix the path"),
        (None, None, {"dataset": {"path": "gone.npz"}},
         "small.toml: [dataset] path: there is no file gone.npz; give an .npz file with images and labels"),
        (None, None, {"dataset": {"name": "folder", "path": "gone"}},
         "small.toml: [dataset] path: there is no folder gone; give one with a sub-folder of images per class"),
        ("w.pt", tensors(**{"conv2.weight": torch.zeros(16, 6, 3, 3)}), {"model": {"weights": "w.pt"}},
         "small.toml: w.pt: not the weights of lenet5 on 1-channel images: conv2.weight is (16, 6, 3, 3) in the file "
         "but (16, 6, 5, 5) in the network; fix [model] arch or weights"),
        ("w.pt", lambda path: path.write_bytes(pickle.dumps(Malicious())), {"model": {"weights": "w.pt"}},
         "small.toml: w.pt: not a file of tensors, and nothing else is unpickled; give [model] weights the network's "
         "state_dict() as .safetensors, .pt or .th"),
        ("w.safetensors", text("hello"), {"model": {"weights": "w.safetensors"}},
         "small.toml: w.safetensors: not a safetensors file (Error while deserializing header: header too small); give "
         "[model] weights another file"),
        ("d.npz", npz(images=IMAGES, labels=np.array([0, 1, 2, 10])), {"dataset": {"path": "d.npz"}},
         f"small.toml: npz: image 3 has label 10, but the network of {BUNDLED_WEIGHTS} has 10 classes (0 to 9); fix "
         "the labels or give other weights"),
        ("d.npz", npz(images=IMAGES, labels=np.array([0, 1, -2, 3])), {"dataset": {"path": "d.npz"}},
         "small.toml: npz (d.npz): image 2 has label -2; labels count from 0"),
        ("d.npz", npz(images=IMAGES, labels=np.arange(3)), {"dataset": {"path": "d.npz"}},
         "small.toml: npz (d.npz): 4 images but 3 labels; give each image one label"),
        ("d.npz", npz(images=np.pad(IMAGES, 1), labels=np.arange(6)), {"dataset": {"path": "d.npz"}},
         "small.toml: npz: images of 1 x 30 x 30 do not fit lenet5, which takes 1 x 28 x 28 or 3 x 32 x 32; give "
         "[dataset] images of that size"),
        ("d.npz", text("hello"), {"dataset": {"path": "d.npz"}},
         "small.toml: d.npz: not an .npz file of plain arrays; save it with numpy.savez"),
        (None, None, {"dataset": {"mean": [0.5, 0.5], "std": [1, 1]}},
         "small.toml: npz (set.npz): mean has length 2 and std 2, but images have 1 channels; give [dataset] mean and "
         "std one value per channel"),
        (None, None, {"workload": {"select": "central", "center": 9}},
         'small.toml: [workload] select: "central" picks none of 40 images; widen eps or move center'),
        (None, None, {"workload": {"select": "top_n", "n": 41}},
         "small.toml: [workload] n: 41 images are asked of a data set of 40; lower n"),
        (None, None, {"faults": {"layers": ["conv7"]}},
         "small.toml: [faults] layers: 'conv7' matches no layer; the injectable layers are conv1, conv2, fc1, fc2, "
         "fc3"),
        (None, None, {"faults": {"count": 200_000}},
         "small.toml: [faults] count: 200000 faults cannot be drawn from 184410; lower it or widen the filters"),
        ("f.csv", text('Layer,TensorIndex,Bit\nconv1,"(0, 0, 9, 0)",3\n'), {"faults": "list"},
         "small.toml: [faults] list: f.csv, row 0 (the first is 0): tensor_index '(0, 0, 9, 0)' is outside conv1, "
         "whose weight has the shape (6, 1, 5, 5)"),
        ("f.csv", text("layer,weight_index,bit\nfc9,0,3\n"), {"faults": "list"},
         "small.toml: [faults] list: f.csv, row 0 (the first is 0): the network has no injectable layer 'fc9'; use one "
         "of fc3, fc2, fc1"),
        ("f.csv", text("layer,weight_index,bit\nfc1,0,32\n"), {"faults": "list"},
         "small.toml: [faults] list: f.csv, row 0 (the first is 0): bit '32' is not a bit of a 32-bit weight; use 0 "
         "to 31 (31 is the sign)"),
        (None, None, {"run": {"memory": "1KB"}}, None),
    ],
)  # fmt: skip
def test_a_campaign_that_cannot_run(
    invoke: Invoke,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str | None,
    make: Callable[[Path], object] | None,
    changes: dict[str, Any],
    expected: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)  # what malicious files would write would be found here
    if file is not None and make is not None:
        make(tmp_path / file)
    if changes.get("faults") == "list":
        changes = {"faults": {"sampling": "list", "list": "f.csv", "count": None, "bits": None}}
    said = refused(invoke, tmp_path, changes)
    if expected is None:
        assert said.startswith("small.toml: [run] memory: 1,000 bytes do not hold one image, which needs ")
    else:
        assert said == expected


def test_all_problems_of_all_configs_are_said_at_once(invoke: Invoke, tmp_path: Path) -> None:
    first = write_config(tmp_path, "a.toml", faults={"error_margin": 0, "cuont": 1}, typo=3)
    second = write_config(tmp_path, "b.toml", model={"arch": "lenet6"})
    done = invoke("run", first, second, tmp_path / "c.toml", "--store", tmp_path / "store")
    assert done.code == 2
    assert [line.split(": ")[1].rsplit("/", 1)[-1] for line in done.err.splitlines()] == [
        "a.toml", "a.toml", "b.toml", "c.toml",
    ]  # fmt: skip
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("command", ["run", "list", "show", "sql"])
def test_a_store_that_is_a_file(invoke: Invoke, tmp_path: Path, command: str) -> None:
    store = tmp_path / "file"
    store.write_text("mine")
    arguments: dict[str, list[str | Path]] = {
        "run": [write_config(tmp_path)],
        "list": [],
        "show": ["1"],
        "sql": ["SELECT 1"],
    }
    done = invoke(command, *arguments[command], "--store", store)
    assert (done.code, done.out) == (3, "")
    assert done.err.count("\n") == 1
    assert str(store) in done.err
    assert store.read_text() == "mine"


def test_a_store_that_cannot_be_written(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = invoke("run", write_config(tmp_path), "--store", tmp_path / "file" / "store")
    assert (done.code, done.out) == (3, "")
    assert (
        done.err
        == f"dear-tui: {tmp_path}/file/store: cannot be the store (Not a directory); choose another with --store\n"
    )


def test_a_store_that_is_not_there_is_not_made_by_reading(invoke: Invoke, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert invoke("sql", "SELECT 1", "--store", store).code == 3
    assert invoke("show", "1", "--store", store).code == 2
    assert not store.exists()


@pytest.mark.parametrize("command", ["run", "submit", "estimate", "bench"])
@pytest.mark.parametrize(
    ("run", "code", "said"),
    [
        ({"memory": "10KB"}, 2, "[run] memory: 10,000 bytes do not hold one image"),
        pytest.param(
            {"device": "cuda"},
            3,
            "[run] device: cuda:0 is asked for, but there is no CUDA device",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here"),
        ),
    ],
)
def test_every_command_names_the_config(
    invoke: Invoke, tmp_path: Path, command: str, run: dict[str, Any], code: int, said: str
) -> None:
    config = write_config(tmp_path, run=run)
    options: list[str | Path] = ["--store", tmp_path / "store"] if command in ("run", "submit") else []
    options += ["--try-out"] if command == "submit" else []
    done = invoke(command, config, *options)
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith(f"dear-tui: {config}: {said}")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELCT 1", "SQL: SELCT begins no query; did you mean SELECT?"),
        ("SELECT bits FROM faults", "SQL: there is no column bits; did you mean bit (of faults)?"),
        ("DELETE FROM faults", "SQL: only SELECT is allowed here, not DELETE"),
        ("SELECT 1; SELECT 2", "SQL: give exactly one SELECT; here are 2 statements"),
        ("COPY faults TO 'x.csv'", "SQL: only SELECT is allowed here, not COPY"),
        ("SELECT layer::INTEGER FROM faults", "SQL: 'fc1' cannot become INT32; write TRY_CAST"),
    ],
)
def test_sql_that_cannot_run(invoke: Invoke, finished_store: Path, tmp_path: Path, query: str, said: str) -> None:
    output = tmp_path / "out.csv"
    output.write_text("kept")
    choices: list[list[str | Path]] = [[], ["--output", output], ["--output", output, "--format", "parquet"]]
    for options in choices:
        done = invoke("sql", query, *options, "--store", finished_store)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"dear-tui: {said}")
        assert done.err.count("\n") == 1
    assert output.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize("options", [[], ["--format", "parquet"]])
def test_sql_into_a_folder_that_is_not_there(
    invoke: Invoke, finished_store: Path, tmp_path: Path, options: list[str]
) -> None:
    output = tmp_path / "gone" / "out"
    done = invoke("sql", "SELECT 1", "--output", output, *options, "--store", finished_store)
    assert done.code == 2
    assert done.err == f"dear-tui: {output}: there is no folder {output.parent}; give --output another file\n"


def test_sql_parquet_needs_a_file(invoke: Invoke, finished_store: Path) -> None:
    done = invoke("sql", "SELECT 1", "--format", "parquet", "--store", finished_store)
    assert (done.code, done.err) == (2, "dear-tui: --format parquet needs a file: add --output FILE\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sqll"], "No such command 'sqll'. Did you mean 'sql'? (see dear-tui --help)"),
        (["run"], "Missing argument 'CONFIG' (see dear-tui run --help)"),
        (["show", "abc"], "(see dear-tui show --help)"),
        (["sql", "SELECT 1", "--limit", "-1"], "(see dear-tui sql --help)"),
        (["sql", "SELECT 1", "--format", "xml"], "(see dear-tui sql --help)"),
        (["list", "--nope"], "No such option: --nope"),
        (["sql", "SELECT 1", "--lmit", "4"], "unexpected extra argument(s) (--lmit 4)"),
        (["show", "99"], "there is no campaign 99; `dear-tui list` shows which there are"),
        ([], "there is no terminal to draw in"),
    ],
)
def test_usage_errors_are_a_sentence_too(
    invoke: Invoke, finished_store: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.setenv("DEAR_STORE", str(finished_store))
    done = invoke(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
