"""The methods side by side: what is reported follows from what was run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from engine.config.campaign_config import load_config
from engine.running import benchmark as benchmarks
from engine.running.preparation import prepare
from tests.small_campaign import FAULTS, IMAGES, write_config

if TYPE_CHECKING:
    from pathlib import Path

    from engine.steps import Step

LENET5_MULTIPLICATIONS = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 150 + 400 * 120 + 120 * 84 + 84 * 10


def test_every_method_is_timed_against_naive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks, "SECONDS_PER_MEASUREMENT", 0.02)
    monkeypatch.setattr(benchmarks, "NAIVE_SECONDS", 0.01)
    monkeypatch.setattr(benchmarks, "FIRST_RANKS", 3)  # fewer than a block has
    steps: list[Step] = []
    result = benchmarks.benchmark(prepare(load_config(write_config(tmp_path))), steps.append)
    assert list(result.methods) == ["naive", "exact", "fast", "screened"]
    assert (result.network, result.device) == ("lenet5", "cpu")
    assert 1 <= result.faults <= FAULTS
    assert result.images <= IMAGES
    assert 0 < result.masked_early < 1
    naive = result.methods["naive"]
    assert naive.ratio == pytest.approx(1)
    assert naive.multiplications == LENET5_MULTIPLICATIONS
    assert naive.batch in benchmarks.NAIVE_BATCHES
    assert naive.goal_ratio is None
    for name in ("exact", "fast", "screened"):
        goal_ratio = result.methods[name].goal_ratio
        assert goal_ratio is not None
        assert goal_ratio > 0
    for speed in result.methods.values():
        assert speed.ratio == pytest.approx(speed.pairs_per_s / naive.pairs_per_s)
        assert speed.of_floor == pytest.approx(speed.pairs_per_s * speed.multiplications / result.matrix_rate)
    assert 0 < result.methods["fast"].multiplications < result.methods["exact"].multiplications
    assert [step.done for step in steps if step.total == benchmarks.ROUNDS] == list(range(benchmarks.ROUNDS))


SQUEEZING = """
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4, 10)
    def forward(self, x):
        return self.head(nn.functional.adaptive_avg_pool2d(self.conv(x), 1).squeeze())
"""


def test_a_network_that_leaves_out_the_dimension_of_one_image_is_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The naive loop is tried with one image at a time, too."""
    monkeypatch.setattr(benchmarks, "SECONDS_PER_MEASUREMENT", 0.02)
    monkeypatch.setattr(benchmarks, "NAIVE_SECONDS", 0.01)
    (tmp_path / "squeezing.py").write_text(SQUEEZING)
    net = nn.ModuleDict({"conv": nn.Conv2d(1, 4, 3), "head": nn.Linear(4, 10)})
    torch.save(dict(net.state_dict()), tmp_path / "w.pt")
    config = load_config(write_config(tmp_path, model={"arch": "squeezing:Net", "weights": "w.pt"}))
    assert list(benchmarks.benchmark(prepare(config)).methods) == ["naive", "exact", "fast", "screened"]


def test_it_can_be_written_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks, "SECONDS_PER_MEASUREMENT", 0.02)
    monkeypatch.setattr(benchmarks, "NAIVE_SECONDS", 0.01)
    result = benchmarks.benchmark(prepare(load_config(write_config(tmp_path))))
    assert set(dataclasses.asdict(result)["methods"]["fast"]) >= {"pairs_per_s", "ratio", "batch"}
