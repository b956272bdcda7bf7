"""Counting what faults did: once for each number of pairs, and again after a failure."""

import time
from dataclasses import replace

import pytest

from dear_tui.access import fault_counter
from dear_tui.access.fault_counter import FaultCounter
from engine.store.read.fault_results import FaultFindings, Found
from tests.dear_tui.memory_desk import FINDINGS, FakeDesk
from tests.dear_tui.memory_store import make_status

SEVEN, EIGHT = (replace(FINDINGS, critical=Found(faults, None)) for faults in (7, 8))
ENDLESS = float("inf")


class CountingDesk(FakeDesk):
    def __init__(self, found: FaultFindings | None) -> None:
        super().__init__(found=found)
        self.asked: list[int] = []

    def findings(self, campaign: int) -> FaultFindings | None:
        self.asked.append(campaign)
        return super().findings(campaign)


def test_what_was_counted_is_not_counted_again() -> None:
    desk = CountingDesk(SEVEN)
    counter = FaultCounter(desk)
    for _ in range(3):
        assert counter.count([make_status(1, done=10)], ENDLESS)
    assert (counter.found, desk.asked) == ({1: SEVEN}, [1])
    counter.count([make_status(1, done=20)], ENDLESS)
    assert desk.asked == [1, 1]


def test_what_could_not_be_counted_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = CountingDesk(None)
    counter = FaultCounter(desk)
    counter.count([make_status(1, done=10)], ENDLESS)
    counter.count([make_status(1, done=10)], ENDLESS)
    assert (counter.found, desk.asked) == ({}, [1]), "not at every reading of the queue"
    desk.found = SEVEN
    later = time.monotonic() + fault_counter.RETRY_SECONDS
    monkeypatch.setattr("dear_tui.access.fault_counter.time.monotonic", lambda: later)
    counter.count([make_status(1, done=10)], ENDLESS)
    assert (counter.found, desk.asked) == ({1: SEVEN}, [1, 1])


def test_another_campaign_of_the_same_number_is_counted_anew() -> None:
    desk = CountingDesk(SEVEN)
    counter = FaultCounter(desk)
    counter.count([make_status(1, done=10)], ENDLESS)
    desk.found = EIGHT
    counter.count([make_status(1, done=10, created="2026-02-02T03:04:05Z")], ENDLESS)
    assert counter.found == {1: EIGHT}
