"""A campaign in words: its pairs by severity, and those that were not run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dear_tui.widgets.common.status_text import audit_text, counts_line, counts_text, took
from tests.dear_tui.memory_store import make_status

SCREENED = make_status(7, masked=10, non_critical=20, critical=5, screened=65, audited=30, missed=0)


@pytest.mark.parametrize("shares", [True, False])
def test_pairs_that_were_not_run_are_said_where_there_are_some(shares: bool) -> None:
    assert "screened 65" in counts_text(SCREENED, shares).plain
    assert "dropped" not in counts_text(SCREENED, shares).plain
    assert "dropped 3" in counts_text(make_status(7, masked=9, dropped=3), shares).plain
    assert "screened" not in counts_text(make_status(7, done=10), shares).plain


def test_shares_are_of_all_pairs() -> None:
    assert "critical 5  5 %" in counts_text(SCREENED, shares=True).plain


@pytest.mark.parametrize(("width", "has_shares"), [(78, False), (118, True)])
def test_a_line_of_four_counts_has_shares_where_there_is_room(width: int, has_shares: bool) -> None:
    line = counts_line(SCREENED, width)
    assert line.cell_length <= width
    assert ("65 %" in line.plain) is has_shares
    assert all(name in line.plain for name in ("masked 10", "non-critical 20", "critical 5", "screened 65"))


def test_a_miss_stands_out() -> None:
    assert audit_text(make_status(7, done=10)).plain == ""
    assert audit_text(SCREENED).plain == " · 30 audited, 0 missed"
    assert not any("critical" in str(span.style) for span in audit_text(SCREENED).spans)
    missed = audit_text(make_status(7, audited=30, missed=2))
    assert (missed.plain, any("critical" in str(span.style) for span in missed.spans)) == (
        " · 30 audited, 2 missed",
        True,
    )


@pytest.mark.parametrize(
    ("started", "finished", "said"),
    [
        ("2026-11-27T08:00:00Z", "2026-11-27T09:30:00Z", "in 1h 30m"),
        ("2026-11-27T08:00:00Z", "2026-11-27T08:00:00Z", "in 0s"),
        ("2026-11-27T08:00:00Z", "2016-11-27T09:30:00Z", ""),
        ("of a damaged state.sqlite", "2026-11-27T09:30:00Z", ""),
        ("2026-11-27T08:00:00", "2026-11-27T09:30:00Z", ""),
        (None, "2026-11-27T09:30:00Z", ""),
    ],
    ids=["hours", "at once", "a clock that was set back", "no time", "two kinds of times", "no start"],
)
def test_how_long_it_took_is_said_where_it_is_known(started: str | None, finished: str, said: str) -> None:
    assert took(replace(make_status(7), state="finished", started=started, finished=finished)) == said
