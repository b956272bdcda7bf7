"""What a campaign's self-check is given: images of every class and the hardest ones, its own faults, and how long."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from engine.config.campaign_config import load_config
from engine.injection.check.self_check import CheckResult, Extent
from engine.metrics.probabilities import DEEPGINI
from engine.running import proof
from engine.running.preparation import prepare
from engine.running.proof import choose_images, prove
from tests.small_campaign import IMAGES, write_config

if TYPE_CHECKING:
    from pathlib import Path

    from engine.running.preparation import PreparedCampaign

pytestmark = pytest.mark.usefixtures("one_thread")

CLASSES, RANKED = 7, 300


def ranked(seed: int) -> PreparedCampaign:
    """A workload of some of the images, most of one class, and how unsure the network is of each."""
    generator = np.random.default_rng(seed)
    golden_class = np.where(generator.random(2 * RANKED) < 0.9, 0, generator.integers(0, CLASSES, 2 * RANKED))
    workload = generator.permutation(2 * RANKED)[:RANKED]
    golden_class[workload[:CLASSES]] = np.arange(CLASSES)
    metrics = {DEEPGINI.name: generator.random(2 * RANKED)}
    return cast("PreparedCampaign", SimpleNamespace(golden_class=golden_class, workload=workload, metrics=metrics))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [2 * CLASSES, 32])
def test_images_are_of_every_class_and_half_of_them_hard(seed: int, count: int) -> None:
    prepared = ranked(seed)
    uncertain = prepared.metrics[DEEPGINI.name]
    hardest = prepared.workload[np.argsort(-uncertain[prepared.workload])][: 8 * count]
    seen: set[int] = set()
    for turn in range(3):
        images = choose_images(prepared, count, turn)
        assert len(set(images.tolist())) == count
        assert np.isin(images, prepared.workload).all()
        assert set(prepared.golden_class[images].tolist()) == set(range(CLASSES))
        assert np.isin(images, hardest).sum() >= count // 2
        seen |= set(images.tolist())
    assert len(seen) > count, "other images each time"


def test_a_small_workload_gives_its_images_more_than_once() -> None:
    prepared = ranked(0)
    few = replace_workload(prepared, prepared.workload[:3])
    assert sorted(choose_images(few, 8, 1).tolist()) == sorted(np.resize(choose_images(few, 3, 1), 8).tolist())


def replace_workload(prepared: PreparedCampaign, workload: np.ndarray[Any, Any]) -> PreparedCampaign:
    return cast("PreparedCampaign", SimpleNamespace(**{**vars(prepared), "workload": workload}))


@pytest.mark.parametrize(
    ("asked", "options", "pairs", "share"),
    [
        (None, {}, None, 0.02),
        ("5%", {}, None, 0.05),
        ("5%", {"briefly": True}, None, 0.0),
        ("700", {}, 700, 0.0),
        ("700", {"briefly": True}, 700, 0.0),
        ("5%", {"pairs": 900}, 900, 0.0),
        ("700", {"pairs": 900}, 900, 0.0),
    ],
)
def test_it_takes_as_long_as_the_config_or_the_user_says(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: str | None,
    options: dict[str, Any],
    pairs: int | None,
    share: float,
) -> None:
    given: list[tuple[Any, Any, Extent]] = []

    def checked(injection: Any, plain: Any, draw_images: Any, extent: Extent, *_: Any) -> CheckResult:
        given.append((injection, plain, extent))
        assert draw_images(5, 0).shape == (5, 1, 28, 28)
        return CheckResult(0, 0, 0, 0, (), 0.0)

    monkeypatch.setattr(proof, "check", checked)
    prepared = prepare(load_config(write_config(tmp_path, run={"check": asked})))
    prove(prepared, **options)
    ((injection, plain, extent),) = given
    assert injection is prepared.injection
    assert plain is prepared.plain is not prepared.injection.model
    assert (extent.pairs, extent.share, extent.campaign_images) == (pairs, share, IMAGES)
    assert extent.faults is prepared.faults_in_execution_order()
