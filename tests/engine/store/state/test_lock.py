"""The store's lock: who has it, who had it, and that looking at it takes nothing away."""

import fcntl
import os
import signal
import threading
from pathlib import Path

import pytest

from engine.errors import UnreachableError
from engine.store.state.lock import Holder, Role, expected, hold, holder
from tests.engine.store.other_process import python

HELD = """
import sys
from pathlib import Path
from engine.store.state.lock import hold
with hold(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.touch()
    return path


@pytest.mark.parametrize("role", ["worker", "foreground"])
def test_the_lock_of_a_killed_process_is_stale(lock: Path, role: Role) -> None:
    with python(HELD, lock, role) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert holder(lock) == Holder(process.pid, role)
        with (
            pytest.raises(UnreachableError, match=rf"process {process.pid} is at work .*`dear-tui submit`"),
            hold(lock, "worker"),
        ):
            pytest.fail("the lock was given twice")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert lock.read_text().split() == [str(process.pid), role], "the dead left its name"
    assert holder(lock) is None
    with hold(lock, "foreground"):
        assert holder(lock) == Holder(os.getpid(), "foreground")
    assert holder(lock) is None


def test_one_that_goes_on_is_expected_as_long_as_it_lives(lock: Path) -> None:
    assert not expected(lock), "nobody was there"
    with hold(lock, "foreground"):
        pass
    assert not expected(lock), "it has ended"
    with hold(lock, "foreground", goes_on=True):
        pass
    assert expected(lock)
    lock.write_text("1 foreground\n")
    assert expected(lock), "somebody else's process lives too"
    with python(HELD, lock, "foreground") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.kill()
        process.wait()
    assert lock.read_text().split() == [str(process.pid), "foreground"]
    assert not expected(lock), "it is dead"
    lock.write_text(f"{os.getpid()} worker\n")
    assert not expected(lock), "workers do not wait for workers"


def test_a_process_id_that_lives_again_does_not_hold_the_lock(lock: Path) -> None:
    lock.write_text(f"{os.getpid()} worker\n")
    assert holder(lock) is None


def test_where_there_is_no_lock_nobody_holds_it(tmp_path: Path) -> None:
    assert holder(tmp_path / "lock") is None


@pytest.mark.parametrize(("text", "expected"), [("", Holder(None, "foreground")), ("7", Holder(7, "foreground"))])
def test_a_holder_that_has_not_said_who_it_is(lock: Path, text: str, expected: Holder) -> None:
    lock.write_text(text)
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert holder(lock) == expected


def test_looking_does_not_keep_anybody_from_taking_it(lock: Path) -> None:
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            holder(lock)

    lookers = [threading.Thread(target=look) for _ in range(4)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(100):
            with hold(lock, "worker"):
                assert holder(lock) == Holder(os.getpid(), "worker")
    finally:
        done.set()
        for looker in lookers:
            looker.join()
