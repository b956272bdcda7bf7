"""Every sample config runs, cut to few faults and images, and says what it claims to say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dear_tui.cli.demo import DEMO
from engine.config import CampaignConfig, load_config, parse_config
from engine.execution import execute
from engine.preparation import prepare

if TYPE_CHECKING:
    from engine.store import CampaignStatus

SAMPLES = Path(__file__).parents[1] / "sample_configs"

pytestmark = pytest.mark.usefixtures("one_thread")


class Silent:
    """A listener that hears nothing."""

    def on_campaign(self, status: CampaignStatus) -> None: ...

    def on_progress(self, progress: object) -> None: ...

    def on_note(self, note: str) -> None: ...


def cut(config: CampaignConfig) -> CampaignConfig:
    """The same campaign with few faults, on the most challenging images, in little memory."""
    faults = config.faults.model_copy(update={"count": 20})
    workload = config.workload.model_copy(update={"select": "top_n", "n": 8})
    run = config.run.model_copy(update={"memory": 10_000_000})
    return config.model_copy(update={"faults": faults, "workload": workload, "run": run})


def finishes(config: CampaignConfig, store: Path) -> bool:
    status = execute(prepare(cut(config)), store, Silent(), lambda: False)
    return (status.state, status.pairs_done) == ("finished", 20 * 8)


def test_every_sample_is_tested_here() -> None:
    assert {path.name for path in SAMPLES.glob("*.toml")} == {
        "lenet5-mnist.toml",
        "resnet20-cifar10.toml",
        "template.toml",
    }


@pytest.mark.parametrize("name", ["lenet5-mnist.toml", "template.toml"])
def test_a_sample_that_needs_nothing_runs(name: str, tmp_path: Path) -> None:
    assert finishes(load_config(SAMPLES / name), tmp_path)


def test_the_resnet20_sample_runs_where_its_files_are(shared_data: Path, tmp_path: Path) -> None:
    sample = SAMPLES / "resnet20-cifar10.toml"
    (tmp_path / sample.name).write_text(sample.read_text())
    (tmp_path / "resnet20-cifar10.th").symlink_to(shared_data / "weights" / "resnet20-cifar10.th")
    (tmp_path / "cifar10").symlink_to(shared_data / "cifar10")
    assert finishes(load_config(tmp_path / sample.name), tmp_path / "store")


def test_the_demo_is_its_sample_spelled_out() -> None:
    assert parse_config(DEMO, "demo") == load_config(SAMPLES / "lenet5-mnist.toml")


def test_the_template_shows_the_defaults() -> None:
    """Also those in comments, but for examples of what has no default."""
    text = (SAMPLES / "template.toml").read_text()
    defaults = parse_config(DEMO, "demo")
    assert load_config(SAMPLES / "template.toml").model_copy(update={"name": DEMO["name"]}) == defaults
    commented = tomllib.loads(re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE))
    for section in ("model", "dataset", "faults", "workload", "run"):
        shown = getattr(defaults, section)
        assert set(commented[section]) == set(type(shown).model_fields)
        for key, value in commented[section].items():
            default = getattr(shown, key)
            assert default is None or key == "memory" or value == default, f"{section}.{key}"
