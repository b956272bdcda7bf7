"""A campaign's state stands in state.sqlite and, for SQL, in campaign.json: a kill between the two is mended."""

import json
import signal
from pathlib import Path

import pytest

from engine.store import Store
from engine.store.export import export_tables
from engine.store.sql.sql import SqlSession
from tests.engine.store.other_process import python
from tests.engine.store.raw_state import change_state
from tests.engine.store.stored_campaigns import filled_store, new_campaign
from tests.engine.store.waiting_campaigns import states, three_waiting

KILLED_BETWEEN = """
import os, signal, sys
from pathlib import Path
from engine.store import Store
store = Store.open(Path(sys.argv[1]))
with store.lock():
    store.describe_state = lambda campaign: os.kill(os.getpid(), signal.SIGKILL)
    if sys.argv[2] == "sealed":
        store.writer(1).seal()
    else:
        store.set_state(1, sys.argv[2])
"""

KILLED_EARLY = """
import os, signal, sys
from pathlib import Path
from tests.engine.store.stored_campaigns import new_campaign
from engine.store import Store
store = Store.open(Path(sys.argv[1]))
if sys.argv[2] == "submitted":
    store.state.transaction = lambda: os.kill(os.getpid(), signal.SIGKILL)
    store.queue.submit(new_campaign())
with store.lock():
    store.create(new_campaign())
    os.kill(os.getpid(), signal.SIGKILL)
"""


def in_sql(path: Path) -> list[tuple[object, ...]]:
    with SqlSession(path) as session:
        return list(session.query("SELECT campaign, state FROM campaigns ORDER BY 1"))


@pytest.mark.parametrize(("what", "state"), [("sealed", "finished"), ("failed", "failed"), ("cancelled", "cancelled")])
def test_a_kill_between_the_two_places_is_mended_by_whoever_takes_the_lock(
    tmp_path: Path, what: str, state: str
) -> None:
    store, campaign, _ = filled_store(tmp_path)
    with store.lock():
        store.set_state(campaign, "running")
    store.close()
    with python(KILLED_BETWEEN, tmp_path, what) as process:
        assert process.wait() == -signal.SIGKILL
    store = Store.open(tmp_path)
    assert store.campaign(campaign).state == state
    assert in_sql(tmp_path) == [(1, state)], "also where nobody has mended campaign.json yet"
    exported = tmp_path / "exported"
    exported.mkdir()
    list(export_tables(store, campaign, "csv", exported))
    assert f",{state}," in (exported / "campaigns.csv").read_text()
    with store.lock():
        assert store.verify(campaign, lambda _done, _parts: None) == []
    assert in_sql(tmp_path) == [(1, state)]
    assert store.description(campaign)["finished"] == store.campaign(campaign).finished


def test_a_description_that_says_so_already_is_not_written_again(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path)
    before = store.layout.campaign(campaign).description.stat().st_ino
    with store.lock():
        store.describe_state(campaign)
    assert store.layout.campaign(campaign).description.stat().st_ino == before


@pytest.mark.parametrize("what", ["submitted", "run"])
@pytest.mark.parametrize("is_state_lost", [False, True])
def test_what_was_made_and_neither_queued_nor_run_is_never_run_unasked(
    tmp_path: Path, what: str, is_state_lost: bool
) -> None:
    Store.open(tmp_path).close()
    with python(KILLED_EARLY, tmp_path, what) as process:
        assert process.wait() == -signal.SIGKILL
    if is_state_lost:
        for file in tmp_path.glob("state.sqlite*"):
            file.unlink()
    store = Store.open(tmp_path)
    with store.lock("worker"):
        assert store.queue.take() is None
    assert store.queue.is_empty()
    status = store.campaign(1)
    said = "its process ended before it was queued or run; `dear-tui resume 1` queues it"
    assert (status.state, status.error) == ("paused", said)
    assert states(store) == {1: "paused"}
    store.queue.request("resume", 1)
    assert (store.campaign(1).state, store.campaign(1).error, store.queue.waiting()) == ("queued", None, [1])
    store.queue.request("delete", 1)
    assert store.campaigns() == []


def test_what_waits_in_the_queue_waits_after_the_loss_of_the_state_file(tmp_path: Path) -> None:
    three_waiting(tmp_path).close()
    for file in tmp_path.glob("state.sqlite*"):
        file.unlink()
    assert Store.open(tmp_path).queue.waiting() == [1, 2, 3]


@pytest.mark.parametrize(
    "change",
    [{"state": "gone"}, {"finished": "some day"}, {"started": 7}, {"name": "other"}, {"sha256": []}],
    ids=lambda change: next(iter(change)),
)
def test_a_description_with_a_wrong_value_is_not_believed(tmp_path: Path, change: dict[str, object]) -> None:
    """Of what is lost with state.sqlite it is the only witness."""
    store, campaign, truth = filled_store(tmp_path)
    other = store.create(new_campaign(seed=5, fingerprint="other"))
    path = store.layout.campaign(campaign).description
    store.close()
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    for file in tmp_path.glob("state.sqlite*"):
        file.unlink()
    store = Store.open(tmp_path)
    assert [status.id for status in store.campaigns()] == [other]
    assert in_sql(tmp_path) == [(other, "paused")]
    assert "run its config again, which takes up its parts" in store.notes[0]
    with store.lock():
        status = store.find_or_create(truth.new)
        assert (status.id, status.state) == (campaign, "paused")
        assert len(store.writer(campaign).done) == 4
    assert in_sql(tmp_path) == [(campaign, "paused"), (other, "paused")]


@pytest.mark.parametrize("change", ["fingerprint = 'f0O'", "name = 'smbll'", "faults = 76", "metric = 'el2m'"])
def test_verify_corrects_what_state_sqlite_says_wrong_of_what_never_changes(tmp_path: Path, change: str) -> None:
    store, campaign, truth = filled_store(tmp_path)
    with store.lock():
        store.writer(campaign).seal()
    before = store.campaign(campaign)
    change_state(store, f"UPDATE campaigns SET {change}")
    with store.lock():
        assert store.verify(campaign, lambda _done, _parts: None) == [
            f"{store.layout.state}: said something else of campaign 1 than its campaign.json; corrected"
        ]
        assert store.verify(campaign, lambda _done, _parts: None) == []
    assert store.campaign(campaign) == before
    assert store.find(truth.new.fingerprint) == before
