"""What processes that die leave of the queue."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from engine.store import Effect, Store
from engine.store.state.queue import MOST_DEATHS
from tests.engine.store.other_process import python
from tests.engine.store.stored_campaigns import PLAN, Truth, new_campaign, write
from tests.engine.store.waiting_campaigns import KILLED, states, three_waiting


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three campaigns wait in it: 1, 2, 3."""
    return three_waiting(tmp_path / "store")


@pytest.mark.parametrize(
    ("how", "asked", "after"),
    [
        ("taken", [], "queued"),
        ("by hand", [], "paused"),
        ("taken", ["pause"], "paused"),
        ("taken", ["cancel"], "cancelled"),
        ("taken", ["delete"], None),
    ],
)
def test_what_a_killed_process_ran_goes_on_unless_something_else_was_asked(
    store: Store, how: str, asked: list[str], after: str | None
) -> None:
    with python(KILLED, store.layout.root, how, *asked) as process:
        assert process.wait() == -signal.SIGKILL
    assert store.campaign(1).state == "paused", "nothing runs it"
    with store.lock("worker"):
        assert states(store).get(1) == after
        assert store.queue.waiting()[:1] == ([1] if after == "queued" else [2])


def test_a_campaign_at_which_its_process_dies_again_and_again_fails(store: Store) -> None:
    for _ in range(MOST_DEATHS):
        assert store.queue.waiting() == [1, 2, 3]
        with python(KILLED, store.layout.root, "taken") as process:
            assert process.wait() == -signal.SIGKILL
        with store.lock("worker"):
            pass
    assert (states(store)[1], store.queue.waiting()) == ("failed", [2, 3])
    assert store.campaign(1).error == (
        "its process died 3 times without a part in between, killed for its memory or crashed; see worker.log and the "
        "system's log, perhaps lower [run] memory, then `dear-tui retry 1`"
    )
    assert store.queue.request("retry", 1) is Effect.DONE
    with python(KILLED, store.layout.root, "taken") as process:  # now campaign 2
        process.wait()
    with store.lock("worker"):
        assert store.queue.waiting() == [2, 3, 1]


def test_deaths_with_a_part_in_between_do_not_add_up(store: Store) -> None:
    truth = Truth.of(replace(new_campaign(), fingerprint="first"))
    assert len(PLAN) > MOST_DEATHS
    for part in range(len(PLAN)):
        with python(KILLED, store.layout.root, "taken") as process:
            process.wait()
        with store.lock("worker"):
            assert store.queue.waiting() == [1, 2, 3]
            write(store.writer(1), truth, PLAN[part : part + 1])


def test_a_campaign_whose_process_is_dead_takes_commands_at_once(store: Store) -> None:
    with python(KILLED, store.layout.root, "taken") as process:
        process.wait()
    assert store.queue.left() == [1]
    assert store.queue.request("pause", 1) is Effect.DONE
    assert (states(store)[1], store.queue.left()) == ("paused", [])
    assert store.queue.request("pause", 1) is Effect.NOTHING
    with store.lock("worker"):
        assert store.queue.waiting() == [2, 3], "paused is paused"
    assert store.queue.request("cancel", 1) is Effect.DONE
    assert states(store)[1] == "cancelled"
    with store.lock("worker"):
        assert store.campaign(1).state == "cancelled"
