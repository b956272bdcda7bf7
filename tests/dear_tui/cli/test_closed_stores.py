"""What a command opens of a store, it closes, also where it is refused."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from engine.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Store]:
    """Every store that is opened and not closed yet, in whichever process of this test."""
    there: list[Store] = []
    begin, end = Store.__init__, Store.close

    def begun(store: Store, path: Path, read_only: bool) -> None:
        begin(store, path, read_only)
        there.append(store)

    def ended(store: Store) -> None:
        end(store)
        if store in there:
            there.remove(store)

    monkeypatch.setattr(Store, "__init__", begun)
    monkeypatch.setattr(Store, "close", ended)
    return there


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",), ("list", "--json"), ("show", "1"), ("show", "1", "--json"), ("show", "9"), ("verify",),
        ("verify", "9"), ("export", "1", "--format", "csv", "--output", "out"), ("export", "9"), ("worker", "status"),
        ("worker", "status", "--json"), ("worker", "stop"), ("pause", "1"), ("pause", "9"), ("retry", "1"),
        ("move", "1", "2"), ("rename", "1", "other"), ("note", "1", "mine"), ("delete", "1", "--yes"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_each_command_closes_what_it_opened(
    arguments: tuple[str, ...],
    invoke: Invoke,
    finished_store: Path,
    opened: list[Store],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    store = shutil.copytree(finished_store, tmp_path / "store")
    opened.clear()
    invoke(*arguments, "--store", store)
    assert opened == []


def test_run_closes_what_it_opened_finished_or_refused(
    invoke: Invoke, finished_store: Path, opened: list[Store], tmp_path: Path
) -> None:
    store = shutil.copytree(finished_store, tmp_path / "store")
    config = finished_store.parent / "small.toml"
    assert invoke("run", config, "--store", store).code == 0
    assert opened == []
    (store / "state.sqlite").write_text("no database")
    assert invoke("run", config, "--store", store).code == 3
    assert opened == []
