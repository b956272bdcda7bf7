"""Who may read and write what of a store, whatever the umask."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import Store
from engine.store.files import publish
from tests.engine.store.stored_campaigns import filled_store


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(store: Path) -> dict[str, int]:
    return {str(path.relative_to(store)): stat.S_IMODE(path.stat().st_mode) for path in store.rglob("*")}


@pytest.mark.usefixtures("umask")
def test_all_of_a_store_is_its_owners_and_the_catalogue_is_read_only(tmp_path: Path) -> None:
    store, campaign, _ = filled_store(tmp_path / "store")
    with store.lock():
        store.writer(campaign).seal()
    found = modes(store.layout.root)
    assert {"state.sqlite", "state.sqlite-wal", "lock", "dear.duckdb", "campaigns/campaign=000001/campaign.duckdb"} < (
        found.keys()
    )
    assert stat.S_IMODE(store.layout.root.stat().st_mode) == 0o700
    for name, mode in found.items():
        is_folder = (store.layout.root / name).is_dir()
        assert mode == (0o700 if is_folder else 0o444 if name == "dear.duckdb" else 0o600), name


@pytest.mark.parametrize(
    ("mask", "mode"), [(0o000, 0o755), (0o002, 0o755), (0o022, 0o755), (0o027, 0o750), (0o777, 0o700)], ids=oct
)
def test_folders_made_on_the_way_are_for_their_owner_to_change(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        Store.open(tmp_path / "a" / "b" / "store").close()
    finally:
        os.umask(before)
    found = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/store")]
    assert found == [mode, mode, 0o700]


@pytest.mark.usefixtures("umask")
def test_what_is_not_whole_yet_is_its_owners_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0)
    os.umask(before)
    store, _, _ = filled_store(tmp_path / "store")
    found = dict[str, int]()

    def watched(path: Path) -> None:
        found.update(modes(store.layout.root))
        publish(path)

    monkeypatch.setattr("engine.store.write.seal.publish", watched)
    with store.lock():
        store.writer(1).seal()
    assert found["campaigns/campaign=000001/campaign.duckdb.tmp"] == 0o600
    assert os.umask(before) == before, "afterwards it is what it was"


def test_an_empty_folder_becomes_private_but_one_in_use_keeps_its_mode(tmp_path: Path) -> None:
    for name, files, mode in (("empty", 0, 0o700), ("used", 1, 0o755)):
        folder = tmp_path / name
        folder.mkdir()
        folder.chmod(0o755)
        for number in range(files):
            (folder / f"thesis-{number}.tex").write_text("")
        Store.open(folder).close()
        assert stat.S_IMODE(folder.stat().st_mode) == mode
        assert stat.S_IMODE((folder / "campaigns").stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "state.sqlite").stat().st_mode) == 0o600


def test_a_store_that_was_opened_to_others_stays_so(tmp_path: Path) -> None:
    Store.open(tmp_path / "store").close()
    (tmp_path / "store").chmod(0o750)
    Store.open(tmp_path / "store").close()
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o750
