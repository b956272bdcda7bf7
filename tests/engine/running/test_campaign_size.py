"""What is counted without running anything is what is run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.config.campaign_config import load_config, parse_config
from engine.errors import InputError
from engine.running.campaign_size import count
from engine.running.estimate import load_material
from engine.running.preparation import prepare
from tests.small_campaign import write_config

DEMO = {"name": "x", "model": {"arch": "lenet5"}, "dataset": {"name": "mnist"}}


@pytest.mark.parametrize(
    "changes",
    [
        {"faults": {"count": None, "error_margin": 0.1}},
        {"faults": {"layers": ["fc*"], "population": "x64"}},
        {"workload": {"select": "top_n", "n": 7}},
        {"workload": {"select": "fraction", "fraction": 0.3}},
        {"workload": {"select": "random", "fraction": 0.1}},
    ],
)
def test_it_is_the_size_of_what_is_prepared(changes: dict[str, Any], tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path, **changes))
    size, prepared = count(config, load_material(config)), prepare(config)
    assert (size.faults, size.population) == (len(prepared.faults), prepared.faults.population)
    assert (size.images, size.pairs) == (len(prepared.workload), prepared.pairs)


def test_images_by_metric_are_known_only_from_ranking(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path, workload={"select": "central"}))
    material = load_material(config)
    size = count(config, material)
    assert (size.images, size.pairs, size.disk_bytes) == (None, None, None)
    assert count(config, material, 5).pairs == 5 * size.faults


def test_what_is_left_out_is_said_where_it_is_more_than_norms_and_biases(tmp_path: Path) -> None:
    config = load_config(write_config(tmp_path))
    material = load_material(config)
    assert material.injected == ""
    assert count(config, replace(material, injected="664 of 1,240")).injected == "664 of 1,240"


def test_what_cannot_be_had_is_refused() -> None:
    material = load_material(parse_config(DEMO, "demo"))
    for changes, words in (
        ({"faults": {"layers": ["conv9"]}}, "matches no layer"),
        ({"workload": {"select": "top_n", "n": 10_001}}, "10001 images are asked of a data set of 10000"),
    ):
        with pytest.raises(InputError, match=words):
            count(parse_config(DEMO | changes, "demo"), material)
