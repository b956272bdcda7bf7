"""Work side by side: in order, one item ahead, with the threads of a worker, and nothing left behind."""

from __future__ import annotations

import threading
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest
import torch

from engine.injection.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator


DEADLINE = 60.0


def test_results_come_in_order_whichever_is_done_first() -> None:
    second_is_done = threading.Event()

    def run(item: int) -> int:
        if item == 0:
            assert second_is_done.wait(DEADLINE)
        if item == 1:
            second_is_done.set()
        return item * item

    assert list(Workers(2, 1).map(run, range(5))) == [0, 1, 4, 9, 16]


def test_no_more_than_one_item_waits() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = Workers(2, 1).map(lambda item: item, items())
    assert next(results) == 0
    assert len(taken) == 3
    assert isinstance(results, Generator)
    results.close()
    assert len(taken) == 3


def test_an_error_ends_it() -> None:
    def run(item: int) -> int:
        if item == 1:
            raise ValueError("one")
        return item

    with pytest.raises(ValueError, match="one"):
        list(Workers(2, 1).map(run, range(10)))


def test_operations_have_a_workers_threads_and_the_caller_keeps_its_own() -> None:
    before = torch.get_num_threads()
    workers = Workers(2, 1)
    with workers.rounding():
        assert torch.get_num_threads() == 1
    assert list(workers.map(lambda _: torch.get_num_threads(), range(3))) == [1, 1, 1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("cores", [1, 2, 3, 16])
def test_cores_are_shared_out(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: cores)
    on_cpu, on_cuda = (Workers.of(torch.device(device)) for device in ("cpu", "cuda"))
    assert on_cpu.count == min(cores, 4)
    assert on_cpu.count * on_cpu.threads <= cores
    assert on_cuda.count == 1  # it computes while the caller takes results over
    assert on_cuda.threads >= 1
