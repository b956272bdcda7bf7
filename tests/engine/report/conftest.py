"""Small campaigns of every kind in one store, to be reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.store import Store
from tests.conftest import in_one_thread
from tests.engine.running.test_campaign import after, run
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTILE = "a <script>alert(1)</script> & 100 % _x_ $y$ \\z ~^ \x1b[31mred\x07 {b}"
"""a name that is markup in every format, and steers a terminal"""

FINISHED, UNFINISHED, SCREENED, CRITICAL, FILTERED, SUBSET, STOPPED, SEED, NAMED = range(1, 10)
"""the campaigns of the store, by their numbers"""


@pytest.fixture(scope="session")
def reported_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    folder = tmp_path_factory.mktemp("reported")
    store = folder / "store"
    configs: dict[int, dict[str, Any]] = {
        FINISHED: {"faults": {"bits": None, "count": 400}},
        UNFINISHED: {"faults": {"seed": 3}},
        SCREENED: {"run": {"method": "screened"}},
        CRITICAL: {"run": {"goal": "critical_faults"}},
        FILTERED: {"faults": {"layers": ["fc*"], "bits": [30]}},
        SUBSET: {"workload": {"select": "top_n", "n": 10}},
        STOPPED: {"faults": {"count": 320, "bits": None, "seed": 1}, "run": {"precision": 0.5}},
        SEED: {"faults": {"bits": None, "count": 400, "seed": 7}},
        NAMED: {"name": HOSTILE, "faults": {"seed": 9}},
    }
    with in_one_thread():
        for number, changes in configs.items():
            config = write_config(folder, f"{number}.toml", **{"name": f"kind {number}", **changes})
            stop = after(4) if number == UNFINISHED else lambda: False
            assert run(config, store, stop).id == number
    return store


@pytest.fixture
def opened(reported_store: Path) -> Iterator[Store]:
    """The same, open."""
    with Store.open(reported_store, read_only=True) as store:
        yield store
