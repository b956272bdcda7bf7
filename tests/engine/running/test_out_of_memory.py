"""Memory that runs out ends in a sentence with what to set, wherever it runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.config.campaign_config import RunConfig, load_config
from engine.errors import InputError
from engine.injection.batch_rows import BatchRows
from engine.injection.injection import Injection
from engine.injection.network.traced import TracedNetwork
from engine.models import build_model
from engine.running.benchmark import benchmark
from engine.running.estimate import estimate
from engine.running.out_of_memory import explained_memory
from engine.running.preparation import prepare
from engine.running.proof import prove
from tests.engine.running.test_campaign import run
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.injection.method import Plan
    from engine.running.preparation import PreparedCampaign

pytestmark = pytest.mark.usefixtures("one_thread")

SENTENCE = r'\[run\] memory: 1 MB and .* are more than the machine has, [\d,]+ MB of it free now; set memory = "\d+MB"'


NOTHING_FITS = (
    r"^\[run\] memory: batches were halved down to the smallest, and still memory ran out: the machine has [\d,]+ MB "
    r"free now; free some$"
)


def real_exhaustion() -> None:
    """What torch says when it cannot have so much."""
    torch.empty(2**60, dtype=torch.uint8)


@pytest.mark.parametrize("exhaust", [real_exhaustion, lambda: np.empty(2**60, dtype=np.uint8)])
def test_what_torch_and_numpy_say_becomes_a_sentence(exhaust: Callable[[], Any]) -> None:
    with pytest.raises(InputError, match=SENTENCE), explained_memory(RunConfig(memory=10**6)):
        exhaust()


def test_a_gpu_that_is_too_full_to_answer_has_nothing_free(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_full(_device: str) -> None:
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(torch.cuda, "memory_reserved", too_full)
    sentence = (
        r"^\[run\] memory: what the network and the images take are more than cuda:1 has, 0 MB of it free now; "
        r'free some, or set device = "cpu"$'
    )
    with pytest.raises(InputError, match=sentence), explained_memory(RunConfig(device="cuda:1")):
        too_full("cuda:1")


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="something else"), explained_memory(RunConfig()):
        raise RuntimeError("something else")


@pytest.mark.parametrize("work", [prove, estimate, benchmark])
def test_every_work_explains_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[PreparedCampaign], object]
) -> None:
    prepared = prepare(load_config(write_config(tmp_path)))
    monkeypatch.setattr(Injection, "load", lambda *_: real_exhaustion())
    with pytest.raises(InputError, match=NOTHING_FITS):
        work(prepared)


def test_preparing_and_running_explain_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_config(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Injection, "golden_logits", lambda *_: real_exhaustion())
        with pytest.raises(InputError, match=NOTHING_FITS):
            prepare(load_config(path))
    with monkeypatch.context() as patch:
        patch.setattr("engine.running.preparation.untouched_copy", lambda *_: real_exhaustion())
        with pytest.raises(InputError, match=SENTENCE):
            prepare(load_config(path))
    with monkeypatch.context() as patch:
        patch.setattr("engine.running.preparation.Injection", lambda *_: real_exhaustion())
        with pytest.raises(InputError, match=NOTHING_FITS):
            prepare(load_config(path))
    monkeypatch.setattr(Injection, "inject", lambda *_: real_exhaustion())
    with pytest.raises(InputError, match=NOTHING_FITS):
        run(path, tmp_path / "store")


class Branching(nn.Module):
    """Has no graph: it decides by a value. Its middle values are large."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 64, 3, padding=1), nn.Linear(64, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits [n, 4]."""
        x = self.conv(images)
        if x.max() > 1e9:
            x = x / 2
        return self.head(x.mean((2, 3)))


@pytest.mark.parametrize(("memory", "rows"), [(10**9, 64), (5 * 10**6, 16)])
def test_a_network_without_a_graph_keeps_to_the_memory_too(memory: int, rows: int) -> None:
    images = torch.rand(32, 1, 16, 16)
    assert Injection(Branching().eval(), images, memory, "exact").block_rows == rows


def test_a_network_without_a_graph_needs_room_for_one_image() -> None:
    with pytest.raises(InputError, match=r"\[run\] memory: 100,000 bytes do not hold one image"):
        Injection(Branching().eval(), torch.rand(32, 1, 16, 16), 100_000, "exact")


def test_a_block_keeps_to_the_memory_where_only_the_largest_batch_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU. Batches were planned larger than blocks, and the block grew to their size."""
    monkeypatch.setattr(
        TracedNetwork, "probe", lambda _, images, _workers: BatchRows(len(images), len(images), interchangeable=True)
    )
    injection = Injection(build_model("lenet5", 1, 10), torch.rand(32, 1, 28, 28), 10**8, "fast")
    planned = plan_of(injection).sizes
    assert 256 <= planned.block < 1024, "or the test shows nothing"
    assert injection.block_rows == injection.rows.largest == planned.largest == planned.block


def test_gradients_keep_to_the_memory_too() -> None:
    images = torch.rand(32, 1, 28, 28)
    ample, scarce = (
        plan_of(Injection(build_model("lenet5", 1, 10), images, memory, "screened")).sizes for memory in (10**9, 10**7)
    )
    assert scarce.limits.gradient_rows < ample.limits.gradient_rows / 8


def plan_of(injection: Injection) -> Plan:
    plan = injection._plan
    assert plan is not None
    return plan
