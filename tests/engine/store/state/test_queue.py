"""The queue: its order, and what is asked of campaigns."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import InputError
from engine.store import Effect, Store
from engine.store.records import State
from engine.store.state.commands import Action
from tests.engine.store.other_process import python
from tests.engine.store.stored_campaigns import PLAN, Truth, new_campaign, write
from tests.engine.store.waiting_campaigns import states, three_waiting


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three campaigns wait in it: 1, 2, 3."""
    return three_waiting(tmp_path / "store")


def test_it_is_in_the_order_of_submission_and_taken_from_the_front(store: Store) -> None:
    assert store.queue.waiting() == [1, 2, 3]
    with store.lock("worker"):
        assert [store.queue.take(), store.queue.take()] == [1, 2]
        assert states(store) == {1: "running", 2: "running", 3: "queued"}
        assert [store.queue.take(), store.queue.take()] == [3, None]


def test_submitting_what_is_known_queues_it_again_or_leaves_it(store: Store) -> None:
    new, queue = replace(new_campaign(), fingerprint="first"), store.queue
    assert (queue.submit(new).campaign, queue.submit(new).known_as) == (1, "queued")
    assert queue.waiting() == [1, 2, 3], "its place is kept"
    orders: tuple[tuple[Action, State, list[int]], ...] = (
        ("pause", "paused", [1, 2, 3]),  # it has its place again
        ("cancel", "cancelled", [2, 3, 1]),
    )
    for action, state, waiting in orders:
        queue.request(action, 1)
        assert queue.waiting() == [2, 3]
        assert queue.submit(new).known_as == state
        assert queue.waiting() == waiting
        queue.move(1, 1)
    with store.lock("worker"):
        queue.take()
        assert queue.submit(new).known_as == "running"
        writer = store.writer(1)
        write(writer, Truth.of(new), PLAN)
        writer.seal()
        assert queue.settle(1, "finished")
    assert queue.submit(new).known_as == "finished"
    assert states(store) == {1: "finished", 2: "queued", 3: "queued"}


def test_processes_that_submit_the_same_at_once_make_one_campaign(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from tests.engine.store.stored_campaigns import new_campaign
from engine.store import Store
queue = Store.open(Path(sys.argv[1])).queue
print("ready", flush=True)
sys.stdin.read()
print(queue.submit(new_campaign()).campaign)
"""
    processes = [python(code, tmp_path) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    assert [process.communicate() for process in processes] == [("1\n", "")] * 4
    assert Store.open(tmp_path, read_only=True).queue.waiting() == [1]


@pytest.mark.parametrize(
    ("campaign", "position", "order"),
    [(3, 1, [3, 1, 2]), (1, 3, [2, 3, 1]), (1, 99, [2, 3, 1]), (2, 2, [1, 2, 3])],
)
def test_move(store: Store, campaign: int, position: int, order: list[int]) -> None:
    assert store.queue.move(campaign, position) == min(position, 3)
    assert store.queue.waiting() == order


def test_only_what_is_queued_moves(store: Store) -> None:
    store.queue.request("pause", 2)
    with pytest.raises(InputError, match="campaign 2 is paused; only one that is queued can be moved"):
        store.queue.move(2, 1)
    with pytest.raises(InputError, match="there is no campaign 7"):
        store.queue.move(7, 1)


def test_each_action_where_nothing_runs(store: Store) -> None:
    queue, effects = store.queue, []
    for action in ("resume", "pause", "pause", "resume", "resume", "cancel", "cancel", "retry", "retry"):
        effects.append((action, queue.request(action, 2), store.campaign(2).state))
    assert effects == [
        ("resume", Effect.NOTHING, "queued"),
        ("pause", Effect.DONE, "paused"),
        ("pause", Effect.NOTHING, "paused"),
        ("resume", Effect.DONE, "queued"),
        ("resume", Effect.NOTHING, "queued"),
        ("cancel", Effect.DONE, "cancelled"),
        ("cancel", Effect.NOTHING, "cancelled"),
        ("retry", Effect.DONE, "queued"),
        ("retry", Effect.NOTHING, "queued"),
    ]
    assert queue.waiting() == [1, 3, 2]
    assert states(store) == {1: "queued", 2: "queued", 3: "queued"}


@pytest.mark.parametrize(
    ("state", "action", "said"),
    [
        ("finished", "pause", "only one that is queued or running can be paused, this one takes: delete"),
        ("finished", "cancel", "only one that is queued or paused or failed or running can be cancelled"),
        (
            "paused",
            "retry",
            "only one that is failed or cancelled can be run again, this one takes: delete, cancel, re",
        ),
        ("failed", "resume", "only one that is paused can be resumed, this one takes: delete, cancel, retry"),
        ("running", "retry", "only one that is failed or cancelled can be run again, this one takes: pause, cancel"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_does(store: Store, state: State, action: Action, said: str) -> None:
    with store.lock("worker"):
        store.set_state(2, state)
        with pytest.raises(InputError, match=f"campaign 2 is {state}; {said}"):
            store.queue.request(action, 2)
        assert store.campaign(2).state == state


def test_an_unknown_campaign_is_named(store: Store) -> None:
    with pytest.raises(InputError, match="there is no campaign 7"):
        store.queue.request("pause", 7)


@pytest.mark.parametrize(("action", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_a_running_campaign_is_told_and_settles_as_it_was_told(store: Store, action: Action, state: str) -> None:
    with store.lock("worker"):
        assert store.queue.take() == 1
        assert store.queue.request(action, 1) is Effect.ORDERED
        assert (store.queue.order(1), store.queue.order(2)) == (action, None)
        assert store.campaign(1).state == "running"
        assert store.queue.settle(1, "queued")
        assert states(store)[1] == state
        assert store.queue.order(1) is None


def test_the_strongest_of_several_commands_wins_and_a_pause_can_be_taken_back(store: Store) -> None:
    with store.lock("worker"):
        store.queue.take()
        store.queue.request("pause", 1)
        assert store.queue.request("resume", 1) is Effect.DONE
        assert store.queue.order(1) is None
        assert store.queue.request("resume", 1) is Effect.NOTHING
        for action in ("pause", "cancel", "delete", "pause"):
            store.queue.request(action, 1)
        assert store.queue.order(1) == "delete"


def test_what_finished_before_it_was_told_stays_finished(store: Store) -> None:
    with store.lock("worker"):
        store.queue.take()
        store.queue.request("cancel", 1)
        writer = store.writer(1)
        write(writer, Truth.of(new_campaign()), PLAN)
        writer.seal()
        store.queue.settle(1, "finished")
        assert store.campaign(1).state == "finished"
        assert store.state.sealed_sha256(1) is not None
        assert store.queue.order(1) is None


def test_a_deleted_campaign_is_gone_and_its_id_is_never_used_again(store: Store) -> None:
    reader = Store.open(store.layout.root, read_only=True)
    assert store.queue.request("delete", 3) is Effect.DONE
    assert [status.id for status in reader.campaigns()] == [2, 1]
    assert not store.layout.campaign(3).folder.exists()
    assert store.queue.submit(replace(new_campaign(), fingerprint="third")).campaign == 4
    assert not list(store.layout.root.rglob("*.tmp"))


def test_a_campaign_whose_folder_was_removed_can_still_be_deleted(store: Store) -> None:
    folder = store.layout.campaign(2).folder
    folder.rename(folder.parent.parent / "elsewhere")
    assert store.queue.request("delete", 2) is Effect.DONE
    assert store.queue.waiting() == [1, 3]


def test_a_running_campaign_is_deleted_when_it_settles(store: Store) -> None:
    with store.lock("worker"):
        store.queue.take()
        assert store.queue.request("delete", 1) is Effect.ORDERED
        assert store.layout.campaign(1).folder.exists()
        assert not store.queue.settle(1, "queued")
    assert states(store) == {2: "queued", 3: "queued"}
    assert not store.layout.campaign(1).folder.exists()


def test_a_stopped_campaign_is_the_first_again(store: Store) -> None:
    with store.lock("worker"):
        store.queue.take()
        store.queue.move(3, 1)
        store.queue.settle(1, "queued")
        assert store.queue.waiting() == [1, 3, 2]
        assert store.queue.take() == 1
        store.queue.settle(1, "failed", "no memory")
        assert (store.campaign(1).state, store.campaign(1).error) == ("failed", "no memory")


def test_what_must_hold_of_a_new_campaign_is_checked_where_nobody_else_can_write_one(store: Store) -> None:
    def refuse() -> None:
        raise InputError("another one of this config is unfinished")

    assert store.queue.submit(replace(new_campaign(), fingerprint="first"), check=refuse).campaign == 1
    with pytest.raises(InputError, match="another one of this config"):
        store.queue.submit(replace(new_campaign(), fingerprint="new"), check=refuse)
    assert (store.queue.waiting(), store.layout.campaign_ids()) == ([1, 2, 3], [1, 2, 3])


def test_a_campaign_that_waits_for_room_is_shown_paused_and_obeys(store: Store) -> None:
    with store.lock("worker"):
        store.queue.take()
        store.state.set_error(1, "the disk is full")
        assert (store.campaign(1).state, store.campaign(1).error) == ("paused", "the disk is full")
        assert store.queue.request("cancel", 1) is Effect.ORDERED
        assert store.queue.order(1) == "cancel"


def test_the_queue_is_kept_without_its_state_file(store: Store) -> None:
    """In the order of submission: only `move` is lost."""
    store.queue.request("pause", 2)
    store.queue.move(3, 1)
    store.close()
    for path in store.layout.root.glob("state.sqlite*"):
        path.unlink()
    rebuilt = Store.open(store.layout.root)
    assert rebuilt.queue.waiting() == [1, 3]
    assert rebuilt.queue.submit(replace(new_campaign(), fingerprint="fourth")).campaign == 4
    assert rebuilt.queue.waiting() == [1, 3, 4]
    assert json.loads(rebuilt.layout.campaign(2).description.read_text())["state"] == "paused"


def test_a_paused_campaign_that_is_run_in_the_foreground_is_not_from_the_queue_any_more(store: Store) -> None:
    store.queue.request("pause", 2)
    with store.lock("foreground"):
        store.set_state(2, "running")
    assert store.queue.left() == []
    with store.lock("worker"):
        store.queue.recover()
    assert (states(store)[2], store.queue.waiting()) == ("paused", [1, 3])
