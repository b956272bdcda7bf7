"""The store of somebody else: closed to others; opened to them, or mounted read-only, it can be browsed and asked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dear_tui.cli import main
from dear_tui.cli.run import ProgressLine
from tests.dear_tui.cli.conftest import Finished
from tests.dear_tui.forked import Forked
from tests.dear_tui.worker.conftest import DEADLINE
from tests.small_campaign import FAULTS, IMAGES, write_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")

REPOSITORY = Path(__file__).parents[3]
PROGRAM = """
import os, sys
from contextlib import redirect_stderr, redirect_stdout
from dear_tui.cli import main
*command, warm, store = sys.argv[1:]
# as root, on another store: nobody may not be allowed to read this Python, and what is imported late would be missing
with open(os.devnull, "w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
    main([*command, "--store", warm])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(main([*command, "--store", store]))
"""
READING = [
    ("list", "--json"),
    ("show", "1", "--json"),
    ("sql", "SELECT severity, count(*) FROM severity GROUP BY ALL ORDER BY ALL"),
    ("sql", "SELECT state, pairs_done FROM campaigns"),
]

KILLED = """
import os, signal, sys
from pathlib import Path
from engine.store import Store
store = Store.open(Path(sys.argv[1]))
store.set_state(1, "paused", "as it was last")
os.kill(os.getpid(), signal.SIGKILL)
"""


def as_nobody(*command: str | Path, store: Path) -> Finished:
    """Run `dear-tui COMMAND --store STORE` as another user, whom the mode bits stop."""
    process = Forked(store.parent, PROGRAM, *command, store.with_name("warm"), store)
    out, err = process.communicate(DEADLINE)
    return Finished(process.wait(), out, err)


@pytest.fixture
def store(finished_store: Path) -> Iterator[Path]:
    """A copy of the finished store, for its owner only, in a folder that others can enter (unlike tmp_path)."""
    if os.getuid() != 0:
        pytest.skip("NOT ROOT: nobody else can be become here, so other users are not tested")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for name in ("store", "warm"):
            path = Path(folder) / name
            shutil.copytree(finished_store, path, ignore=shutil.ignore_patterns("state.sqlite-shm"))
            path.chmod(0o700)
            with closing(sqlite3.connect(path / "state.sqlite")) as connection:  # the last one tidies the WAL up
                connection.execute("SELECT * FROM campaigns").fetchall()
            assert not list(path.glob("state.sqlite-*"))
        yield Path(folder) / "store"


def open_to_others(store: Path) -> None:
    for path in (store, *store.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


def contents(store: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in store.rglob("*") if path.is_file() and "sqlite-shm" not in path.name}


@pytest.mark.parametrize("command", [*READING, ("export", "1"), ("verify",), ("run", "{config}")])
@pytest.mark.parametrize("mode", [0o700, 0o711, 0o744, 0o755], ids=oct)
def test_somebody_elses_store_cannot_be_read(store: Path, mode: int, command: tuple[str, ...]) -> None:
    store.chmod(mode)  # of the folder alone: its files are closed all the same
    config = write_config(store.parent)
    never = store.with_name("never")
    output = ("--output", never, "--force") if command[0] == "export" else ()
    before = contents(store)
    done = as_nobody(*(argument.format(config=config) for argument in command), *output, store=store)
    assert (done.code, done.out) == (3, ""), done.err
    assert done.err.startswith("dear-tui: ")
    assert done.err.count("\n") == 1
    assert str(store) in done.err
    assert contents(store) == before


@pytest.mark.parametrize("command", READING)
def test_a_store_that_is_opened_to_others_can_be_browsed_and_asked(
    invoke: Invoke, store: Path, command: tuple[str, ...]
) -> None:
    expected = invoke(*command, "--store", store)
    open_to_others(store)
    before = contents(store)
    done = as_nobody(*command, store=store)
    assert (done.code, done.out, done.err) == (0, expected.out, "")
    assert contents(store) == before


def test_it_can_be_exported_but_not_written(store: Path) -> None:
    config = write_config(store.parent)
    open_to_others(store)
    target = store.parent / "public"
    target.mkdir()
    target.chmod(0o777)
    done = as_nobody("export", "1", "--force", "--output", target / "mine.duckdb", store=store)
    assert (done.code, done.out, done.err) == (0, f"{target}/mine.duckdb\n", "")
    for command in (("run", "--again", str(config)), ("verify",)):
        refused = as_nobody(*command, store=store)
        assert (refused.code, refused.out, refused.err.count("\n")) == (3, "", 1)
        assert str(store) in refused.err


def test_what_a_killed_writer_left_in_the_wal_is_read_there_too(store: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(store)], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (store / "state.sqlite-wal").stat().st_size > 0
    open_to_others(store)
    (campaign,) = json.loads(as_nobody("list", "--json", store=store).out)
    assert (campaign["state"], campaign["error"]) == ("paused", "as it was last")


@pytest.mark.parametrize("command", READING)
def test_a_store_on_a_read_only_mount_can_be_browsed_and_asked(
    invoke: Invoke, store: Path, command: tuple[str, ...]
) -> None:
    """By root as well, whom no mode bit stops."""
    expected = invoke(*command, "--store", store)
    mount = ["mount", "--bind", "-o", "ro", str(store), str(store)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("NO READ-ONLY MOUNT: nothing can be mounted here, so it is not tested")
    try:
        if os.access(store, os.W_OK):
            pytest.skip("NO READ-ONLY MOUNT: it can be written all the same, so it is not tested")
        assert invoke(*command, "--store", store) == expected
        refused = invoke("verify", "--store", store)
        assert (refused.code, refused.out, refused.err.count("\n")) == (3, "", 1)
        assert "Read-only file system" in refused.err
    finally:
        subprocess.run(["umount", "--lazy", str(store)], check=True)


def listening() -> list[str]:
    """The sockets of this process that others could connect to."""
    own = {str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}
    sockets = []
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{protocol}").read_text().splitlines()[1:]:
            if f"socket:[{line.split()[9]}]" in own:
                sockets.append(line)
    return sockets


def test_nothing_listens_on_a_network_while_a_campaign_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    on_progress = ProgressLine.on_progress

    def watched(self: ProgressLine, progress: Any) -> None:
        on_progress(self, progress)
        seen.append(listening())

    monkeypatch.setattr(ProgressLine, "on_progress", watched)
    assert main(["run", str(write_config(tmp_path)), "--store", str(tmp_path / "store")]) == 0
    assert len(seen) > FAULTS * IMAGES // 1000
    assert not any(seen)
