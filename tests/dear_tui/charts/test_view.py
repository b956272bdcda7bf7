"""Zooming and moving along the x axis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dear_tui.charts.view import ChartView

steps = st.lists(st.tuples(st.sampled_from(["zoom", "pan", "show"]), st.floats(-3, 3), st.floats(0, 1)), max_size=20)


@given(steps)
def test_whatever_is_done_a_part_of_the_axis_is_shown(steps: list[tuple[str, float, float]]) -> None:
    view = ChartView()
    for action, amount, anchor in steps:
        if action == "zoom":
            view = view.zoomed(2**amount, anchor, 0.01)
        else:
            view = view.panned(amount) if action == "pan" else view.showing(amount)
        start, stop = view.window
        assert 0 <= start < stop <= 1 + 1e-12
        assert stop - start >= 0.01 - 1e-12


def test_what_is_under_the_anchor_stays_there() -> None:
    view = ChartView(window=(0.2, 0.6)).zoomed(2, 0.75, 0.001)
    assert view.window == pytest.approx((0.35, 0.55))
    assert view.zoomed(0.5, 0.75, 0.001).window == pytest.approx((0.2, 0.6))


def test_zooming_out_ends_at_the_whole() -> None:
    assert ChartView(window=(0.9, 1.0)).zoomed(1 / 64, 0.5, 0.001).window == (0.0, 1.0)


def test_panning_ends_at_the_edges() -> None:
    assert ChartView(window=(0.5, 0.75)).panned(0.25).window == (0.5625, 0.8125)
    assert ChartView(window=(0.5, 0.75)).panned(9).window == (0.75, 1.0)
    assert ChartView(window=(0.5, 0.75)).panned(-9).window == (0.0, 0.25)


def test_what_is_shown_already_moves_nothing() -> None:
    view = ChartView(window=(0.5, 0.75))
    assert view.showing(0.3) is view
    assert view.showing(1.5).window == (0.625, 0.875)
    assert view.showing(-1).window == (0.25, 0.5)
