"""A new sampling design is a file and an entry in the registry: one is added to a copy of the packages, and used."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.faults.designs.registry import SAMPLINGS
from tests.package_copy import answer_of, copy_packages

NEW = Path(__file__).parent / "new"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    packages = copy_packages(tmp_path_factory.mktemp("packages"))
    registry = packages / "engine/faults/designs/registry.py"
    shutil.copy(NEW / "halves.py", registry.parent)
    text = registry.read_text(encoding="utf-8")
    text = text.replace("\nDESIGNS:", "\nfrom engine.faults.designs.halves import HALVES\n\nDESIGNS:", 1)
    registry.write_text(text.replace("EXHAUSTIVE)\n", "EXHAUSTIVE, HALVES)\n"), encoding="utf-8")
    return answer_of(NEW / "use_it.py", packages, tmp_path_factory.mktemp("campaign"))


def test_the_config_and_the_form_offer_it(found: dict[str, Any]) -> None:
    assert found["choices"] == [*SAMPLINGS[:-1], "halves", "list"]


def test_each_fault_is_kept_with_its_stratum_and_what_it_stands_for(found: dict[str, Any]) -> None:
    before, last = found["population"]
    assert (before, last) == (3 * (150 + 2400 + 48_000 + 10_080), 3 * 840)
    assert found["strata"] == [[0, 30, before / 30, before / 30], [1, 30, last / 30, last / 30]]


def test_every_total_weighs_the_strata(found: dict[str, Any]) -> None:
    weights = [part / sum(found["population"]) for part in found["population"]]

    def weighted(key: str) -> float:
        return sum(weight * value for weight, value in zip(weights, found[key], strict=True))

    expected = weighted("by_stratum")
    assert found["map"] == pytest.approx(expected)
    assert found["table_one"] == found["details"] == pytest.approx(100 * expected)
    assert found["share"] == pytest.approx(weighted("critical_faults"))
    assert found["pooled"] != pytest.approx(100 * expected, rel=1e-3), "counting all alike would be wrong here"
