"""The bundled LeNet-5 on the bundled MNIST test set: the figures that README and screens speak of."""

from __future__ import annotations

import pytest

from dear_tui.access.demo import DEMO
from engine.config.campaign_config import WorkloadConfig, parse_config
from engine.metrics.selection import select_images
from engine.running.preparation import PreparedCampaign, prepare


@pytest.fixture(scope="module")
def demo() -> PreparedCampaign:
    return prepare(parse_config(DEMO, "demo"))


def test_the_demo_is_16501_faults_of_61470_weights_on_10000_images(demo: PreparedCampaign) -> None:
    assert sum(layer.size for layer in demo.faults.layers) == 61_470
    assert (len(demo.faults), demo.faults.population, len(demo.workload)) == (16_501, 61_470 * 32, 10_000)
    assert demo.pairs == 165_010_000


def test_the_network_is_right_on_9935_images(demo: PreparedCampaign) -> None:
    assert (demo.golden_class == demo.dataset.labels).sum() == 9_935


@pytest.mark.parametrize(("select", "images"), [("central", 77), ("pre_plateau", 1_113)])
def test_the_challenging_images_are_few(demo: PreparedCampaign, select: str, images: int) -> None:
    workload = WorkloadConfig.model_validate({"select": select})
    assert len(select_images(workload, demo.metrics["el2n"])) == images
