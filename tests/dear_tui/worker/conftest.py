"""Real workers, seen off at the end of a test."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest

from engine.config.campaign_config import load_config
from engine.running.execution import prepare_new
from engine.store import Store
from tests.dear_tui.forked import Forked
from tests.small_campaign import write_config, write_long_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEADLINE = 120.0
"""seconds after which a test gives up on what it waits for"""


RESTING_FAULTS, RESTING_IMAGES = 500, 2_000
"""A campaign whose process rests before each of its 125 blocks or more, and is not done in 25 s on any machine: while a
test looks at it, it computes next to nothing."""

RESTED = f"""
import time
from engine.injection.injection import Injection

inject, rest, later = Injection.inject, 0.2, globals().get("later", 0.2)

def rested(self, block, faults):
    global rest
    if len(faults) >= {RESTING_FAULTS}:
        time.sleep(rest)
        rest = later
    return inject(self, block, faults)

Injection.inject = rested
"""
"""`later`: seconds before each block but the first, where the code before it sets that"""

LAUNCHED = """
import sys
import dear_tui.worker.loop
from dear_tui.cli import main
dear_tui.worker.loop.LINGER_SECONDS = 0.0
sys.exit(main())
"""


def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE:.0f} s for {what}"
        time.sleep(0.01)


def write_resting_config(folder: Path) -> Path:
    """Write the config of a campaign that outlasts a test where `launch` runs it."""
    return write_long_config(folder, RESTING_FAULTS, RESTING_IMAGES)


def submit(store: Path, *configs: Path) -> Store:
    """Queue configs in a store, made where there is none."""
    opened = Store.open(store)
    for config in configs:
        opened.queue.submit(prepare_new(load_config(config)))
    return opened


def runs(store: Store, campaign: int = 1) -> Callable[[], bool]:
    """Whether a campaign is running and has committed a part."""
    return lambda: store.campaign(campaign).state == "running" and bool(store.state.receipts(campaign))


@pytest.fixture(autouse=True)
def one_thread_in_the_worker(monkeypatch: pytest.MonkeyPatch, one_thread: None) -> None:  # noqa: ARG001
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:  # noqa: ARG001
    """What every `store` begins as, beside its configs and images; not to be written to."""
    folder = tmp_path_factory.mktemp("waiting")
    submit(folder / "store", write_resting_config(folder), write_config(folder, "short.toml")).close()
    return folder


@pytest.fixture
def store(tmp_path: Path, waiting: Path) -> Store:
    """A campaign that does not end before the test, 1, and a short one, 2, wait in it."""
    shutil.copytree(waiting, tmp_path, dirs_exist_ok=True)
    return Store.open(tmp_path / "store")


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Forked]]:
    """Starts `dear-tui worker start --foreground`, or another command, whose exit code and log can be read.

    A worker that is to end when the queue is empty does so at once.
    """
    started: list[Forked] = []

    def start(
        store: Path, *options: str, before: str = "", command: tuple[str, ...] = ("worker", "start", "--foreground")
    ) -> Forked:
        started.append(Forked(tmp_path, before + RESTED + LAUNCHED, *command, "--store", store, *options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(DEADLINE)
