"""What an image is taken for, in words, where faults were not run for it."""

from __future__ import annotations

import numpy as np
import pytest

from dear_tui.widgets.images.image_text import image_rows, mistakes_text
from engine.store.read.image_results import ImageRows, Mistakes


def image(golden: int = 0, **counts: int) -> ImageRows:
    """One image of class 0 with so many faults of each kind."""
    names = ("masked", "non_critical", "critical", "screened", "dropped", "corrected")
    zero = np.zeros(1, np.int64)
    columns = {name: np.array([counts.get(name, 0)]) for name in names}
    return ImageRows(image_id=zero, rank=zero, label=zero, golden_class=zero + golden, metrics={}, **columns)


def words(critical: int = 0, **counts: int) -> str:
    some = np.array([critical] if critical else [], np.int64)
    mistakes = Mistakes(np.full(len(some), 3), some, 0 * some)
    return mistakes_text(image(critical=critical, **counts), 0, mistakes, (), (60, 10)).plain


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"masked": 7, "non_critical": 3}, "None of 10 faults changes its class."),
        ({"masked": 3, "screened": 17}, "None of 3 faults changes its class. 17 screened."),
        ({"screened": 20}, "No fault was run for it: 20 screened."),
        ({}, "Not run yet."),
    ],
)
def test_faults_that_were_not_run_are_not_among_those_that_change_nothing(counts: dict[str, int], said: str) -> None:
    assert words(**counts) == said


def test_the_share_of_critical_faults_is_of_all() -> None:
    assert words(critical=5, masked=10, screened=80, dropped=5).startswith(
        "5 of 100 faults change it (5 %) 80 screened, 5 dropped."
    )
    assert words(critical=5, masked=95).startswith("5 of 100 faults change it (5 %)\nall make it wrong\n")


def test_faults_that_correct_an_image_are_no_harm() -> None:
    """Of an image that golden has wrong they are told apart, in a line of its own and where there is one line only."""
    mistakes = Mistakes(np.array([0, 3]), np.array([4, 1]), np.zeros(2, np.int64))
    rows = image(golden=1, corrected=4, critical=5, masked=5)
    for room in ((60, 10), (60, 2)):
        assert "4 correct it, 1 leave it wrong" in mistakes_text(rows, 0, mistakes, (), room).plain
    assert "make it wrong" not in mistakes_text(rows, 0, mistakes, (), (60, 10)).plain


@pytest.mark.parametrize("width", [42, 90])
def test_the_list_has_corrections_where_there_are_some(width: int) -> None:
    rows = image_rows(image(golden=1, corrected=4, critical=5), (), width)
    assert ("corrected" in rows.heading.plain) == (width == 90)
    assert rows.row(0).plain.split()[:3] == ["1", "0", "5"]
    assert "corrected" not in image_rows(image(critical=5), (), width).heading.plain
