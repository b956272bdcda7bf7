"""How much memory a campaign may take where its config names some, and where it names none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

from engine.config.campaign_config import RunConfig, load_config
from engine.running.estimate import estimate
from engine.running.memory_budget import batch_memory, host_memory, memory_in_words
from engine.running.preparation import prepare
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

GB = 10**9
SHARE = ", at most 80 % of what was free there"
FREE = {"cuda:0": 10 * GB, "cuda:1": 60 * GB}


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is nearly full; torch keeps 3 GB of each for this process, of which 1 GB is in use."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (FREE[device], 80 * GB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _device: 3 * GB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device: GB)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("keys", "batches", "host", "words"),
    [
        ({}, 9.6, 2, "9.6GB for golden values and batches on cuda:0" + SHARE),
        ({"device": "cuda"}, 9.6, 2, "9.6GB for golden values and batches on cuda:0" + SHARE),
        ({"device": "cuda:1"}, 49.6, 2, "49.6GB for golden values and batches on cuda:1" + SHARE),
        ({"device": "cuda:1", "memory": "5GB"}, 5, 2, "5GB for golden values and batches on cuda:1"),
        ({"device": "cpu"}, 1.7, 2, "1.7GB for golden values and batches"),
        ({"device": "cpu", "memory": "5GB"}, 4.7, 5, "4.7GB for golden values and batches"),
        ({"device": "cpu", "memory": "400MB"}, 0.2, 0.4, "200MB for golden values and batches"),
    ],
)  # fmt: skip
def test_memory_of_the_device_and_of_the_machine(keys: dict[str, Any], batches: float, host: float, words: str) -> None:
    """Images that are kept, 0.3 GB of them here, take memory of the machine, where batches are on the CPU only."""
    run = RunConfig(**keys)
    assert batch_memory(run, 300_000_000) == pytest.approx(batches * GB)
    assert host_memory(run) == host * GB
    assert memory_in_words(run, batch_memory(run, 300_000_000)) == words


@pytest.mark.usefixtures("one_thread")
def test_without_a_gpu_it_is_what_it_was(tmp_path: Path) -> None:
    prepared = prepare(load_config(write_config(tmp_path, run={"memory": None})))
    assert prepared.injection.memory == 2 * GB - prepared.dataset.kept_bytes
    measured = estimate(prepared)
    assert (measured.memory, measured.memory_in_words) == (
        prepared.injection.memory, "2GB for golden values and batches"
    )  # fmt: skip


def test_what_a_gpu_has_free_is_no_part_of_a_config() -> None:
    assert "memory" not in RunConfig(device="cuda").model_dump(mode="json", exclude_none=True)
