"""From a config to what a campaign runs on, and the fingerprint that says whether two are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engine.config.campaign_config import load_config
from engine.datasets import Dataset
from engine.errors import InputError, UnreachableError
from engine.injection.injection import Injection
from engine.metrics.metric import MetricInput
from engine.metrics.registry import METRICS, compute_metrics
from engine.models import build_model
from engine.models.weights import BUNDLED_WEIGHTS
from engine.running.preparation import PreparedCampaign, golden_logits, prepare
from tests.small_campaign import FAULTS, IMAGES, write_config, write_images

if TYPE_CHECKING:
    from pathlib import Path

    from engine.steps import Step

pytestmark = pytest.mark.usefixtures("one_thread")


def prepared(folder: Path, **changes: Any) -> PreparedCampaign:
    return prepare(load_config(write_config(folder, **changes)))


def test_the_metrics_cover_the_data_set_and_the_workload_is_in_rank_order(tmp_path: Path) -> None:
    campaign = prepared(tmp_path, workload={"select": "top_n", "n": 10})
    assert set(campaign.metrics) == {name for name, metric in METRICS.items() if metric.needs == "logits"}
    assert all(len(values) == IMAGES for values in campaign.metrics.values())
    ranked = campaign.metrics["el2n"][campaign.workload]
    assert len(ranked) == 10
    assert (np.diff(ranked) <= 0).all()
    assert campaign.pairs == FAULTS * 10


@pytest.mark.parametrize("images", [3, 41])
def test_classes_and_metrics_come_from_the_logits_that_severities_are_compared_with(
    tmp_path: Path, images: int
) -> None:
    """To the bit, also in the last batch, which is short: unpadded, its logits are others."""
    write_images(tmp_path / "set.npz", images)
    campaign = prepared(tmp_path)
    injection, ranks = campaign.injection, np.argsort(campaign.workload)
    blocks = [campaign.load(start, start + 1).logits for start in range(images)]  # in other blocks, and in rank order
    logits = torch.cat(blocks).numpy()[ranks]
    assert injection.rows.floor > 1
    assert (campaign.golden_class == logits.argmax(axis=1)).all()
    expected = compute_metrics(MetricInput(logits, campaign.dataset.labels), [METRICS["el2n"]])["el2n"]
    assert (campaign.metrics["el2n"] == expected).all()
    unpadded = torch.cat([injection.model(campaign.images(start, start + 1)) for start in range(images)]).numpy()[ranks]
    assert (unpadded != logits).any(), "nothing could have differed"


def test_golden_and_faulty_values_differ_in_the_faults_bit_alone(tmp_path: Path) -> None:
    campaign = prepared(tmp_path)
    changed = campaign.golden_values.view(np.uint32) ^ campaign.faulty_values.view(np.uint32)
    assert (changed == np.uint32(1) << campaign.faults.bit.astype(np.uint32)).all()
    weights = load_file(BUNDLED_WEIGHTS)
    names = [layer.name for layer in campaign.faults.layers]
    for fault in range(FAULTS):
        weight = weights[f"{names[campaign.faults.layer[fault]]}.weight"].flatten()
        assert campaign.golden_values[fault] == weight[campaign.faults.weight_index[fault]]


def test_faults_run_layer_by_layer(tmp_path: Path) -> None:
    campaign = prepared(tmp_path)
    faults = campaign.faults_in_execution_order()
    assert (np.diff(faults.layer) >= 0).all()
    assert (campaign.faults.layer[faults.positions] == faults.layer).all()
    assert (campaign.faulty_values[faults.positions] == faults.value).all()


def test_a_stuck_at_that_changes_nothing_is_known_before_it_is_run(tmp_path: Path) -> None:
    campaign = prepared(tmp_path, faults={"model": "stuck_at_0", "bits": [30]})
    order = campaign.faults.execution_order()
    is_set = (campaign.golden_values.view(np.uint32)[order] >> 30) & 1
    assert (campaign.faults_in_execution_order().changes == is_set.astype(bool)).all()


def test_another_width_makes_another_campaign(tmp_path: Path) -> None:
    """Also where the rounding of channels gives the same network."""
    torch.manual_seed(0)
    torch.save(build_model("mobilenetv2", 1, 10, 0.1).state_dict(), tmp_path / "w.pt")
    model = {"arch": "mobilenetv2", "weights": "w.pt"}
    run = {"memory": "10MB"}
    one, other = (prepared(tmp_path, model={**model, "width": width}, run=run).fingerprint for width in (0.1, 0.101))
    assert one != other


def test_weights_that_overflow_are_refused_naming_the_image(tmp_path: Path) -> None:
    weights = load_file(BUNDLED_WEIGHTS)
    weights["fc3.bias"][0] = 3e38
    weights["fc3.weight"][0] = 3e38
    torch.save(weights, tmp_path / "huge.pt")
    with pytest.raises(InputError, match="gives image 0 a logit that is not finite"):
        prepared(tmp_path, model={"weights": "huge.pt"})


def test_weights_with_a_nan_are_refused_naming_the_weight(tmp_path: Path) -> None:
    weights = load_file(BUNDLED_WEIGHTS)
    weights["conv1.weight"][0, 0, 0, 0] = float("nan")
    torch.save(weights, tmp_path / "nan.pt")
    with pytest.raises(InputError, match=r"nan\.pt: conv1\.weight holds NaN or infinite values"):
        prepared(tmp_path, model={"weights": "nan.pt"})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_there_cannot_be_reached(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"\[run\] device: cuda:0 is asked for, but there is no CUDA device"):
        prepared(tmp_path, run={"device": "cuda"})


def test_what_is_done_is_told_with_how_much_of_it(tmp_path: Path) -> None:
    steps: list[Step] = []
    campaign = prepare(load_config(write_config(tmp_path, run={"method": "fast"})), on_step=steps.append)
    ranked = [(step.done, step.total) for step in steps if step.text == "ranking the images"]
    assert ranked == [(start, IMAGES) for start in range(0, IMAGES, campaign.injection.block_rows)]
    measured = [(step.done, step.total) for step in steps if step.text == "measuring rounding"]
    assert measured == [(done, 5) for done in range(6)]


def test_what_the_data_set_keeps_is_not_there_for_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    config = load_config(write_config(tmp_path))

    def counted(*arguments: Any) -> Injection:
        asked.append(arguments[2])
        return Injection(*arguments)

    monkeypatch.setattr("engine.running.preparation.Injection", counted)
    kept = prepare(config).dataset.kept_bytes
    memory = config.run.memory
    assert kept
    assert memory is not None
    monkeypatch.setattr("engine.datasets.dataset.Dataset.kept_bytes", memory)
    prepare(config)
    assert asked == [memory - kept, memory // 2]


class Halved(torch.nn.Module):
    """Gives its logits in half of their width, as under autocast."""

    def __init__(self, kind: torch.dtype) -> None:
        super().__init__()
        self.kind, self.head = kind, torch.nn.Linear(16, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(images.flatten(1)).to(self.kind)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("method", ["exact", "fast"])
def test_golden_logits_of_any_width_are_floats(kind: torch.dtype, method: str) -> None:
    images = Dataset("npz", np.random.default_rng(0).random((20, 1, 4, 4), np.float32), np.zeros(20, np.int64))
    net = Halved(kind).eval().requires_grad_(False)
    injection = Injection(net, torch.from_numpy(images.batch(slice(0, 20))), 10**6, method)
    found = np.concatenate([*golden_logits(injection, images, "cpu")])
    assert found.dtype == np.float32
    assert np.array_equal(found, net(torch.from_numpy(images.batch(slice(0, 20)))).float().numpy())
