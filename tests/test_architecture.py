"""Arrows between the packages point one way, and the program starts without its heavy libraries."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "torchvision", "textual", "duckdb", "psutil", "tomlkit")


def test_imports_follow_the_contracts() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


MOST_MODULES, MOST_LOOSE = 24, 16


def test_no_folder_holds_more_than_one_can_take_in() -> None:
    """Modules beside `__init__.py`; those that lie in no folder of their package are loose."""
    modules = [path for package in ("engine", "dear_tui") for path in (ROOT / package).rglob("*.py")]
    folders = Counter(path.parent.relative_to(ROOT) for path in modules if path.name != "__init__.py")
    assert {str(folder): count for folder, count in folders.items() if count > MOST_MODULES} == {}
    assert folders[Path("engine")] + folders[Path("dear_tui")] <= MOST_LOOSE


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["train", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from dear_tui.cli import main
assert main({arguments!r}) == 0
print(*{set(HEAVY)!r}.intersection(sys.modules), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.split() == []
    assert "dear-tui" in done.stdout


def test_a_campaign_imports_no_compiler() -> None:
    """torch's takes as long to import as all else together; torchvision brings it along, and so may tracing."""
    code = """
import sys
import torch
import engine.running.execution
from engine.injection.injection import Injection
from engine.models.build import build_model
torch.set_num_threads(1)
network = build_model("lenet5", 1, 10).requires_grad_(False)
assert Injection(network, torch.rand(2, 1, 28, 28), 10**6, "fast").notes == []
print(*{"torch._dynamo", "torchvision"}.intersection(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []
