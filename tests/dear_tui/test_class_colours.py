"""Every theme that Textual has tells the classes apart."""

from itertools import combinations

import pytest
from memory_store import FakeSource, make_app, make_curve, make_status, settle
from textual.theme import BUILTIN_THEMES

from dear_tui.charts.picture import Ink
from dear_tui.class_colours import CLASSES, LEAST_CONTRAST, LEAST_DISTANCE, class_variables, distance
from dear_tui.widgets.campaign_chart import CampaignChart
from dear_tui.widgets.chart import component_class

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
    assert list(colours) == [f"class-{name}" for name in CLASSES]
    for (one, first), (other, second) in combinations(colours.items(), 2):
        assert distance(first, second) >= LEAST_DISTANCE, (one, other)


@pytest.mark.parametrize("theme", BUILTIN_THEMES.values(), ids=lambda theme: theme.name)
def test_the_theme_decides_where_its_colours_are_apart(theme) -> None:
    variables = theme.to_color_system().generate()
    own = {name: variables[variable] for name, variable in CLASSES.items()}
    chosen = {name: class_variables(variables)[f"class-{name}"] for name in CLASSES}
    assert chosen["critical"] == own["critical"]
    changed = [name for name in CLASSES if chosen[name] != own[name]]
    if all(distance(one, other) >= LEAST_DISTANCE for one, other in combinations(own.values(), 2)):
        assert changed == []
    for name in changed:
        assert distance(chosen[name], variables["background"]) >= LEAST_CONTRAST


def test_one_colour_for_everything_becomes_four() -> None:
    grey = dict.fromkeys((*CLASSES.values(), "accent", "secondary"), "#808080") | {"background": "#101010"}
    assert len(set(class_variables(grey).values())) == 4
