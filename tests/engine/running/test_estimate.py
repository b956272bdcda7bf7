"""What a campaign would take: counts are exact, time and disk are of the right size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engine.config.campaign_config import load_config
from engine.running.estimate import SPREAD, Estimate, estimate
from engine.running.preparation import prepare
from tests.small_campaign import FAULTS, IMAGES, write_config

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("one_thread")

LENET5_FLOPS = 2 * (6 * 28 * 28 * 25 + 16 * 10 * 10 * 150 + 400 * 120 + 120 * 84 + 84 * 10)
"""two per multiplication of one image"""


def estimated(config: Path) -> Estimate:
    return estimate(prepare(load_config(config)))


def test_faults_images_pairs_and_operations_are_counted(tmp_path: Path) -> None:
    result = estimated(write_config(tmp_path))
    assert (result.faults, result.images, result.pairs) == (FAULTS, IMAGES, FAULTS * IMAGES)
    assert result.population == 61_470 * 3
    assert result.flops == LENET5_FLOPS * result.pairs
    assert (result.method, result.device) == ("exact", "cpu")
    assert list(tmp_path.iterdir()) == [tmp_path / "set.npz", tmp_path / "small.toml"]


def test_the_time_of_more_faults_is_scaled_up_from_a_sample(tmp_path: Path) -> None:
    few = estimated(write_config(tmp_path, faults={"count": 300}))
    many = estimated(write_config(tmp_path, faults={"count": 100_000}))
    assert 0 < few.seconds < many.seconds
    assert few.disk_bytes < many.disk_bytes


def test_the_time_is_split_and_within_a_range(tmp_path: Path) -> None:
    found = estimated(write_config(tmp_path, faults={"count": 100_000}))
    assert found.seconds == pytest.approx(found.setup_seconds + found.injection_seconds + found.storing_seconds)
    assert found.setup_seconds < found.least_seconds < found.seconds < found.most_seconds
    most, least = found.most_seconds - found.seconds, found.seconds - found.least_seconds
    assert most >= SPREAD * found.injection_seconds * 0.999
    assert least < most, "a rate may be wrong by the same factor either way"
    assert 0 <= found.others_share <= 1


def test_what_loading_and_ranking_took_is_part_of_the_time(tmp_path: Path) -> None:
    prepared = prepare(load_config(write_config(tmp_path)))
    assert 0 < prepared.seconds < estimate(prepared).seconds
    assert estimate(replace(prepared, seconds=1000.0)).seconds > 1000
