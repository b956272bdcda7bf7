"""A copy of both packages, to which a test adds a file and a line of a registry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def copy_packages(folder: Path) -> Path:
    """Copy them into a folder, which is returned."""
    for package in ("engine", "dear_tui"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def answer_of(script: Path, packages: Path, folder: Path) -> dict[str, Any]:
    """What a script prints as JSON in its last line, run with the copied packages and a folder of its own."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (packages, ROOT)))}
    command = [sys.executable, str(script), str(folder)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert answer["package"] == str(packages)
    return answer
