"""Threads that hang hold up nobody."""

import asyncio
import threading

import pytest

from dear_tui.terminal import threads
from dear_tui.terminal.threads import DaemonThreads


def test_results_and_errors_come_back() -> None:
    pool = DaemonThreads()
    assert pool.submit(divmod, 7, 2).result(10) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 7, 0).result(10)


def test_one_that_hangs_takes_no_place_and_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "END_SECONDS", 0.01)
    released = threading.Event()

    async def work() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonThreads())
        hanging = [loop.run_in_executor(None, released.wait) for _ in range(50)]
        assert await loop.run_in_executor(None, divmod, 7, 2) == (3, 1)
        assert not any(future.done() for future in hanging)

    asyncio.run(work())
    assert not released.is_set()
    released.set()


def test_the_end_waits_for_one_that_is_at_work() -> None:
    pool, begun, done = DaemonThreads(), threading.Event(), []

    def work() -> None:
        begun.set()
        done.append("done")

    pool.submit(work)
    begun.wait()
    pool.shutdown()
    assert done == ["done"]
