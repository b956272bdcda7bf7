"""A new executor is a file and a line of the registry: one is added to a copy of the packages, and used."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.package_copy import answer_of, copy_packages

NEW = Path(__file__).parent / "new"


def test_a_config_names_it_and_its_campaign_is_the_same(tmp_path: Path) -> None:
    packages = copy_packages(tmp_path / "packages")
    shutil.copy(NEW / "backwards.py", packages / "engine/running/blocks")
    registry = packages / "engine/config/executors.py"
    line, added = '{"local":', '{"backwards": "engine.running.blocks.backwards:BackwardsExecutor", "local":'
    text = registry.read_text(encoding="utf-8")
    assert line in text
    registry.write_text(text.replace(line, added), encoding="utf-8")
    found = answer_of(NEW / "use_it.py", packages, tmp_path)
    assert found["choices"] == ["backwards", "local"]
    assert found["is_same"]
