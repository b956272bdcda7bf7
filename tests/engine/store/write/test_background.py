"""The thread that writes: bounded, in order, stopped as told, and what goes wrong in it is not lost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

import pytest

from engine.errors import DiskFullError, UnreachableError
from engine.store.write.background import MOST_WAITING, BackgroundWriter, ComputedPart

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.store.write.writer import CampaignWriter

DEADLINE = 60.0
PARTS = 10


class FakeWriter:
    """Writes nothing; the number of a part is its receipt."""

    def __init__(self, before_commit: Callable[[int], object] = int) -> None:
        self._before_commit = before_commit
        self.committed: list[float] = []
        self.sealed = 0
        self.interrupted = threading.Event()

    def commit(self, number: float, _statistics: object) -> float:
        self._before_commit(int(number))
        self.committed.append(number)
        return number

    def seal(self) -> None:
        self._before_commit(-1)
        self.sealed += 1

    def interrupt(self) -> None:
        self.interrupted.set()


class Room:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.waits: list[str] = []
        self.founds = 0

    def wait(self, error: DiskFullError) -> None:
        self.waits.append(str(error))

    def found(self) -> None:
        self.founds += 1


def in_background(writer: FakeWriter, room: Room) -> BackgroundWriter:
    return BackgroundWriter(cast("CampaignWriter", writer), room)


def part(number: int) -> ComputedPart:
    return ComputedPart(rank_start=0, fault_start=0, groups=(), seconds=number)


def hand_over(
    writer: FakeWriter,
    parts: int,
    end: Callable[[BackgroundWriter], object] = BackgroundWriter.finish,
    room: Room | None = None,
) -> None:
    with in_background(writer, room or Room()) as background:
        for number in range(parts):
            background.commit(part(number))
        end(background)


def test_parts_are_committed_in_order_and_their_receipts_handed_out_once() -> None:
    writer, room = FakeWriter(), Room()
    with in_background(writer, room) as background:
        receipts = []
        for number in range(PARTS):
            background.commit(part(number))
            receipts += background.receipts()
        background.finish()
        receipts += background.receipts()
        background.seal()
        assert background.receipts() == []
    assert receipts == writer.committed == list(range(PARTS))
    assert (writer.sealed, room.waits, room.founds) == (1, [], 0)


def test_whoever_computes_faster_than_is_written_waits() -> None:
    handed_over = 0
    changed = threading.Condition()
    ahead = []

    def before_commit(number: int) -> None:
        """As slow as can be: until nothing more is handed over."""
        with changed:
            assert changed.wait_for(lambda: handed_over >= min(number + MOST_WAITING + 1, PARTS), DEADLINE)
            ahead.append(handed_over - number)

    with in_background(FakeWriter(before_commit), Room()) as background:
        for number in range(PARTS):
            background.commit(part(number))
            with changed:
                handed_over += 1
                changed.notify()
        background.finish()
    assert max(ahead) == MOST_WAITING + 1


def test_what_goes_wrong_is_raised_and_nothing_is_committed_after_it() -> None:
    def before_commit(number: int) -> None:
        if number == 1:
            raise UnreachableError("the disk is gone")

    writer = FakeWriter(before_commit)
    with pytest.raises(UnreachableError, match="the disk is gone"):
        hand_over(writer, PARTS)
    assert writer.committed == [0]


def test_after_an_error_elsewhere_what_is_computed_is_committed() -> None:
    writer = FakeWriter()
    with pytest.raises(ZeroDivisionError):
        hand_over(writer, 2, end=lambda _: 1 // 0)
    assert writer.committed == [0, 1]
    assert not writer.interrupted.is_set()


@pytest.mark.parametrize("interrupted", ["part", "seal"])
def test_to_stop_at_once_is_to_interrupt_what_is_being_written(interrupted: str) -> None:
    started = threading.Event()

    def before_commit(_number: int) -> None:
        started.set()
        assert writer.interrupted.wait(DEADLINE)
        raise UnreachableError("interrupted")

    writer = FakeWriter(before_commit)

    def end(background: BackgroundWriter) -> None:
        if interrupted == "seal":
            background._begin(writer.seal)
        assert started.wait(DEADLINE)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hand_over(writer, 2 if interrupted == "part" else 0, end)
    assert (writer.committed, writer.sealed) == ([], 0)


def test_without_room_the_same_is_tried_again() -> None:
    tries = iter(range(3))

    def before_commit(_number: int) -> None:
        if (left := next(tries, None)) is not None:
            raise DiskFullError(f"no room, {left}")

    writer, room = FakeWriter(before_commit), Room()
    with in_background(writer, room) as background:
        background.commit(part(0))
        background.commit(part(1))
        background.finish()
        assert background.receipts() == [0, 1]
    assert (room.waits, room.founds) == (["no room, 0", "no room, 1", "no room, 2"], 1)


def test_without_room_it_does_not_wait_for_ever_once_everything_is_to_stop() -> None:
    """`wait` may return any number of times; a stop at once must not need it to raise."""
    writer_waits = threading.Event()

    class NeverRoom(Room):
        def wait(self, error: DiskFullError) -> None:
            super().wait(error)
            writer_waits.set()

    def before_commit(_number: int) -> None:
        raise DiskFullError("no room")

    def end(_background: BackgroundWriter) -> None:
        assert writer_waits.wait(DEADLINE)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hand_over(FakeWriter(before_commit), 1, end, NeverRoom())
