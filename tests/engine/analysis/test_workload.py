"""Which images are run, in words."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from engine.analysis.workload import images_in_words, is_hardest

if TYPE_CHECKING:
    from engine.store import CampaignStatus


@pytest.mark.parametrize(
    ("select", "images", "words", "hardest"),
    [
        ("all", 10_000, "all 10,000 images of the data set", False),
        ("top_n", 10_000, "all 10,000 images of the data set", False),
        ("top_n", 50, "the 50 hardest of 10,000 images", True),
        ("pre_plateau", 758, "the 758 hardest of 10,000 images", True),
        ("random", 50, "50 of 10,000 images, drawn at random", False),
        ("list", 50, "50 of 10,000 images, of a list that was given", False),
        ("central", 72, "the 72 of 10,000 images between two classes, which are harder than the others", False),
    ],
)
def test_the_images_of_a_selection(select: str, images: int, words: str, hardest: bool) -> None:
    status = cast("CampaignStatus", SimpleNamespace(select=select, images=images))
    assert images_in_words(status, 10_000) == words
    assert is_hardest(status, 10_000) is hardest
