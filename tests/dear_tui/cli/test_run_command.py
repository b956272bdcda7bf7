"""`dear-tui run` and `demo --headless`: progress, summary, ctrl+c, continuing."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from dear_tui.access.demo import DEMO
from dear_tui.cli.run import ProgressLine
from engine.store import Store
from engine.store.sql.sql import SqlSession
from tests.small_campaign import FAULTS, IMAGES, SMALL, write_config

if TYPE_CHECKING:
    from pathlib import Path

    from engine.steps import Step
    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")

PAIRS = FAULTS * IMAGES


def severities(store: Path) -> list[tuple[Any, ...]]:
    with SqlSession(store) as session:
        return list(session.query("SELECT fault_id, image_id, severity FROM severity ORDER BY ALL"))


def press_ctrl_c(patch: pytest.MonkeyPatch, times: int) -> None:
    """Answer the first reports of pairs done with ctrl+c."""
    on_progress, presses = ProgressLine.on_progress, iter(range(times))

    def interrupted(self: ProgressLine, progress: Any) -> None:
        on_progress(self, progress)
        if progress.pairs_done and next(presses, None) is not None:
            signal.raise_signal(signal.SIGINT)

    patch.setattr(ProgressLine, "on_progress", interrupted)


def test_data_goes_to_stdout_and_talk_to_stderr(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("run", write_config(tmp_path), "--store", tmp_path / "store")
    assert done.code == 0
    assert done.out.startswith("campaign 1: small, lenet5 on npz\n60 faults x 40 images = 2,400 pairs, computed in ")
    assert done.out.splitlines()[1].endswith(" from start to end")
    titles = ("Accuracy and severities", "What faults do to answers and accuracy", "What a selection of images detects")
    assert [line for line in done.out.splitlines() if line in titles] == list(titles)
    assert done.err.startswith("campaign 1: 60 faults x 40 images = 2,400 pairs\n")
    assert done.err.splitlines()[1].startswith(
        "injected: 61,470 of 61,706 parameters (99.6 %), the weights of Conv2d and"
    )
    assert "\n100 % sealing masked" in done.err
    assert "next:\n  dear-tui protect 1" in done.err


def test_the_same_config_again_shows_the_summary(invoke: Invoke, tmp_path: Path) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    first = invoke("run", config, "--store", store)
    again = invoke("run", config, "--store", store)
    assert (again.code, again.out) == (0, first.out)
    assert again.err.startswith("campaign 1 was already finished; nothing to run\n")


def test_an_unfinished_campaign_of_this_config_that_has_changed_is_refused_until_again_is_said(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, 1)
        assert invoke("run", config, "--store", store).code == 130
    write_config(tmp_path, run={"method": "fast"})
    refused = invoke("run", config, "--store", store)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        f"dear-tui: {config}: campaign 1 of this config is unfinished and was begun with method exact (now fast); "
        "put that back to continue it, or start a new one with --again\n"
    )
    assert invoke("run", config, "--again", "--store", store).out.startswith("campaign 2: small")


def test_again_insists(invoke: Invoke, tmp_path: Path) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    first = invoke("run", config, "--store", store)
    again = invoke("run", config, "--again", "--store", store)
    assert again.code == 0
    assert (first.out[:11], again.out[:11]) == ("campaign 1:", "campaign 2:")


def test_several_configs_run_one_after_the_other(invoke: Invoke, tmp_path: Path) -> None:
    configs = [write_config(tmp_path, f"{seed}.toml", faults={"seed": seed}) for seed in (1, 2)]
    done = invoke("run", *configs, "--store", tmp_path / "store")
    assert done.code == 0
    assert done.out.index("campaign 1: ") < done.out.index("campaign 2: ")


def test_the_worker_is_to_wait_until_the_last_of_several_configs(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = [write_config(tmp_path, f"{seed}.toml", faults={"seed": seed}) for seed in (1, 2)]
    expected = list[bool]()
    monkeypatch.setattr(
        "dear_tui.cli.results.summary.print_summary", lambda store, _campaign: expected.append(store.expects_holder())
    )
    assert invoke("run", *configs, "--store", tmp_path / "store").code == 0
    assert expected == [True, False]


@pytest.mark.parametrize(
    ("times", "said"),
    [(1, " of 2,400 pairs; run it again to continue\n"), (2, "\nstopped at once; run it again to continue\n")],
    ids=["once", "twice"],
)
def test_ctrl_c_stops_and_run_continues_exactly(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished_store: Path, times: int, said: str
) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    handler = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, times)
        stopped = invoke("run", config, "--store", store)
    assert (stopped.code, stopped.out) == (130, "")
    assert "\nstopping after the faults being computed; ctrl+c again to stop at once\n" in stopped.err
    assert stopped.err.endswith(said)
    assert signal.getsignal(signal.SIGINT) == handler
    status = Store.open(store, read_only=True).campaign(1)
    assert status.state == "paused"
    assert 0 < status.pairs_done < PAIRS
    done = invoke("run", config, "--store", store)
    assert done.code == 0
    assert f"2,400 pairs, {status.pairs_done:,} done before\n" in done.err
    assert severities(store) == severities(finished_store)


def test_ctrl_c_while_it_loads_ends_it_before_the_next_step(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_step, steps = ProgressLine.on_step, []

    def interrupted(self: ProgressLine, step: Step) -> None:
        on_step(self, step)
        steps.append(step)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ProgressLine, "on_step", interrupted)
    stopped = invoke("run", write_config(tmp_path), "--store", tmp_path / "store")
    assert (stopped.code, stopped.out, len(steps)) == (130, "", 1)
    assert stopped.err.endswith("stopped at once; run it again to continue\n")
    assert not (tmp_path / "store").exists()


def test_ctrl_c_during_the_last_part_still_stops_before_the_next_config(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = [write_config(tmp_path, f"{seed}.toml", faults={"seed": seed}) for seed in (1, 2)]
    on_progress = ProgressLine.on_progress
    pressed: list[bool] = []

    def interrupted(self: ProgressLine, progress: Any) -> None:
        on_progress(self, progress)
        if progress.pairs_done == PAIRS and not pressed:  # told again while it is sealed
            pressed.append(True)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ProgressLine, "on_progress", interrupted)
    done = invoke("run", *configs, "--store", tmp_path / "store")
    assert done.code == 130
    assert "campaign 1: " in done.out
    assert [status.state for status in Store.open(tmp_path / "store", read_only=True).campaigns()] == ["finished"]


def test_demo_headless_runs_the_demos_config(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config(tmp_path)
    dataset = SMALL["dataset"] | {"path": str(tmp_path / "set.npz")}
    monkeypatch.setattr("dear_tui.cli.demo.DEMO", SMALL | {"name": DEMO["name"], "dataset": dataset})
    done = invoke("demo", "--headless", "--store", tmp_path / "store")
    assert done.code == 0
    assert done.out.startswith("campaign 1: lenet5-mnist, lenet5 on npz\n")
    assert invoke("demo", "--store", tmp_path / "store").out == done.out, "without a terminal it is headless"


def test_what_cannot_be_verified_after_a_lost_state_file_is_said(invoke: Invoke, tmp_path: Path) -> None:
    """The results are there all the same, and the measured times, which the parts have too."""
    config, store = write_config(tmp_path), tmp_path / "store"
    assert invoke("run", config, "--store", store).code == 0
    before = json.loads(invoke("show", "1", "--json", "--store", store).out)
    for path in store.glob("state.sqlite*"):
        path.unlink()
    lost = invoke("show", "1", "--store", store)
    assert (lost.code, lost.err.count("\n")) == (3, 1)
    again = invoke("run", config, "--store", store)
    assert again.code == 0
    assert "it was lost and has been rebuilt from the campaigns" in again.err
    shown = invoke("show", "1", "--store", store)
    assert shown.code == 0
    count = len(list((store / "campaigns" / "campaign=000001" / "severity").iterdir()))
    assert f"note: {count} parts cannot be verified, because their receipts were lost" in shown.err
    assert again.out in shown.out
    after = json.loads(invoke("show", "1", "--json", "--store", store).out)
    assert after["tables"]["table_one"] == before["tables"]["table_one"]
    assert (before["tables"]["unverified_parts"], after["tables"]["unverified_parts"]) == (0, count)
    assert after["tables"]["seconds"] == pytest.approx(before["tables"]["seconds"])
    assert before["tables"]["seconds"] > 0
