"""A store that the tests of the SQL screen share, and a folder of each test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.dear_tui.sql_store import make_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def sql_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One campaign of made-up outcomes; nothing writes to it."""
    return make_store(tmp_path_factory.mktemp("sql") / "store")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that relative paths start at."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
