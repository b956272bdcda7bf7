"""Every sample config runs, cut to few faults and images, and says what it claims to say."""

from __future__ import annotations

import csv
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dear_tui.access.demo import DEMO
from engine.config.campaign_config import CampaignConfig, load_config, parse_config
from engine.running.execution import execute
from engine.running.preparation import prepare
from engine.store.sql.sql import SqlSession
from tests.engine.injection.networks import measure_little

if TYPE_CHECKING:
    from engine.steps import Step
    from engine.store import CampaignStatus

SAMPLES = Path(__file__).parents[1] / "sample_configs"

pytestmark = pytest.mark.usefixtures("one_thread")


class Silent:
    """A listener that hears nothing."""

    def on_campaign(self, status: CampaignStatus) -> None: ...

    def on_step(self, step: Step) -> None: ...

    def on_progress(self, progress: object) -> None: ...

    def on_note(self, note: str) -> None: ...


def cut(config: CampaignConfig) -> CampaignConfig:
    """The same campaign with few faults, on the most challenging images, in little memory beside the data set."""
    few = {"layers": ("conv1",), "bits": (30,)} if config.faults.sampling == "exhaustive" else {"count": 20}
    faults = config.faults.model_copy(update=few)
    workload = config.workload.model_copy(update={"select": "top_n", "n": 8})
    run = config.run.model_copy(update={"memory": 41_000_000})
    return config.model_copy(update={"faults": faults, "workload": workload, "run": run})


def finishes(config: CampaignConfig, store: Path) -> bool:
    status = execute(prepare(cut(config)), store, Silent(), lambda: False)
    faults = 150 if config.faults.sampling == "exhaustive" else 20
    return (status.state, status.pairs_done) == ("finished", faults * 8)


def test_every_sample_is_tested_here() -> None:
    assert {path.name for path in SAMPLES.glob("*.toml")} == {
        "lenet5-exhaustive.toml",
        "lenet5-mnist.toml",
        "resnet20-cifar10.toml",
        "resnet20-published-list.toml",
        "template.toml",
    }


@pytest.mark.parametrize("name", ["lenet5-mnist.toml", "lenet5-exhaustive.toml", "template.toml"])
def test_a_sample_that_needs_nothing_runs(name: str, tmp_path: Path) -> None:
    assert finishes(load_config(SAMPLES / name), tmp_path)


def test_the_resnet20_sample_runs_where_its_files_are(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the first 100 images: its metric takes a forward pass of the whole data set."""
    measure_little(monkeypatch)
    sample = beside_its_files("resnet20-cifar10.toml", shared_data, tmp_path)
    (tmp_path / "cifar10").unlink()
    (tmp_path / "cifar10").mkdir()
    with (shared_data / "cifar10" / "test_batch.bin").open("rb") as file:
        (tmp_path / "cifar10" / "test_batch.bin").write_bytes(file.read(100 * (1 + 3 * 32 * 32)))
    assert finishes(load_config(sample), tmp_path / "store")


def beside_its_files(name: str, shared_data: Path, folder: Path) -> Path:
    """A copy of a ResNet-20 sample with what it needs."""
    (folder / name).write_text((SAMPLES / name).read_text())
    (folder / "resnet20-cifar10.th").symlink_to(shared_data / "weights" / "resnet20-cifar10.th")
    (folder / "cifar10").symlink_to(shared_data / "cifar10")
    (folder / "ResNet20_FL.csv").symlink_to(shared_data / "truth" / "ResNet20_FL.csv")
    return folder / name


@pytest.mark.first
def test_the_published_list_gives_the_published_counts(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the last layer, on all 10,000 images: within 4 of the published count of critical images for each fault.

    Bit 30 and the bits below 18 are left out: the published run counted NaN otherwise, and used TF32.
    """
    measure_little(monkeypatch)
    config = load_config(beside_its_files("resnet20-published-list.toml", shared_data, tmp_path))
    bits = (*range(18, 30), 31)
    faults = config.faults.model_copy(update={"layers": ("linear",), "bits": bits})
    config = config.model_copy(update={"faults": faults})
    status = execute(prepare(config), tmp_path / "store", Silent(), lambda: False)
    assert (status.state, status.images) == ("finished", 10_000)
    with (shared_data / "truth" / "ResNet20_FL.csv").open() as file:
        published = {int(row["Injection"]): int(row["critical"]) for row in csv.DictReader(file)}
    with SqlSession(tmp_path / "store") as session:
        counts: dict[int, int] = dict(session.query("select fault_id, critical from fault_summary"))
    assert len(counts) == status.faults > 10
    assert sum(counts.values()) > 0
    assert max(abs(count - published[fault]) for fault, count in counts.items()) <= 4


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
