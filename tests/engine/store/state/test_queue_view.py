"""What a screen is told of the queue."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from engine.store import Activity, QueueView, Store
from engine.store.state.heartbeat import write_heartbeat
from tests.engine.store.raw_state import change_state
from tests.engine.store.stored_campaigns import new_campaign


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Campaigns 1 and 2 wait."""
    opened = Store.open(tmp_path / "store")
    for name in ("first", "second"):
        opened.queue.submit(replace(new_campaign(), fingerprint=name, name=name))
    return opened


def test_a_store_that_is_not_there_has_an_empty_queue(tmp_path: Path) -> None:
    assert Store.open(tmp_path / "nowhere", read_only=True).queue_view() == QueueView()


def test_it_tells_what_waits_what_is_asked_and_who_works(store: Store) -> None:
    reader = Store.open(store.layout.root, read_only=True)
    view = reader.queue_view()
    assert (view.waiting, dict(view.asked), view.left, view.holder) == ((1, 2), {}, (), None)
    with store.be_worker(), store.lock("worker"):
        store.queue.take()
        write_heartbeat(store.state, Activity(campaign=1, device="cpu"))
        store.queue.request("pause", 1)
        store.queue.request("cancel", 1)
        store.queue.stop_worker()
        view = reader.queue_view()
        assert (view.waiting, dict(view.asked), view.left, view.stops) == ((2,), {1: "cancel"}, (), 1)
        assert view.holder is not None
        assert (view.holder.pid, view.worker.campaign, view.worker.is_late) == (os.getpid(), 1, False)
    assert reader.queue_view().left == (1,), "a worker that ended without settling it left it"


def test_a_worker_that_waits_is_there_too(store: Store) -> None:
    with store.be_worker(), store.lock():
        store.queue.stop_worker()
        view = store.queue_view()
        assert view.holder is not None
        assert (view.holder.role, view.worker.running, view.worker.waits_for) == ("foreground", True, os.getpid())
        assert view.stops == 1


def test_a_campaign_of_the_foreground_is_not_left_to_the_queue(store: Store) -> None:
    campaign = store.create(replace(new_campaign(), fingerprint="third"))
    with store.lock("foreground"):
        store.set_state(campaign, "running")
    assert store.queue_view().left == ()


def test_a_silent_worker_is_late(store: Store) -> None:
    with store.be_worker(), store.lock("worker"):
        write_heartbeat(store.state, Activity())
        assert not store.worker().is_late
        change_state(store, "UPDATE worker SET clock = clock - 6")
        assert store.worker().is_late
