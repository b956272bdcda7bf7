"""Every theme that Textual has tells the classes apart."""

import re
from itertools import combinations

import pytest
from rich.color import Color as RichColor
from textual.color import Color, rgb_to_lab
from textual.theme import BUILTIN_THEMES
from textual.widget import Widget

from dear_tui.charts.picture import Ink
from dear_tui.settings.class_colours import (
    CLASSES,
    LEAST_CONTRAST,
    LEAST_DISTANCE,
    LEAST_LIGHTNESS,
    class_variables,
    distance,
)
from dear_tui.widgets.campaigns.campaign_chart import CampaignChart
from dear_tui.widgets.common.chart import component_class
from tests.dear_tui.memory_store import FakeSource, make_app, make_curve, make_status, settle

INKS = (Ink.MASKED, Ink.NON_CRITICAL, Ink.CRITICAL, Ink.METRIC)


async def test_the_chart_has_four_colours_in_every_theme() -> None:
    app = make_app(FakeSource([make_status(7, done=9, state="running")], {7: make_curve(9)}), 7)
    async with app.run_test() as pilot:
        await settle(pilot)
        chart = app.screen.query_one(CampaignChart)
        for theme in BUILTIN_THEMES:
            app.theme = theme
            await pilot.pause()
            colours = [chart.get_component_rich_style(component_class(ink)).color for ink in INKS]
            assert None not in colours, theme
            assert len(set(colours)) == 4, theme


@pytest.mark.parametrize("theme", BUILTIN_THEMES.values(), ids=lambda theme: theme.name)
def test_they_are_far_apart(theme) -> None:
    colours = class_variables(theme.to_color_system().generate())
    names = [f"class-{name}" for name in CLASSES]
    assert {*names, *(f"text-{name}" for name in names)} < set(colours)
    for (one, first), (other, second) in combinations([(name, colours[name]) for name in names], 2):
        assert distance(first, second) >= LEAST_DISTANCE, (one, other)


def hue(colour: str) -> float:
    return Color.parse(colour).hsl.h * 360


@pytest.mark.parametrize("theme", BUILTIN_THEMES.values(), ids=lambda theme: theme.name)
def test_critical_is_red_non_critical_amber_and_masked_blue_grey(theme) -> None:
    variables = theme.to_color_system().generate()
    colours = class_variables(variables)
    if theme.name.startswith("ansi"):  # the colours are the terminal's own
        expected = {"critical": "ansi_red", "non-critical": "ansi_yellow", "masked": "ansi_blue"}
        assert {name: colours[f"class-{name}"] for name in expected} == expected
        return
    assert hue(colours["class-critical"]) >= 345 or hue(colours["class-critical"]) <= 20
    assert 25 <= hue(colours["class-non-critical"]) <= 55
    assert 195 <= hue(colours["class-masked"]) <= 225
    assert Color.parse(colours["class-masked"]).hsl.s < 0.4
    for name in CLASSES:
        assert distance(colours[f"class-{name}"], variables["background"]) >= LEAST_CONTRAST


@pytest.mark.parametrize("theme", BUILTIN_THEMES.values(), ids=lambda theme: theme.name)
def test_lines_of_several_campaigns_look_like_no_severity(theme) -> None:
    colours = class_variables(theme.to_color_system().generate())
    lines = [colours[f"class-overlay-{number}"] for number in range(4)]
    severities = [colours[f"class-{name}"] for name in ("critical", "non-critical", "masked")]
    assert min(distance(one, other) for one in lines for other in severities) >= LEAST_DISTANCE
    assert min(distance(one, other) for one, other in combinations(lines, 2)) >= LEAST_DISTANCE


def test_a_red_that_fits_is_the_themes_own() -> None:
    nord, monokai = (BUILTIN_THEMES[name].to_color_system().generate() for name in ("nord", "monokai"))
    assert class_variables(nord)["class-critical"] == nord["error"]
    assert class_variables(monokai)["class-critical"] != monokai["error"], "it is pink"


LEAST_BETWEEN_WORDS = 20.0
"""letters beside each other tell colours apart that a thin line does not"""
LEAST_MUTED = 25.0
"""solarized has 27 for words of less weight"""


@pytest.mark.parametrize("theme", BUILTIN_THEMES.values(), ids=lambda theme: theme.name)
def test_the_words_for_them_are_apart_too_and_readable(theme) -> None:
    variables = theme.to_color_system().generate()
    colours = class_variables(variables)
    if not theme.name.startswith("ansi"):  # else the colours are the terminal's own
        paper = rgb_to_lab(Color.parse(variables["background"])).L
        lightness = [rgb_to_lab(Color.parse(colours[f"text-class-{name}"])).L for name in CLASSES]
        assert min(abs(one - paper) for one in lightness) >= LEAST_LIGHTNESS
    for one, other in combinations([colours[f"text-class-{name}"] for name in CLASSES], 2):
        assert distance(one, other) >= LEAST_BETWEEN_WORDS


async def test_the_header_is_readable_in_every_theme() -> None:
    """Whatever stands in it, counts and muted words alike, is well lighter or darker than what it stands on."""
    app = make_app(FakeSource([make_status(7, done=9, state="running")], {7: make_curve(9)}), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        header = app.screen.query_one(".header")
        for theme in BUILTIN_THEMES:
            app.theme = theme
            await pilot.pause()
            paper = header.background_colors[1]
            for word, colour in words(header):
                if colour.triplet is not None:  # else it is one of the terminal's own
                    lightness = rgb_to_lab(Color(*colour.triplet)).L
                    assert abs(lightness - rgb_to_lab(paper).L) >= LEAST_MUTED, (theme, word)


def words(widget: Widget) -> list[tuple[str, RichColor]]:
    """What is written on a widget, and in which colour; lines that are drawn are no words."""
    strips = [widget.render_line(y) for y in range(widget.size.height)]
    return [
        (segment.text, segment.style.color)
        for strip in strips
        for segment in strip
        if re.search(r"\w", segment.text) and segment.style is not None and segment.style.color is not None
    ]


def test_one_colour_for_everything_becomes_four() -> None:
    grey = {"error": "#808080", "warning": "#808080", "background": "#101010"}
    colours = class_variables(grey)
    assert len({colours[f"class-{name}"] for name in CLASSES}) == 4
