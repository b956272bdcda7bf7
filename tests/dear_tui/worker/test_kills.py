"""kill -9 of the worker at random moments: nothing that was acknowledged is lost, and the end is the same."""

from __future__ import annotations

import random
import signal
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from engine.config.campaign_config import load_config
from engine.running.execution import execute, execute_queued
from engine.running.preparation import prepare
from engine.store import Store
from engine.store.files import sha256
from tests.dear_tui.forked import Forked
from tests.dear_tui.worker.conftest import DEADLINE, submit
from tests.small_campaign import FAULTS, write_config, write_images

if TYPE_CHECKING:
    from pathlib import Path

    from engine.store import CampaignStatus, Receipt

IMAGES, FEW = 160, 80
"""in blocks of 4 to 16, whatever this machine needs for equal bits: 10 to 40 parts a campaign, or half as many"""
WAITING = 4
"""campaigns that wait when a worker starts: more than it can finish before it is killed"""

DOOMED = """
import os, signal, sys, threading
from fnmatch import fnmatch
from pathlib import Path
from dear_tui.worker.loop import Worker

store, awaited, name, times, delay = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
left = iter(range(times))

def dies(event, arguments):
    if event == awaited and fnmatch(str(arguments[0]), f"{store}/{name}") and next(left, None) is None:
        threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()

sys.addaudithook(dies)
Worker(Path(store), until_empty=False).run(lambda: None)
"""
"""A worker that is killed so many seconds after it did something to such a file so many times and then once more."""


@dataclass(frozen=True)
class Place:
    """Where a kill is to hit: what is done to which file, the most times before it, the most seconds after it."""

    event: str
    file: str
    times: int
    seconds: float


PLACES = {
    "block": Place("os.rename", "*/severity/part-*.tmp", 15, 0.05),
    "part": Place("os.remove", "*.parquet.tmp", 80, 0.002),
    "rename": Place("os.rename", "*.parquet.tmp", 80, 0.001),
    "SQLite": Place("open", "*/severity", 15, 0.002),
    "seal": Place("os.remove", "*/campaign.duckdb.tmp", 2, 0.2),
    "any": Place("open", "worker.lock", 1, 2.0),
}
"""A block is computed while the part before it is made known; once the folder of severities is synced, the receipt
follows."""


class Silent:
    """Listens to nothing."""

    def on_campaign(self, status: CampaignStatus) -> None: ...

    def on_step(self, step: object) -> None: ...

    def on_progress(self, progress: object) -> None: ...

    def on_note(self, note: str) -> None: ...


class Victim:
    """A store whose workers are killed, and what had been acknowledged when they were."""

    def __init__(self, folder: Path, seed: int, images: int) -> None:
        self._folder = folder
        self._random = random.Random(seed)
        self._submitted = 0
        self._acknowledged: dict[tuple[int, int], Receipt] = {}
        self.path = folder / "store"
        self.left_behind: Counter[str] = Counter()
        """by how many kills"""
        self._images = images
        write_images(folder / "set.npz", images)

    def kill(self, place: Place) -> None:
        """Start a worker on a full queue and kill it there; check what it leaves."""
        while len(submit(self.path).queue.waiting()) < WAITING:
            submit(self.path, self._config(self._submitted))
            self._submitted += 1
        moment = str(self._random.randrange(place.times)), str(self._random.uniform(0, place.seconds))
        doomed = Forked(self._folder, DOOMED, self.path, place.event, place.file, *moment)
        assert doomed.wait(DEADLINE) == -signal.SIGKILL, doomed.err.read_text()
        self.left_behind.update(self._found())
        self.check()

    def _found(self) -> set[str]:
        """What the kill left that was not whole."""
        store = Store.open(self.path, read_only=True)
        committed = {(status.id, receipt.part) for status in store.campaigns()
                     for receipt in store.state.receipts(status.id)}  # fmt: skip
        parts = {(campaign, part) for campaign in store.layout.campaign_ids()
                 for part in store.layout.campaign(campaign).parts("severity")}  # fmt: skip
        found = {
            "half a seal": list(self.path.rglob("campaign.duckdb.tmp*")),
            "half a part": list(self.path.rglob("*.parquet.tmp")),
            "a part without its receipt": parts - committed,
            "a state not in campaign.json": list(self.path.rglob("campaign.json.tmp")),
        }
        return {what for what, paths in found.items() if paths}

    def check(self) -> None:
        """Every part that was acknowledged is there as it was, and no row twice."""
        store = Store.open(self.path, read_only=True)
        now = {(status.id, receipt.part): receipt for status in store.campaigns()
               for receipt in store.state.receipts(status.id)}  # fmt: skip
        for (campaign, part), receipt in now.items():
            for table, expected in receipt.sha256.items():
                assert sha256(store.layout.campaign(campaign).part(table, part)) == expected
        for key, receipt in self._acknowledged.items():
            assert now[key] == receipt
        for campaign in {campaign for campaign, _ in now}:
            spans = [receipt.span for (one, _), receipt in now.items() if one == campaign]
            assert not any(first.overlaps(second) for first in spans for second in spans if first is not second)
        with duckdb.connect(str(store.layout.catalogue), read_only=True) as client:
            rows = client.sql(
                "SELECT count(*), count(DISTINCT (campaign, fault_id, image_id)) FROM severity"
            ).fetchall()
        assert rows[0][0] == rows[0][1] >= sum(receipt.span.pairs for receipt in now.values())
        self._acknowledged = now
        store.close()

    def finish(self) -> None:
        """Run what is left, undisturbed, and check that all is as if nothing had happened."""
        store = Store.open(self.path)
        with store.lock("worker"):
            for status in store.campaigns():  # killed so often at one place that it is not run any more
                if status.state == "failed":
                    assert "died 3 times" in (status.error or "")
                    store.queue.request("retry", status.id)
            while (campaign := store.queue.take()) is not None:
                execute_queued(store, campaign, Silent(), lambda: False)
        self.check()
        assert [status.state for status in store.campaigns()] == ["finished"] * self._submitted
        assert not list(self.path.rglob("*.tmp*"))
        for seed in range(self._submitted):
            execute(prepare(load_config(self._config(seed))), self._folder / "undisturbed", Silent(), lambda: False)
        for seed in range(self._submitted):
            status = next(status for status in store.campaigns() if status.name == f"seed {seed}")
            sealed = store.layout.campaign(status.id).sealed
            assert sha256(sealed) == store.state.sealed_sha256(status.id)
            undisturbed = Store.open(self._folder / "undisturbed").layout
            expected = tables(undisturbed.campaign(seed + 1).sealed, seed + 1)
            assert tables(sealed, status.id) == expected
            assert tables(store.layout.catalogue, status.id) == expected
            assert len(expected["severity"]) == FAULTS * self._images

    def _config(self, seed: int) -> Path:
        return write_config(self._folder, f"{seed}.toml", name=f"seed {seed}", faults={"seed": seed})


def tables(database: Path, campaign: int) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a campaign."""
    names = ("faults", "images", "severity", "critical", "fault_summary", "image_summary", "curve")
    with duckdb.connect(str(database), read_only=True) as client:
        query = "SELECT * EXCLUDE campaign FROM {} WHERE campaign = {} ORDER BY ALL"
        return {name: [tuple(map(repr, row)) for row in client.sql(query.format(name, campaign)).fetchall()]
                for name in names}  # fmt: skip


def test_killed_once_in_each_place_nothing_is_lost(tmp_path: Path) -> None:
    victim = Victim(tmp_path, seed=0, images=FEW)
    for name in ("block", "part", "SQLite", "seal"):
        victim.kill(PLACES[name])
    victim.finish()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_killed_ten_times_at_random_moments_nothing_is_lost(tmp_path: Path, seed: int) -> None:
    """Five times ten kills."""
    victim = Victim(tmp_path, seed, IMAGES)
    hit = Counter(random.Random(seed).choices(list(PLACES), k=10))
    for name in hit.elements():
        victim.kill(PLACES[name])
    victim.finish()
    print(f"seed {seed}: killed in {dict(hit)}, which left {dict(victim.left_behind)}")
