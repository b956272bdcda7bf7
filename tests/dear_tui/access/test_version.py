"""What is read again when a campaign has gone on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dear_tui.access.store_location import version_of
from engine.store.schema import COUNTS
from tests.dear_tui.memory_store import make_status


@pytest.mark.parametrize("name", COUNTS)
def test_a_part_of_any_kind_of_pairs_is_a_new_version(name: str) -> None:
    """Also one all of whose pairs were screened: nothing else changes then."""
    status = make_status()
    assert version_of(replace(status, **{name: getattr(status, name) + 1})) != version_of(status)


def test_a_store_made_anew_is_another_one() -> None:
    assert version_of(replace(make_status(), created="2027-01-01T00:00:00Z")) != version_of(make_status())
