"""A campaign is renamed and noted on: state.sqlite, campaign.json and the views say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.errors import InputError
from engine.store import Store
from engine.store.read.reading import StoreReader
from tests.engine.store.stored_campaigns import new_campaign

if TYPE_CHECKING:
    from pathlib import Path


def test_name_and_note_are_the_same_in_state_description_and_views(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store") as store:
        campaign = store.create(new_campaign())
        store.rename(campaign, "  deeper  ")
        store.note(campaign, "with the old weights")
    with StoreReader(tmp_path / "store", read_only=True) as reader:
        status, described = reader.campaign(campaign), reader.description(campaign)
        shown = reader.read("SELECT name, notes FROM campaigns")
    assert (status.name, status.notes) == ("deeper", "with the old weights")
    assert (described["name"], described["notes"]) == ("deeper", "with the old weights")
    assert (shown["name"][0], shown["notes"][0]) == ("deeper", "with the old weights")


def test_an_empty_note_takes_it_away_and_an_empty_name_is_refused(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store") as store:
        campaign = store.create(new_campaign())
        before = store.campaign(campaign).name
        store.note(campaign, "a")
        store.note(campaign, " ")
        assert store.campaign(campaign).notes is None
        with pytest.raises(InputError, match="an empty name names nothing"):
            store.rename(campaign, " ")
        assert store.campaign(campaign).name == before
        with pytest.raises(InputError, match="no campaign 99"):
            store.rename(99, "x")


def test_a_renamed_campaign_is_found_again_where_state_sqlite_is_lost(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store") as store:
        campaign = store.create(new_campaign())
        store.rename(campaign, "deeper")
    for file in (tmp_path / "store").glob("state.sqlite*"):
        file.unlink()
    with Store.open(tmp_path / "store") as store:
        assert store.campaign(campaign).name == "deeper"
