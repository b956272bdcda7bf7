"""A report written by a process of its own, from a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dear_tui.access.report_process import write_report
from engine.errors import DearError

if TYPE_CHECKING:
    from pathlib import Path


def test_each_report_has_a_folder_of_its_own(
    finished_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = [write_report(finished_store, ["1"], "report-campaign-1") for _ in range(2)]
    assert folders == [tmp_path / "report-campaign-1", tmp_path / "report-campaign-1-2"]
    for folder in folders:
        assert (folder / "report.html").read_text().startswith("<!DOCTYPE html>")
        assert (folder / "tables" / "fit.csv").is_file()


def test_what_fails_is_one_sentence(finished_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DearError, match=r"there is no campaign 99; `dear-tui list` shows which there are$"):
        write_report(finished_store, ["99"], "report")
    assert list(tmp_path.iterdir()) == []
