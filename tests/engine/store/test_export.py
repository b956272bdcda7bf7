"""A campaign as files of its own."""

from pathlib import Path

import duckdb
import pytest

from engine.errors import DearError, InputError
from engine.store import Store
from engine.store.export import export_sealed, export_tables
from engine.store.sql.sql import SqlSession
from tests.engine.store.mend.test_recovery import flip_a_bit
from tests.engine.store.stored_campaigns import PLAN, Truth, filled_store, new_campaign, write

VIEWS = (
    *("campaigns", "faults", "images", "severity", "critical", "fault_summary", "image_summary"),
    *("accuracy_cost", "layers", "sites", "parts", "audit", "curve"),
)


@pytest.fixture
def two_campaigns(tmp_path: Path) -> Store:
    """Campaign 1 is finished, campaign 2 is not."""
    store, first, _ = filled_store(tmp_path / "it's [a] store")
    other = new_campaign(seed=5, fingerprint="other")
    with store.lock():
        store.writer(first).seal()
        write(store.writer(store.create(other)), Truth.of(other, seed=6), PLAN[:2])
    return store


@pytest.mark.parametrize("campaign", [1, 2])
def test_parquet_holds_every_view_of_one_campaign(two_campaigns: Store, tmp_path: Path, campaign: int) -> None:
    folder = tmp_path / "it's out"
    folder.mkdir()
    assert tuple(export_tables(two_campaigns, campaign, "parquet", folder)) == VIEWS
    assert {path.name for path in folder.iterdir()} == {f"{view}.parquet" for view in VIEWS}
    with SqlSession(two_campaigns.layout.root) as session:
        for view in VIEWS:
            expected = session.query(f"SELECT * FROM {view} WHERE campaign = {campaign} ORDER BY ALL")
            path = str(folder / f"{view}.parquet").replace("'", "''")
            exported = duckdb.sql(f"SELECT * FROM read_parquet('{path}') ORDER BY ALL")
            assert exported is not None
            assert (tuple(exported.columns), tuple(map(str, exported.types))) == (expected.columns, expected.types)
            assert repr(exported.fetchall()) == repr(list(expected))


def test_csv_has_headings_and_every_row(two_campaigns: Store, tmp_path: Path) -> None:
    assert tuple(export_tables(two_campaigns, 1, "csv", tmp_path)) == VIEWS
    lines = (tmp_path / "severity.csv").read_text().splitlines()
    assert lines[0] == "campaign,fault_id,image_id,severity"
    assert len(lines) == 1 + 180
    assert len((tmp_path / "faults.csv").read_text().splitlines()) == 1 + 12


def test_the_sealed_file_is_copied_to_the_byte(two_campaigns: Store, tmp_path: Path) -> None:
    export_sealed(two_campaigns, 1, tmp_path / "copy.duckdb")
    assert (tmp_path / "copy.duckdb").read_bytes() == two_campaigns.layout.campaign(1).sealed.read_bytes()


def test_an_unfinished_campaign_has_no_duckdb_file(two_campaigns: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"campaign 2 is paused, .* run it to its end, or .*--format parquet or csv$"):
        export_sealed(two_campaigns, 2, tmp_path / "copy.duckdb")


def test_a_campaign_that_is_not_there_is_named(two_campaigns: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no campaign 7"):
        export_sealed(two_campaigns, 7, tmp_path / "copy.duckdb")
    with pytest.raises(InputError, match="there is no campaign 7"):
        list(export_tables(two_campaigns, 7, "csv", tmp_path))


@pytest.mark.parametrize("damage", [flip_a_bit, Path.unlink])
def test_a_damaged_sealed_file_is_not_passed_on(two_campaigns: Store, tmp_path: Path, damage) -> None:
    damage(two_campaigns.layout.campaign(1).sealed)
    with pytest.raises(DearError, match=r"campaign\.duckdb: (damaged|missing); `dear-tui verify 1` says"):
        export_sealed(two_campaigns, 1, tmp_path / "copy.duckdb")


@pytest.mark.parametrize("file", ["severity/part-000001.parquet", "critical/part-000000.parquet", "faults.parquet"])
def test_damaged_rows_are_not_passed_on(two_campaigns: Store, tmp_path: Path, file: str) -> None:
    flip_a_bit(two_campaigns.layout.campaign(2).folder / file)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(DearError, match=f"{file}: damaged; `dear-tui verify 2` says"):
        list(export_tables(two_campaigns, 2, "parquet", folder))
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(two_campaigns: Store, tmp_path: Path) -> None:
    with pytest.raises(DearError, match=r"nowhere: the export cannot be written there .*; give --output another place"):
        list(export_tables(two_campaigns, 1, "csv", tmp_path / "nowhere"))
