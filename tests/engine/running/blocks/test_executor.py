"""An executor of one's own: blocks in another order, in several threads, stopped and gone on with."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

import pytest

from engine.config import executors
from engine.config.campaign_config import load_config
from engine.errors import InputError
from engine.running.blocks.executor import run_block
from engine.running.preparation import prepare
from engine.store import Store
from tests.engine.running.test_campaign import Recorder, after, results, run
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from engine.running.blocks.block_jobs import BlockJob
    from engine.running.preparation import PreparedCampaign
    from engine.store.write.background import ComputedPart

pytestmark = pytest.mark.usefixtures("one_thread")


class ShuffledThreads:
    """Two threads, each with a network of its own; jobs shuffled, and the parts of two of them mixed."""

    def run(self, prepared: PreparedCampaign, jobs: Iterable[BlockJob]) -> Generator[ComputedPart, Any, None]:
        shuffled = list(jobs)
        random.Random(3).shuffle(shuffled)
        own = prepare(prepared.config), prepare(prepared.config)
        with ThreadPoolExecutor(2) as threads:
            while two := [shuffled.pop() for _ in range(min(2, len(shuffled)))]:
                computed = threads.map(lambda each, job: list(run_block(each, job)), own, two)
                yield from filter(None, chain.from_iterable(zip_longest(*computed)))


@pytest.fixture
def shuffled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config whose executor is the one above."""
    monkeypatch.setitem(executors.EXECUTORS, "local", f"{__name__}:ShuffledThreads")
    return write_config(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> list[list[tuple[Any, ...]]]:  # noqa: ARG001
    """What the local executor gives."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run(write_config(folder), folder / "store")
    return results(folder / "store")


def check_whole(store: Path) -> None:
    """Every file is what its receipt says."""
    opened = Store.open(store)
    with opened.lock():
        assert opened.verify(1, lambda _done, _all: None) == []


def test_blocks_out_of_order_and_from_two_threads_give_the_same(
    shuffled: Path, tmp_path: Path, undisturbed: list[list[tuple[Any, ...]]]
) -> None:
    recorder = Recorder()
    finished = run(shuffled, tmp_path / "store", recorder=recorder)
    blocks = [progress.block for progress in recorder.progress if progress.block is not None]
    assert blocks != sorted(blocks), "the blocks came out of order"
    assert len(set(blocks)) > 4
    assert [progress.pairs_done for progress in recorder.progress][-1] == finished.pairs
    assert (finished.state, finished.pairs_done) == ("finished", finished.pairs)
    assert results(tmp_path / "store") == undisturbed
    check_whole(tmp_path / "store")


@pytest.mark.parametrize("groups", [1, 4, 7, 12])
def test_stopped_in_the_middle_it_goes_on_exactly(
    shuffled: Path, tmp_path: Path, undisturbed: list[list[tuple[Any, ...]]], groups: int
) -> None:
    store = tmp_path / "store"
    stopped = run(shuffled, store, after(groups))
    assert stopped.state == "paused"
    opened = Store.open(store, read_only=True)
    done = sum(receipt.span.pairs for receipt in opened.receipts(1))
    assert 0 < done == stopped.pairs_done < stopped.pairs, "what was computed is kept"
    curve, counts = opened.curve(1), opened.image_counts(1)
    assert len(curve.critical) + curve.beyond == counts.complete.sum()
    assert sum(layer.pairs_done for layer in opened.layers(1)) == done
    assert run(shuffled, store).state == "finished"
    assert results(store) == undisturbed
    check_whole(store)


def test_an_unknown_executor_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\[run\] executor: .*local"):
        load_config(write_config(tmp_path, run={"executor": "slurm"}))
