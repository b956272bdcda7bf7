import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dear_tui.charts.raster import LineStyle, braille, count_points, shades, trace, trace_at


def text(dots: np.ndarray) -> str:
    return "\n".join("".join(map(chr, row)).rstrip() for row in braille(dots))


def test_braille_has_each_dot_in_its_place() -> None:
    dots = np.eye(8, dtype=np.bool_).reshape(8, 4, 2).transpose(1, 0, 2).reshape(4, 16)
    assert text(dots) == "⠁⠈⠂⠐⠄⠠⡀⢀"


def test_braille_leaves_empty_cells_as_spaces() -> None:
    assert braille(np.zeros((8, 6), dtype=np.bool_)).tolist() == [[32, 32, 32]] * 2


def test_ten_thousand_points_of_a_decay() -> None:
    decay = np.exp(-np.linspace(0, 8, 10_001))
    assert text(trace(decay, 10_000, 60, 16, LineStyle())) == ("⢳⡀\n ⠹⣄\n  ⠈⠳⢤⣀\n     ⠈⠙⠒⠲⠤⠤⠤⢤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀")


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (LineStyle(), "⠒⠒⠒⠒⠒⠒⠒⠒"),
        (LineStyle(thickness=2), "⠛⠛⠛⠛⠛⠛⠛⠛"),
        (LineStyle(4, 4), "⠒⠒  ⠒⠒"),
        (LineStyle(1, 1), "⠂⠂⠂⠂⠂⠂⠂⠂"),
        (LineStyle(1, 3), "⠂ ⠂ ⠂ ⠂"),
    ],
)
def test_styles_differ_without_colour(style: LineStyle, expected: str) -> None:
    assert text(trace(np.full(2, 0.6), 1, 16, 4, style)) == expected


def test_a_jump_is_joined() -> None:
    assert text(trace(np.array([0.0, 0.0, 1.0, 1.0]), 3, 12, 8, LineStyle())) == "   ⢸⠉⠉\n⣀⣀⣀⣸"


def test_few_points_hold_their_value_until_the_next() -> None:
    dots = trace(np.array([0.0, 1.0]), 1, 9, 4, LineStyle())
    assert dots[-1].tolist() == [True] * 9
    assert dots[:, -1].all()


def test_the_axis_is_longer_than_the_curve() -> None:
    dots = trace(np.full(26, 0.5), 100, 101, 4, LineStyle())
    assert np.flatnonzero(dots.any(axis=0)).tolist() == list(range(26))


def test_nan_and_what_lies_outside_are_not_drawn() -> None:
    dots = trace(np.array([np.nan, 0.5, np.nan, 2.0, -1.0, np.nan]), 5, 6, 5, LineStyle())
    assert dots[:, 0].sum() == 0
    assert dots[2, 1]
    assert dots[:, 4].all()
    assert dots.sum() == 1 + 1 + 5  # 0.5 is held for one more column, 2 and -1 show only the way between them


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.integers(1, 60), st.integers(1, 30))
def test_every_value_is_on_its_column(values: list[float], width: int, height: int) -> None:
    unit = np.array(values)
    span = max(len(unit) - 1, 1)
    dots = trace(unit, span, width, height, LineStyle())
    columns = np.floor(np.arange(len(unit)) * ((width - 1) / span) + 0.5).astype(int)
    rows = np.floor((1 - unit) * (height - 1) + 0.5).astype(int)
    assert dots[rows, columns].all()


def test_nothing_to_draw_or_nowhere() -> None:
    assert not trace(np.array([]), 5, 6, 4, LineStyle()).any()
    assert trace(np.array([1.0]), 5, 0, 4, LineStyle()).shape == (4, 0)


def test_a_zoomed_line_comes_in_from_the_left_and_goes_out_to_the_right() -> None:
    x, y = np.array([-1.0, 0.5, 2.0]), np.array([0.0, 1.0, 0.5])
    dots = trace_at(x, y, 9, 5, LineStyle())
    assert dots[-1, :4].all()  # the value from before the window
    assert dots[:, 4].all()  # the step
    assert dots[0, 5:].all()


def test_a_line_that_ends_or_begins_elsewhere_is_not_drawn() -> None:
    assert not trace_at(np.array([-2.0, -1.0]), np.ones(2), 9, 5, LineStyle()).any()
    assert not trace_at(np.array([2.0, 3.0]), np.ones(2), 9, 5, LineStyle()).any()


def test_far_outside_is_cut_off_cheaply() -> None:
    dots = trace_at(np.array([0.0, 1.0]), np.array([-1e12, 1e12]), 4, 8, LineStyle())
    assert dots[:, -1].all()
    assert dots[:, :-1].sum() == 0


def test_points_are_counted_where_they_fall() -> None:
    x = np.array([0.0, 0.0, 1.0, 0.5, 0.5, 2.0, np.nan])
    y = np.array([0.0, 0.0, 1.0, 0.5, np.nan, 0.5, 0.5])
    assert count_points(x, y, 3, 3).tolist() == [[0, 0, 1], [0, 1, 0], [2, 0, 0]]


@given(st.lists(st.tuples(st.floats(-1, 2), st.floats(-1, 2)), max_size=50), st.integers(1, 20), st.integers(1, 20))
def test_no_point_is_counted_twice_and_none_inside_is_lost(
    points: list[tuple[float, float]], width: int, height: int
) -> None:
    x, y = np.array(points).reshape(-1, 2).T
    counts = count_points(x, y, width, height)
    inside = ((x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)).sum()
    assert inside <= counts.sum() <= len(points)


def test_shades_go_from_one_point_to_the_most() -> None:
    counts = np.array([[0, 1, 2, 10, 900, 9999]])
    assert "".join(map(chr, shades(counts)[0])) == " ·░▒▓█"
    assert "".join(map(chr, shades(np.array([[0, 1]]))[0])) == " ·"
