"""Running the same config again: continued, found finished, refused with the difference, or begun anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file

from engine.errors import InputError
from engine.models.weights import BUNDLED_WEIGHTS
from engine.running.same_config import is_same_config
from engine.store import Store
from tests.engine.running.test_campaign import Recorder, after, run
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("one_thread")


def weights(path: Path, change: float) -> None:
    tensors = load_file(BUNDLED_WEIGHTS)
    tensors["fc3.bias"][0] += change
    torch.save(tensors, path)


def another_torch(patch: pytest.MonkeyPatch, folder: Path) -> dict[str, Any]:
    patch.setattr(torch, "__version__", "9.9.9")
    assert folder.exists()
    return {}


def other_weights(_patch: pytest.MonkeyPatch, folder: Path) -> dict[str, Any]:
    weights(folder / "w.pt", 1.0)
    return {}


def another_method(_patch: pytest.MonkeyPatch, _folder: Path) -> dict[str, Any]:
    return {"run": {"method": "fast"}}


CHANGES = [
    (another_torch, r"torch \S+ \(now 9\.9\.9\)"),
    (other_weights, r"weights \w{8} \(now \w{8}\).*"),
    (another_method, r"method exact \(now fast\)"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES)
def test_an_unfinished_campaign_is_not_continued_with_something_else_nor_left_behind_unsaid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, said: str
) -> None:
    store, model = tmp_path / "store", {"weights": "w.pt"}
    weights(tmp_path / "w.pt", 0.0)
    stopped = run(write_config(tmp_path, model=model), store, after(2))
    with monkeypatch.context() as patch:
        config = write_config(tmp_path, model=model, **change(patch, tmp_path))
        with pytest.raises(
            InputError, match=f"^campaign 1 of this config is unfinished and was begun with {said}; put that back"
        ):
            run(config, store)
        assert Store.open(store, read_only=True).campaigns() == [stopped]
        assert run(config, store, again=True).id == 2
        assert run(config, store).id == 2, "the last one of the config is finished now"
    weights(tmp_path / "w.pt", 0.0)
    continued = run(write_config(tmp_path, model=model), store)
    assert (continued.id, continued.state) == (1, "finished")


def test_a_finished_campaign_stays_and_what_has_changed_since_is_said(tmp_path: Path) -> None:
    store, model = tmp_path / "store", {"weights": "w.pt"}
    weights(tmp_path / "w.pt", 0.0)
    config = write_config(tmp_path, model=model)
    run(config, store)
    weights(tmp_path / "w.pt", 1.0)
    recorder = Recorder()
    assert run(config, store, recorder=recorder).id == 2
    assert len(recorder.notes) == 1
    assert recorder.notes[0].startswith("campaign 1 of this config is finished, but with weights ")
    assert recorder.notes[0].endswith("; this is a new campaign")


def test_again_is_another_campaign_and_the_newest_is_the_one_continued(tmp_path: Path) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    assert run(config, store).id == 1
    stopped = run(config, store, after(2), again=True)
    assert (stopped.id, stopped.state) == (2, "paused")
    assert run(config, store).id == 2
    assert [status.state for status in Store.open(store, read_only=True).campaigns()] == ["finished", "finished"]


@pytest.mark.parametrize(("changes", "readings"), [({"faults": {"seed": 9}}, 1), ({}, 0)])
def test_each_campaign_of_the_store_is_read_once_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], readings: int
) -> None:
    store = tmp_path / "store"
    for seed in (1, 2):
        run(write_config(tmp_path, faults={"seed": seed}), store, after(1))
    run(write_config(tmp_path), store)
    read, description = list[int](), Store.description

    def counted(self: Store, campaign: int) -> dict[str, Any]:
        read.append(campaign)
        return description(self, campaign)

    monkeypatch.setattr(Store, "description", counted)
    config = write_config(tmp_path, **changes)
    run(config, store, after(1))
    assert [read.count(campaign) for campaign in (1, 2)] == [readings, readings]


def test_what_a_campaign_depends_on_is_kept_item_by_item(tmp_path: Path) -> None:
    store = tmp_path / "store"
    run(write_config(tmp_path), store)
    identity = Store.open(store, read_only=True).description(1)["identity"]
    assert identity["torch"] == str(torch.__version__)
    assert identity["threads"] == "1"
    assert len(identity["weights"]) == len(identity["images"]) == len(identity["faults"]) == 64


def test_a_config_is_the_same_but_for_how_it_is_run() -> None:
    one = {"name": "a", "faults": {"seed": 1}, "run": {"tf32": False}}
    assert is_same_config(one, {**one, "run": {"tf32": True}})
    assert not is_same_config(one, {**one, "name": "b"})
    assert not is_same_config(one, {**one, "faults": {"seed": 2}})
