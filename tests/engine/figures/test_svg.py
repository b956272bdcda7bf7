"""Figures as SVG: small, well-formed, and with everything in its place."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.figures.axis import Axis
from engine.figures.figure import Band, Colour, Figure, Level, Line, Points, Stroke
from engine.figures.svg import COLOURS, to_svg

SVG = "{http://www.w3.org/2000/svg}"


def figure(*marks: Line | Points | Band, high: float = 10.0) -> Figure:
    return Figure("a <title> & more", "images", "faults", Axis(high), Axis(high), marks, (Level(Colour.BLACK, 5),), "F")


def test_every_mark_is_drawn_and_named() -> None:
    x = np.arange(11.0)
    drawn = to_svg(
        figure(Line("line", Colour.CRITICAL, x, x, Stroke((4, 2), 2)), Points("dots", Colour.METRIC, x, x),
               Band("band", Colour.MASKED, x, x / 2, x))
    )  # fmt: skip
    root = ElementTree.fromstring(drawn)
    texts = {element.text for element in root.iter(f"{SVG}text")}
    assert {"a <title> & more", "images", "faults", "line", "dots", "band", "dotted: F"} <= texts
    (line,) = root.iter(f"{SVG}polyline")
    assert (line.get("stroke"), line.get("stroke-dasharray")) == (COLOURS[Colour.CRITICAL], "4 2")
    (band,) = root.iter(f"{SVG}polygon")
    assert band.get("fill") == COLOURS[Colour.MASKED]
    dots = [path for path in root.iter(f"{SVG}path") if path.get("stroke-linecap") == "round"]
    assert [path.get("stroke") for path in dots] == [COLOURS[Colour.METRIC]]
    assert len(re.findall("M", str(dots[0].get("d")))) == 11


def test_in_a_page_it_takes_the_pages_colours_and_has_ids_of_its_own() -> None:
    line = Line("line", Colour.BLACK, np.arange(3.0), np.arange(3.0))
    first, second = (to_svg(figure(line), place_in_page=place) for place in (0, 1))
    assert "currentColor" in first
    assert "white" not in first
    assert 'id="area0"' in first
    assert 'id="area1"' in second
    assert "currentColor" not in to_svg(figure(line))


def test_every_colour_has_one() -> None:
    assert set(COLOURS) == set(Colour)


@given(st.lists(st.integers(0, 40), min_size=2, max_size=60))
def test_a_line_keeps_its_shape_where_points_are_left_out(heights: list[int]) -> None:
    """Whatever is left out lies on the line between its neighbours."""
    y = np.array(heights, np.float64)
    drawn = to_svg(figure(Line("", Colour.CRITICAL, np.arange(float(len(y))), y), high=float(max(len(y), 40))))
    found = re.search(r'polyline points="([^"]*)"', drawn)
    assert found is not None
    points = np.array([list(map(float, point.split(","))) for point in found[1].split()])
    span = float(max(len(y), 40))
    x_expected = np.round((70 + np.arange(len(y)) / span * 680) * 2) / 2
    y_expected = np.round((70 + (1 - y / span) * 360) * 2) / 2
    assert np.allclose(np.interp(x_expected, points[:, 0], points[:, 1]), y_expected)


def test_a_line_that_goes_up_and_down_in_one_column_keeps_its_peak() -> None:
    x = np.array([0.0, 5.0, 5.0, 5.0, 10.0])
    drawn = to_svg(figure(Line("", Colour.CRITICAL, x, np.array([1.0, 1.0, 9.0, 2.0, 2.0]))))
    assert "410,106" in drawn  # the peak


def test_ten_thousand_dots_and_steps_stay_small() -> None:
    random = np.random.default_rng(0)
    x = np.sort(random.random(10_000)) * 10
    drawn = to_svg(
        figure(Points("", Colour.METRIC, x, random.random(10_000)), Line("", Colour.CRITICAL, x, np.floor(x)))
    )
    assert len(drawn) < 150_000
