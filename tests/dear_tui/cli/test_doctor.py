"""What `doctor` learns of the store's place."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import psutil

from dear_tui.cli.doctor import file_system

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_file_system_is_that_of_the_nearest_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path.resolve()
    mounts = {"/": "ext4", str(place / "a b"): "nfs4", str(place / "a b" / "c"): "xfs"}
    told = [SimpleNamespace(mountpoint=where, fstype=kind) for where, kind in mounts.items()]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: told if all else [])
    assert file_system(place / "a b" / "store") == "nfs4"
    assert file_system(place / "a b" / "c" / "store") == "xfs"
    assert file_system(place) == "ext4"


def test_a_system_that_tells_no_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: [])  # noqa: ARG005
    assert file_system(tmp_path) == ""
