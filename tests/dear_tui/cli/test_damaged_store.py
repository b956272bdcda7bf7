"""Commands on a damaged store: a sentence each, and `verify` and then `run` give the whole campaign back."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from dear_tui.cli import main
from tests.dear_tui.cli.test_run_command import severities
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")

CAMPAIGN = "campaigns/campaign=000001"


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES: list[tuple[str, Callable[[Path], None]]] = [
    (f"{CAMPAIGN}/campaign.json", cut),
    (f"{CAMPAIGN}/images.parquet", make_a_pipe),
    (f"{CAMPAIGN}/severity", remove),
    (f"{CAMPAIGN}/fault_summary/part-000000.parquet", make_a_folder),
    (f"{CAMPAIGN}/campaign.duckdb", make_a_folder),
    (CAMPAIGN, remove),
    ("campaigns/campaign=000000/fault_summary/part-000000.parquet", cut),
    ("campaigns/campaign=000000", remove),
    ("state.sqlite", remove),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:  # noqa: ARG001
    """A finished campaign, computed with as many threads as it is mended with; not to be written to."""
    folder = tmp_path_factory.mktemp("whole")
    assert main(["run", str(write_config(folder)), "--store", str(folder / "store")]) == 0
    return folder


@pytest.mark.parametrize(("file", "damage"), DAMAGES, ids=[f"{file}-{damage.__name__}" for file, damage in DAMAGES])
def test_every_command_ends_in_a_sentence_and_verify_and_run_mend(
    invoke: Invoke, tmp_path: Path, whole: Path, file: str, damage: Callable[[Path], None]
) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    config, store = tmp_path / "small.toml", tmp_path / "store"
    damage(store / file)
    for command in (
        ["list"],
        ["list", "--json"],
        ["show", "1"],
        ["show", "1", "--json"],
        ["sql", "SELECT campaign, count(*) FROM severity GROUP BY 1"],
        ["sql", "FROM campaigns"],
        ["export", "1", "--format", "csv", "--output", tmp_path / "exported", "--force"],
        ["export", "1", "--output", tmp_path / "exported.duckdb", "--force"],
        ["worker", "status"],
        ["verify"],
    ):
        done = invoke(*command, "--store", store)
        assert done.code in (0, 1, 2, 3)
        assert "Traceback" not in done.err
        assert done.code == 0 or command == ["verify"] or done.err.startswith(("dear-tui: ", "note: ")), done.err
    assert invoke("run", config, "--store", store).code == 0
    done = invoke("verify", "--store", store)
    assert (done.code, done.err) == (0, "") or file == "state.sqlite"
    assert severities(store) == severities(whole / "store")
    assert invoke("show", "1", "--store", store).code == 0
