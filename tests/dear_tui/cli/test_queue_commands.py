"""`dear-tui submit`, `pause`, `resume`, `cancel`, `retry`, `move`, `delete` and `worker`, as a person sees them."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from dear_tui.cli import main
from engine.store import Store
from engine.store.state.heartbeat import Activity, write_heartbeat
from tests.dear_tui.worker.conftest import DEADLINE, submit, until
from tests.engine.store.raw_state import change_state
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")

NO_WORKER = "no worker runs; dear-tui worker start runs the queue\n"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def three_configs(folder: Path) -> list[Path]:
    return [write_config(folder, f"{seed}.toml", faults={"seed": seed}) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:  # noqa: ARG001
    """What every `queued` begins as, beside its configs; not to be written to."""
    folder = tmp_path_factory.mktemp("waiting")
    submit(folder / "store", *three_configs(folder)).close()
    return folder


@pytest.fixture
def queued(tmp_path: Path, waiting: Path) -> Path:
    """A store in which campaigns 1, 2 and 3 wait."""
    shutil.copytree(waiting, tmp_path, dirs_exist_ok=True)
    return tmp_path / "store"


def states(store: Path) -> dict[int, str]:
    return {status.id: status.state for status in Store.open(store, read_only=True).campaigns()}


def test_submitted_without_a_worker_they_wait_in_order(invoke: Invoke, tmp_path: Path, store: Path) -> None:
    done = invoke("submit", *three_configs(tmp_path), "--no-start", "--store", store)
    assert (done.code, done.out) == (0, "1\n2\n3\n")
    assert done.err == "campaign 1 is queued\ncampaign 2 is queued\ncampaign 3 is queued\n" + NO_WORKER
    assert Store.open(store, read_only=True).queue.waiting() == [1, 2, 3]


def test_submitted_it_is_run_by_a_worker_that_waits_for_more(
    invoke: Invoke, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    config = write_config(tmp_path)
    done = invoke("submit", config, "--store", store)
    reader = Store.open(store, read_only=True)
    assert (done.code, done.out) == (0, "1\n")
    pid = reader.worker().pid
    assert done.err == f"campaign 1 is queued\nthe worker, process {pid}, runs the queue; dear-tui shows it\n"
    until(lambda: reader.campaign(1).state == "finished", "the campaign's end")
    again = invoke("submit", config, "--try-out", "--store", store)
    assert (again.code, again.out) == (0, "1\n")
    assert again.err == "campaign 1 was already finished; nothing to run\n"
    again = invoke("submit", config, "--store", store)
    assert (again.code, again.out) == (0, "2\n")
    assert again.err.startswith("note: campaign 1 of this config is finished; unless something has changed")
    until(lambda: reader.campaign(2).state == "cancelled", "the worker's finding")
    assert reader.campaign(2).error == f"it is campaign 1 ({reader.campaign(1).name}), which is finished"
    assert reader.worker().running, "it lingers for seconds; that it ends then, a worker's own tests see"
    assert invoke("worker", "stop", "--store", store).code == 0
    until(lambda: not reader.worker().running, "the worker's end")
    log = store / "worker.log"  # the last line comes after the worker's lock is free, for whoever else may want it
    until(lambda: log.read_text().rstrip().endswith("worker ended"), "the last line of the log")


def test_submitted_with_something_else_an_unfinished_campaign_is_refused_until_again_is_said(
    invoke: Invoke, tmp_path: Path, store: Path
) -> None:
    config = write_config(tmp_path)
    assert invoke("submit", config, "--try-out", "--no-start", "--store", store).out == "1\n"
    write_config(tmp_path, run={"method": "fast"})
    other = write_config(tmp_path, "other.toml", faults={"seed": 9})
    refused = invoke("submit", other, config, "--try-out", "--no-start", "--store", store)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        f"dear-tui: {config}: campaign 1 of this config is unfinished and was begun with method exact (now fast); "
        "put that back to continue it, or start a new one with --again\n"
    )
    assert states(store) == {1: "queued"}, "nothing was queued"
    again = invoke("submit", config, "--again", "--no-start", "--store", store)
    assert (again.code, again.out, again.err) == (0, "2\n", f"campaign 2 is queued\n{NO_WORKER}")
    assert Store.open(store, read_only=True).queue.waiting() == [1, 2]


def test_submitted_with_something_else_a_finished_campaign_stays(invoke: Invoke, tmp_path: Path, store: Path) -> None:
    config = write_config(tmp_path)
    assert invoke("run", config, "--store", store).code == 0
    write_config(tmp_path, run={"method": "fast"})
    done = invoke("submit", config, "--try-out", "--no-start", "--store", store)
    assert (done.code, done.out) == (0, "2\n")
    assert done.err == (
        "note: campaign 1 of this config is finished, but with method exact (now fast); this is a new campaign\n"
        f"campaign 2 is queued\n{NO_WORKER}"
    )
    assert states(store) == {2: "queued", 1: "finished"}


def test_asked_to_submit_tries_all_configs_before_it_queues_any(invoke: Invoke, tmp_path: Path, store: Path) -> None:
    good = write_config(tmp_path, "good.toml")
    bad = write_config(tmp_path, "bad.toml", faults={"layers": ["conv9"]})
    done = invoke("submit", good, bad, "--try-out", "--store", store)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"dear-tui: {bad}: [faults] layers: 'conv9' matches no layer")
    assert done.err.count("\n") == 1
    assert not store.exists()


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (None, "campaign 2 is queued already\n"),
        ("pause", "campaign 2 was paused; it is queued to go on\n"),
        ("cancel", "campaign 2 was cancelled; it is queued to go on\n"),
    ],
)
def test_submit_finds_what_it_knows(
    invoke: Invoke, tmp_path: Path, queued: Path, action: str | None, said: str
) -> None:
    if action:
        assert invoke(action, "2", "--store", queued).code == 0
    done = invoke("submit", tmp_path / "2.toml", "--try-out", "--no-start", "--store", queued)
    assert (done.code, done.out, done.err) == (0, "2\n", said + NO_WORKER)
    assert states(queued) == {1: "queued", 2: "queued", 3: "queued"}


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (None, "campaign 1 is queued already\n"),
        ("pause", "campaign 1 was paused; it is queued to go on\n"),
        ("cancel", "campaign 1 was cancelled; it is queued to go on\n"),
    ],
)
def test_submit_knows_the_very_same_config_without_loading_anything(
    invoke: Invoke, tmp_path: Path, store: Path, action: str | None, said: str
) -> None:
    config = write_config(tmp_path)
    invoke("submit", config, "--no-start", "--store", store)
    if action:
        assert invoke(action, "1", "--store", store).code == 0
    done = invoke("submit", config, "--no-start", "--store", store)
    assert (done.code, done.out, done.err) == (0, "1\n", said + NO_WORKER)
    assert states(store) == {1: "queued"}


def test_submit_behind_a_run_in_the_foreground_says_what_comes_next(
    invoke: Invoke, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    opened = Store.open(store)
    with opened.lock():
        done = invoke("submit", write_config(tmp_path), "--store", store)
        pid = opened.worker().pid
        shown = invoke("worker", "status", "--store", store).out.splitlines()
        listed = invoke("list", "--store", store)
        assert opened.worker().waits_for == os.getpid()
        assert opened.campaign(1).state == "queued"
        opened.queue.stop_worker()
        until(lambda: not opened.worker().running, "its end, without its turn")
    assert (done.code, done.out) == (0, "1\n")
    first = f"the run in the foreground, process {os.getpid()}"
    assert done.err == (
        f"campaign 1 is queued\nthe worker, process {pid}, runs the queue when {first}, has ended; dear-tui shows it\n"
    )
    assert shown[:2] == [f"worker    process {pid}", f"waits for {first}"]
    assert listed.err == f"the worker waits for {first}\n"


def test_run_behind_a_worker_names_it_and_submit(invoke: Invoke, tmp_path: Path, store: Path) -> None:
    with Store.open(store).lock("worker"):
        done = invoke("run", write_config(tmp_path), "--store", store)
    assert (done.code, done.out) == (3, "")
    assert done.err == (
        f"dear-tui: {store}: process {os.getpid()} is at work in this store as its worker; queue a campaign behind it "
        "with `dear-tui submit`, or stop it with `dear-tui worker stop`\n"
    )
    assert states(store) == {}


def test_each_command_says_what_it_did(invoke: Invoke, queued: Path) -> None:
    def said(*arguments: str) -> str:
        done = invoke(*arguments, "--store", queued)
        assert (done.code, done.out) == (0, "")
        return done.err

    assert said("pause", "1") == "campaign 1 is paused\n"
    assert said("pause", "1") == "campaign 1 is paused already\n"
    assert said("resume", "1", "--no-start") == "campaign 1 is queued\n" + NO_WORKER
    assert said("cancel", "2") == "campaign 2 is cancelled\n"
    assert said("retry", "2", "--no-start") == "campaign 2 is queued\n" + NO_WORKER
    assert said("move", "2", "1") == "campaign 2 is number 1 in the queue\n"
    assert said("rename", "2", "small") == "campaign 2 is small now\n"
    assert said("note", "2", "to be run at night") == "campaign 2 has this note now\n"
    assert said("note", "2", "") == "campaign 2 has no note any more\n"
    assert said("move", "2", "99") == "campaign 2 is number 3 in the queue\n"
    listed = invoke("list", "--store", queued)
    rows = [line.split()[:4] for line in listed.out.splitlines()[1:]]
    assert rows == [["3", "small", "queued", "2"], ["2", "small", "queued", "3"], ["1", "small", "queued", "1"]]
    assert listed.err == NO_WORKER
    assert said("delete", "2", "--yes") == "campaign 2 is deleted\n"
    assert states(queued) == {1: "queued", 3: "queued"}


def test_a_command_for_several_tries_each(invoke: Invoke, queued: Path) -> None:
    done = invoke("pause", "1", "9", "2", "1", "--store", queued)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "campaign 1 is paused\n"
        f"dear-tui: {queued}: there is no campaign 9; `dear-tui list` shows which there are\n"
        "campaign 2 is paused\n"
    )
    assert states(queued) == {1: "paused", 2: "paused", 3: "queued"}
    resumed = invoke("resume", "1", "2", "--no-start", "--store", queued)
    assert (resumed.code, resumed.err) == (0, f"campaign 1 is queued\n{NO_WORKER}campaign 2 is queued\n")
    assert invoke("cancel", "1", "2", "--store", queued).code == 0
    assert invoke("delete", "1", "2", "--yes", "--store", queued).code == 0
    assert states(queued) == {3: "queued"}


def test_the_shell_completes_campaigns(
    queued: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def completed(words: str) -> list[str]:
        monkeypatch.setenv("_DEAR_TUI_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
        with pytest.raises(SystemExit):
            main([])
        return capsys.readouterr().out.split()

    assert completed(f"dear-tui pause --store {queued} ") == ["3", "2", "1"]
    assert completed(f"dear-tui pause --store {queued} 2") == ["2"]
    assert completed(f"dear-tui pause --store {queued}/nowhere ") == []
    assert completed("dear-tui pau") == ["pause"]
    monkeypatch.delenv("_DEAR_TUI_COMPLETE")
    monkeypatch.setattr("typer.completion._get_shell_name", lambda: "bash")
    with pytest.raises(SystemExit):
        main(["--show-completion"])
    assert "_DEAR_TUI_COMPLETE=complete_bash" in capsys.readouterr().out


def test_list_says_what_a_dead_worker_left_behind(invoke: Invoke, queued: Path) -> None:
    with Store.open(queued).lock("worker"):
        Store.open(queued).queue.take()
    listed = invoke("list", "--store", queued)
    assert listed.err == (
        "campaign 1: its worker ended at work; the next one goes on with it\n"
        "no worker runs; dear-tui worker start runs the queue\n"
    )


def test_list_says_why_a_campaign_failed_or_waits(invoke: Invoke, queued: Path) -> None:
    store = Store.open(queued)
    with store.be_worker(), store.lock("worker"):
        store.queue.take()
        store.state.set_error(1, "the disk is full")
        store.set_state(2, "failed", "no memory")
        listed = invoke("list", "--store", queued)
    assert listed.code == 0
    assert [line.split()[2] for line in listed.out.splitlines()[1:]] == ["queued", "failed", "paused"]
    assert listed.err == "campaign 2: no memory\ncampaign 1: the disk is full\n"


def test_a_running_campaign_is_told_for_the_edge_of_its_part(invoke: Invoke, queued: Path) -> None:
    store = Store.open(queued)
    with store.be_worker(), store.lock("worker"):
        assert store.queue.take() == 1
        for action, state in (("pause", "paused"), ("cancel", "cancelled"), ("delete", "deleted")):
            done = invoke(action, "1", *(["--yes"] if action == "delete" else []), "--store", queued)
            assert (done.code, done.out) == (0, "")
            assert done.err == f"campaign 1 is running; it is {state} after the part being computed\n"
        done = invoke("move", "1", "2", "--store", queued)
        assert done.code == 2
        assert done.err == "dear-tui: campaign 1 is running; only one that is queued can be moved\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["pause", "9"], 2, "there is no campaign 9; `dear-tui list` shows which there are"),
        (["retry", "1"], 2, None),
        (["move", "1", "0"], 2, None),
        (["delete", "1"], 2, "campaign 1, small, queued, 0 pairs: there is no terminal to ask on whether to delete it "
         "for good; add --yes"),
        (["worker", "stop"], 3, "no worker runs in this store"),
        (["worker"], 2, "Missing command (see dear-tui worker --help)"),
    ],
)  # fmt: skip
def test_what_is_refused_is_refused_in_a_sentence(
    invoke: Invoke, queued: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str | None
) -> None:
    monkeypatch.setenv("DEAR_STORE", str(queued))
    if arguments[0] == "retry":
        invoke("pause", "1")
    done = invoke(*arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err.count("\n") == 1
    assert (said or "") in done.err
    assert states(queued).keys() == {1, 2, 3}


@pytest.mark.parametrize(
    "arguments",
    [["pause", "1"], ["move", "1", "1"], ["delete", "1", "--yes"], ["worker", "stop"], ["worker", "status"]],
)
def test_a_store_that_is_not_there_is_not_made_by_asking(invoke: Invoke, store: Path, arguments: list[str]) -> None:
    invoke(*arguments, "--store", store)
    assert not store.exists()


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, {2, 3}), ("n", 1, {1, 2, 3}), ("", 1, {1, 2, 3})])
def test_delete_asks_on_a_terminal(queued: Path, answer: str, code: int, left: set[int]) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "import sys; from dear_tui.cli import main; sys.exit(main())"]
    process = subprocess.Popen(
        [*command, "delete", "1", "--store", str(queued)], stdin=theirs, stderr=subprocess.PIPE, text=True
    )
    os.write(ours, f"{answer}\n".encode())
    _, said = process.communicate(timeout=DEADLINE)
    assert process.returncode == code
    assert said.startswith("delete campaign 1, small, queued, 0 pairs, for good? [y/N] ")
    assert states(queued).keys() == left
    os.close(ours)
    os.close(theirs)


def test_worker_status_without_one(invoke: Invoke, queued: Path) -> None:
    done = invoke("worker", "status", "--store", queued)
    assert (done.code, done.out) == (0, "worker    does not run\n")
    assert done.err == "3 queued; dear-tui worker start runs the queue\n"
    fields = ("running", "pid", "device", "campaign", "block", "rate", "heartbeat", "waits_for", "step")
    nothing = dict.fromkeys(fields) | {"running": False}
    assert json.loads(invoke("worker", "status", "--json", "--store", queued).out) == nothing
    refused = invoke("worker", "start", "--json", "--foreground", "--store", queued)
    assert (refused.code, refused.out) == (2, "")


def test_worker_status_of_one_at_work(invoke: Invoke, queued: Path) -> None:
    store = Store.open(queued)
    with store.be_worker(), store.lock("worker"):
        write_heartbeat(store.state, Activity(campaign=1, device="cpu", block=(16, 48), rate=1234.5))
        shown = invoke("worker", "status", "--store", queued)
        found = json.loads(invoke("worker", "status", "--json", "--store", queued).out)
        stopped = json.loads(invoke("worker", "stop", "--json", "--store", queued).out)
        assert stopped == found
        late = "UPDATE worker SET clock = clock - 7230"  # half a minute more, so that a slow machine says the same
        change_state(store, late)
        silent = invoke("worker", "status", "--store", queued)
    heartbeat = found.pop("heartbeat")
    assert found == {
        "running": True,
        "pid": os.getpid(),
        "device": "cpu",
        "campaign": 1,
        "block": [16, 48],
        "rate": 1234.5,
        "waits_for": None,
        "step": None,
    }
    assert shown.out.splitlines() == [
        f"worker    process {os.getpid()}",
        "campaign  1",
        "device    cpu",
        "block     images 17 to 48 in rank order",
        "rate      1.23k/s",
        f"heartbeat {heartbeat}",
    ]
    assert silent.out.splitlines()[-1] == f"heartbeat {heartbeat}, 2h 00m ago: it does not answer"


def test_a_worker_is_started_and_stopped(
    invoke: Invoke, store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    started = invoke("worker", "start", "--store", store)
    reader = Store.open(store, read_only=True)
    pid = reader.worker().pid
    assert (started.code, started.out) == (0, "")
    assert started.err == f"the worker is process {pid}; its log is {store}/worker.log\n"
    twice = invoke("worker", "start", "--store", store)
    assert (twice.code, twice.out, twice.err.count("\n")) == (3, "", 1)
    assert f"process {pid} is at work in this store as its worker" in twice.err
    foreground = invoke("worker", "start", "--foreground", "--store", store)
    assert (foreground.code, foreground.err) == (3, twice.err)
    taken = invoke("submit", write_config(tmp_path), "--store", store)
    assert taken.err == f"campaign 1 is queued\nthe worker, process {pid}, runs the queue; dear-tui shows it\n"
    until(lambda: reader.campaign(1).state == "finished", "the campaign's end")
    stopped = invoke("worker", "stop", "--store", store)
    assert (stopped.code, stopped.out) == (0, "")
    assert stopped.err == (
        f"the worker, process {pid}, stops after the part being computed; dear-tui worker stop again stops it at once\n"
    )
    until(lambda: not reader.worker().running, "the worker's end")


def test_a_paused_run_in_the_foreground_says_so(
    invoke: Invoke, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dear_tui.cli.run import ProgressLine

    on_progress = ProgressLine.on_progress

    def paused(self: ProgressLine, progress: object) -> None:
        on_progress(self, progress)  # type: ignore[arg-type]
        Store.open(store).queue.request("pause", 1)

    monkeypatch.setattr(ProgressLine, "on_progress", paused)
    done = invoke("run", write_config(tmp_path), "--store", store)
    assert (done.code, done.out) == (130, "")
    assert done.err.splitlines()[-1].startswith("paused at ")
    assert states(store) == {1: "paused"}
