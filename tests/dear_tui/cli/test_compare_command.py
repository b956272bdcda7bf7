"""`dear-tui compare`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke


@pytest.fixture
def two(invoke: Invoke, tmp_path: Path) -> Path:
    """A store with a finished campaign and a queued one of another seed."""
    store = tmp_path / "store"
    assert invoke("run", write_config(tmp_path, faults={"seed": 1}), "--store", store).code == 0
    other = write_config(tmp_path, "other.toml", faults={"seed": 2})
    assert invoke("submit", other, "--no-start", "--store", store).code == 0
    return store


def test_what_differs_and_what_each_found(invoke: Invoke, two: Path) -> None:
    done = invoke("compare", "1", "2", "--format", "csv", "--store", two)
    assert done.code == 0
    heading, first, second = done.out.splitlines()
    assert heading.startswith("campaign,state,faults.seed,faults,images,critical_percent,low_percent,high_percent")
    assert first.startswith("1,finished,1,60,40,")
    assert second.startswith("2,queued,2,,")
    found = json.loads(invoke("compare", "1", "2", "--format", "json", "--store", two).out)
    assert [each["factors"] for each in found] == [{"faults.seed": 1}, {"faults.seed": 2}]
    assert found[0]["lowering_faults"] is not None


@pytest.mark.parametrize(
    ("ids", "sentence"), [(["1"], "give two campaigns or more"), (["1", "9"], "there is no campaign 9")]
)
def test_what_cannot_be_compared_is_one_sentence(
    invoke: Invoke, finished_store: Path, ids: list[str], sentence: str
) -> None:
    done = invoke("compare", *ids, "--store", finished_store)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert done.err.count("\n") == 1
