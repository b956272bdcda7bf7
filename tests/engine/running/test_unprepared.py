"""Campaigns that are queued by their config alone: prepared when it is their turn, whatever happens on the way."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engine.config.campaign_config import CampaignConfig, load_config
from engine.errors import InputError
from engine.faults.group import FaultGroup
from engine.running.execution import execute, execute_queued, prepare_new
from engine.running.preparation import prepare
from engine.running.unprepared import last_of_config, unprepared
from engine.store import Store
from engine.store.records import UNPREPARED
from engine.store.sql.sql import SqlSession
from tests.engine.running.test_execution import Listener
from tests.small_campaign import FAULTS, IMAGES, write_config

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def config(tmp_path: Path) -> CampaignConfig:
    return load_config(write_config(tmp_path))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def run_next(store: Store) -> Listener:
    """Run the first of the queue, as a worker does."""
    listener = Listener()
    with store.lock("worker"):
        campaign = store.queue.take()
        assert campaign is not None
        execute_queued(store, campaign, listener, lambda: False)
    return listener


def test_nothing_is_loaded_to_queue_one(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from dear_tui.access import commands
from engine.config.campaign_config import load_configs
commands.hand_over(Path({str(tmp_path / "store")!r}), load_configs([Path({str(write_config(tmp_path))!r})]))
assert not {{"torch", "scipy"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert Store.open(tmp_path / "store", read_only=True).campaign(1).state == "queued"


def test_it_becomes_the_campaign_that_preparing_it_first_gives(store: Store, config: CampaignConfig) -> None:
    store.queue.submit(unprepared(config))
    assert not store.campaign(1).is_prepared
    created = store.campaign(1).created
    run_next(store)
    status, expected = store.campaign(1), prepare_new(config)
    assert (status.state, status.faults, status.images, status.created) == ("finished", FAULTS, IMAGES, created)
    assert status.is_prepared
    description = store.description(1)
    assert description["fingerprint"] == expected.fingerprint
    assert description["identity"] == expected.identity
    assert store.find(expected.fingerprint) == status
    with store.lock():
        assert store.verify(1, lambda _done, _parts: None) == []


def test_before_that_it_has_no_results_and_everybody_can_say_so(store: Store, config: CampaignConfig) -> None:
    store.queue.submit(unprepared(config))
    assert len(store.curve(1).critical) == 0
    assert store.layers(1) == []
    assert store.rates(1).faults.sum() == 0
    assert store.faults(1, FaultGroup(), "critical").total == 0
    assert len(store.images(1, "rank")) == 0
    with pytest.raises(InputError, match="is queued, and no image has met all faults yet"):
        store.summary_so_far(1)
    with SqlSession(store.layout.root) as session:
        assert list(session.query("SELECT campaign, state, faults, pairs FROM campaigns")) == [(1, "queued", 0, 0)]
        assert list(session.query("SELECT * FROM faults")) == []
    with store.lock():
        assert store.verify(1, lambda _done, _parts: None) == []


def test_one_that_is_finished_already_points_to_it(store: Store, config: CampaignConfig) -> None:
    execute(prepare(config), store.layout.root, Listener(), lambda: False)
    store.queue.submit(unprepared(config))
    run_next(store)
    assert (store.campaign(2).state, store.campaign(2).error) == (
        "cancelled",
        f"it is campaign 1 ({config.name}), which is finished",
    )
    assert store.campaign(1).state == "finished"
    store.queue.submit(unprepared(config, again=True), again=True)
    run_next(store)
    assert (store.campaign(3).state, store.campaign(3).faults) == ("finished", FAULTS)


def test_one_that_stopped_goes_on_in_its_place(store: Store, config: CampaignConfig) -> None:
    execute(prepare(config), store.layout.root, Listener(), lambda: True)
    assert store.campaign(1).state == "paused"
    store.queue.submit(unprepared(config))
    run_next(store)
    assert store.campaign(2).error == f"it is campaign 1 ({config.name}), which is queued to go on and was paused"
    assert store.queue.waiting() == [1]
    run_next(store)
    assert store.campaign(1).state == "finished"


def test_the_same_config_is_queued_once_unless_asked_otherwise(store: Store, config: CampaignConfig) -> None:
    assert store.queue.submit(unprepared(config)).known_as is None
    assert store.queue.submit(unprepared(config)).known_as == "queued"
    assert store.queue.submit(unprepared(config, again=True), again=True).campaign == 2
    last = last_of_config(store, config.to_json())
    assert last is not None
    assert last.id == 2


def test_what_it_cannot_be_made_of_is_why_it_failed_and_it_can_be_tried_again(store: Store, tmp_path: Path) -> None:
    bad = load_config(write_config(tmp_path, faults={"layers": ["conv9"]}))
    store.queue.submit(unprepared(bad))
    with pytest.raises(InputError, match="'conv9' matches no layer"):
        run_next(store)
    status = store.campaign(1)
    assert status.state == "failed"
    assert "'conv9' matches no layer" in str(status.error)
    assert store.queue.go_on(1).known_as == "failed"
    assert store.queue.waiting() == [1]


class Killed(BaseException):
    """As by kill -9."""


def die(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("where", ["store.renew_campaign", "state.state.StateFile.replace_campaign"])
def test_where_the_process_dies_while_it_is_entered_the_next_one_goes_on(
    store: Store, config: CampaignConfig, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Before the new files are there, or between them and the row."""
    store.queue.submit(unprepared(config))
    with monkeypatch.context() as patch:
        patch.setattr(f"engine.store.{where}", die)
        with pytest.raises(Killed):
            run_next(store)
    assert store.state.campaign_row(1).fingerprint.startswith(UNPREPARED)
    run_next(store)
    assert (store.campaign(1).state, store.campaign(1).faults) == ("finished", FAULTS)
