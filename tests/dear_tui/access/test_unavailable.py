"""Why an action would be refused."""

from __future__ import annotations

import pytest

from dear_tui.access.unavailable import against_starting, against_stopping
from engine.store import QueueView, WorkerStatus
from engine.store.state.lock import Holder


@pytest.mark.parametrize("holder", [None, Holder(9, "foreground"), Holder(7, "worker")], ids=["idle", "waits", "works"])
def test_a_worker_is_stopped_and_not_started_whatever_it_does(holder: Holder | None) -> None:
    queue = QueueView(worker=WorkerStatus(running=True, pid=7), holder=holder)
    assert against_stopping(queue) == ""
    assert against_starting(queue) == "the worker, process 7, runs the queue already"


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (None, "no worker runs in this store; w starts one"),
        (
            Holder(9, "foreground"),
            "no worker runs in this store; process 9 is at work in this store in the foreground",
        ),
    ],
)
def test_where_there_is_none_it_is_started_and_not_stopped(holder: Holder | None, said: str) -> None:
    assert against_stopping(QueueView(holder=holder)) == said
    assert against_starting(QueueView(holder=holder)) == ""
