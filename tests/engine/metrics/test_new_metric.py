"""A new metric is a file and an entry in the registry: two are added to a copy of the packages, and used throughout."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.metrics.registry import METRICS
from tests.package_copy import answer_of, copy_packages

NEW = Path(__file__).parent / "new"
ADDED = {"activity": "features", "brightness": "pixels"}
OF_LOGITS = [name for name, metric in METRICS.items() if metric.needs == "logits"]


def add_to_registry(packages: Path) -> None:
    """The whole of what is written: a file for each metric, its import and its entry."""
    registry = packages / "engine/metrics/registry.py"
    text = registry.read_text(encoding="utf-8")
    for name in ADDED:
        shutil.copy(NEW / f"{name}.py", registry.parent)
        entry = name.upper()
        text = text.replace("\nif TYPE_CHECKING", f"\nfrom engine.metrics.{name} import {entry}\n\nif TYPE_CHECKING", 1)
        text = text.replace("        CROSS_ENTROPY,\n", f"        CROSS_ENTROPY,\n        {entry},\n")
    registry.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    packages = copy_packages(tmp_path_factory.mktemp("packages"))
    add_to_registry(packages)
    return packages


@pytest.fixture(scope="module")
def found(copied: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return answer_of(NEW / "use_them.py", copied, tmp_path_factory.mktemp("campaigns"))


def test_the_config_and_the_form_offer_it(found: dict[str, Any]) -> None:
    assert set(ADDED) < set(found["choices"])
    assert all(f", {name}, " in found["wrong"] for name in ADDED)


def test_central_asks_for_a_center_where_the_metric_has_none(found: dict[str, Any]) -> None:
    assert 'missing; select = "central" needs it, because activity has no value of its own' in found["without center"]
    assert found["with center"] == ""


@pytest.mark.parametrize("name", ADDED)
def test_a_campaign_is_ranked_by_it(found: dict[str, Any], name: str) -> None:
    campaign = found[name]
    assert campaign["is_right"]
    assert campaign["is_ranked"]


@pytest.mark.parametrize("name", ADDED)
def test_others_than_those_of_logits_are_computed_only_where_asked_for(found: dict[str, Any], name: str) -> None:
    assert found[name]["computed"] == sorted([*OF_LOGITS, name])


@pytest.mark.parametrize("name", ADDED)
def test_summary_sql_and_charts_know_it(found: dict[str, Any], name: str) -> None:
    campaign = found[name]
    assert campaign["images"] == sorted([*OF_LOGITS, name])
    assert campaign["questions"] == 10
    assert (campaign["curve"], campaign["scatter"]) == (name, name)
    assert campaign["table_four"] == ["pre_plateau", "all"]
    assert campaign["summary"]
