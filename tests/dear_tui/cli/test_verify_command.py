"""`dear-tui verify`: what it says, its exit code, and that `run` then mends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from engine.store import Store
from tests.dear_tui.cli.test_run_command import severities
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dear_tui.cli.conftest import Invoke

pytestmark = pytest.mark.usefixtures("one_thread")


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def parts(store: Path) -> list[str]:
    """The names of campaign 1's parts in order; how many there are depends on the batch floor of the processor."""
    return sorted(path.name for path in (store / "campaigns" / "campaign=000001" / "severity").iterdir())


def test_a_good_store_is_said_so(invoke: Invoke, finished_store: Path) -> None:
    done = invoke("verify", "--store", finished_store)
    said = f"campaign 1: {len(parts(finished_store))} parts and the sealed file are as written\n"
    assert (done.code, done.out, done.err) == (0, said, "")
    assert invoke("verify", "1", "--store", finished_store).out == done.out
    (good,) = json.loads(invoke("verify", "--json", "--store", finished_store).out)
    assert good == {
        "id": 1, "name": "small", "state": "finished", "parts": len(parts(finished_store)), "rebuilt": 0, "problems": []
    }  # fmt: skip


def test_bad_files_are_named_and_the_next_run_mends_them(invoke: Invoke, tmp_path: Path, finished_store: Path) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    assert invoke("run", config, "--store", store).code == 0
    folder = store / "campaigns" / "campaign=000001"
    first, *_, last = parts(store)
    flip_a_bit(folder / "severity" / first)
    (folder / "fault_summary" / last).unlink()
    flip_a_bit(folder / "images.parquet")
    done = invoke("verify", "--store", store)
    assert done.code == 1
    assert done.out.splitlines() == [
        f"campaign 1: {folder}/images.parquet: damaged; running its config again fixes it",
        f"campaign 1: {folder}/severity/{first}: damaged; running its config again fixes it",
        f"campaign 1: {folder}/fault_summary/{last}: missing; running its config again fixes it",
    ]
    assert done.err == ""
    assert Store.open(store, read_only=True).campaign(1).state == "paused"
    mended = invoke("run", config, "--store", store)
    assert mended.code == 0
    assert f"note: {folder}/images.parquet: missing; written again" in mended.err
    assert invoke("verify", "--store", store).code == 0
    assert severities(store) == severities(finished_store)


def test_a_bad_sealed_file_is_made_again_at_once(invoke: Invoke, tmp_path: Path) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    assert invoke("run", config, "--store", store).code == 0
    sealed = store / "campaigns" / "campaign=000001" / "campaign.duckdb"
    flip_a_bit(sealed)
    done = invoke("verify", "1", "--store", store)
    assert (done.code, done.out) == (1, f"campaign 1: {sealed}: damaged; made again from the parts\n")
    assert invoke("verify", "1", "--store", store).code == 0


def test_a_damaged_part_leaves_the_other_campaigns_readable_and_verify_all_of_them(
    invoke: Invoke, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    for seed in (5, 6):
        config = write_config(tmp_path, f"{seed}.toml", faults={"seed": seed})
        assert invoke("run", config, "--store", store).code == 0
    part = store / "campaigns" / "campaign=000001" / "severity" / parts(store)[0]
    part.write_bytes(part.read_bytes()[:100])
    query = "select campaign, count(*) as pairs from severity"
    asked = invoke("sql", f"{query} group by 1", "--store", store)
    assert (asked.code, asked.out, asked.err.count("\n")) == (2, "", 1)
    assert asked.err.endswith(
        "`dear-tui verify 1` sets it aside, and the query works again; until then leave the campaign out: "
        "WHERE campaign <> 1\n"
    )
    assert str(part) in asked.err
    left = invoke("sql", f"{query} WHERE campaign <> 1 group by 1", "--store", store)
    assert (left.code, left.out) == (0, "campaign,pairs\n2,2400\n")
    assert invoke("verify", "1", "--store", store).code == 1
    again = invoke("sql", f"{query} group by 1 order by 1", "--store", store)
    first, second = again.out.splitlines()[1:]
    assert (again.code, second) == (0, "2,2400")
    assert 0 < int(first.removeprefix("1,")) < 2400


def test_a_damaged_description_does_not_lock_the_user_out(invoke: Invoke, tmp_path: Path) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    assert invoke("run", config, "--store", store).code == 0
    description = store / "campaigns" / "campaign=000001" / "campaign.json"
    description.write_text(description.read_text()[:100])
    assert invoke("list", "--store", store).code == 0
    shown = invoke("show", "1", "--store", store)
    assert (shown.code, shown.err.count("\n")) == (3, 1)
    assert f"{description}: cannot be read" in shown.err
    asked = invoke("sql", "from campaigns", "--store", store)
    assert (asked.code, asked.err.count("\n")) == (2, 1)
    assert str(description) in asked.err
    assert "`dear-tui verify 1`" in asked.err
    assert invoke("verify", "--store", store).code == 1
    assert invoke("sql", "select count(*) from severity", "--store", store).out == "count_star()\n2400\n"
    assert invoke("run", config, "--store", store).code == 0
    assert invoke("show", "1", "--store", store).code == 0


def test_after_the_loss_of_the_state_file_rows_are_what_can_be_checked(invoke: Invoke, tmp_path: Path) -> None:
    config, store = write_config(tmp_path), tmp_path / "store"
    assert invoke("run", config, "--store", store).code == 0
    for path in store.glob("state.sqlite*"):
        path.unlink()
    done = invoke("verify", "--store", store)
    assert done.code == 0
    count = len(parts(store))
    assert done.out == f"campaign 1: {count} parts and the sealed file agree with themselves\n"
    assert f"receipts of {count} parts were lost" in done.err


def test_what_cannot_be_verified(invoke: Invoke, tmp_path: Path, finished_store: Path) -> None:
    nowhere = invoke("verify", "--store", tmp_path / "store")
    assert (nowhere.code, nowhere.out) == (3, "")
    assert "there is no store here" in nowhere.err
    assert not (tmp_path / "store").exists()
    unknown = invoke("verify", "9", "--store", finished_store)
    assert (unknown.code, unknown.out) == (2, "")
    assert "there is no campaign 9" in unknown.err
    also = invoke("verify", "9", "1", "--store", finished_store)
    assert (also.code, also.out) == (2, invoke("verify", "1", "--store", finished_store).out)
    assert "there is no campaign 9" in also.err


def test_an_empty_store_has_nothing_to_verify(invoke: Invoke, tmp_path: Path) -> None:
    Store.open(tmp_path / "store").close()
    done = invoke("verify", "--store", tmp_path / "store")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"no campaigns in {tmp_path}/store; start with: dear-tui demo\n"
