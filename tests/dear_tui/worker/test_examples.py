"""The systemd unit and the Slurm script of docs/queue.md: what they start, started as they start it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dear_tui.worker.loop import INTERRUPTED
from engine.store import Store
from tests.dear_tui.worker.conftest import DEADLINE, LAUNCHED, submit, until
from tests.small_campaign import write_config

PAGE = (Path(__file__).parents[3] / "docs" / "queue.md").read_text(encoding="utf-8")


def block(language: str, marker: str) -> str:
    """The page's block of code in which `marker` stands."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return next(text for text in blocks if marker in text)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with dear-tui where the examples have it, and one queued campaign."""
    folder = tmp_path / "home"
    (folder / "dear-tui/.venv/bin").mkdir(parents=True)
    program = folder / "dear-tui/.venv/bin/dear-tui"
    program.write_text(f"#!{sys.executable}\n{LAUNCHED}")
    program.chmod(0o755)
    submit(folder / "dear-store", write_config(folder, "my.toml"))
    return folder


@pytest.fixture
def bare(home: Path) -> dict[str, str]:
    """The little that a service manager gives: no terminal, no PATH to speak of."""
    kept = {name: value for name, value in os.environ.items() if name in ("PYTHONPATH", "OMP_NUM_THREADS")}
    return {"HOME": str(home), "PATH": "/usr/bin:/bin", **kept}


def test_the_systemd_unit_runs_the_queue_and_stops_on_sigterm(home: Path, bare: dict[str, str]) -> None:
    unit = block("ini", "ExecStart")
    command = re.search(r"^ExecStart=(.*)$", unit, flags=re.MULTILINE)
    assert command is not None
    words = shlex.split(command[1].replace("%h", str(home)))
    process = subprocess.Popen(words, cwd="/", env=bare, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    store = Store.open(home / "dear-store", read_only=True)
    until(lambda: store.campaign(1).state == "finished", "the campaign's end")
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, "what systemd calls a clean end"
    assert log.splitlines()[-1].endswith("worker ended")
    assert f"\nSuccessExitStatus={INTERRUPTED}\n" in unit, "stopped twice it ends with this, and is not to be restarted"


def test_systemd_finds_nothing_wrong_with_the_unit(home: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    unit = home / "dear-tui.service"
    unit.write_text(block("ini", "ExecStart").replace("%h", str(home)))
    checked = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"XDG_RUNTIME_DIR": str(home)},
    )
    assert "dear-tui.service" not in checked.stderr, checked.stderr


def test_the_slurm_script_runs_the_queue_and_ends_with_it(home: Path, bare: dict[str, str]) -> None:
    script = home / "job.sh"
    script.write_text(block("sh", "#SBATCH"))
    command = ["/bin/bash", str(script)]
    done = subprocess.run(command, cwd="/", env=bare, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert Store.open(home / "dear-store", read_only=True).campaign(1).state == "finished"
