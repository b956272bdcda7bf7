"""The colours of the map: the worse, the further from the background, and every number readable."""

from itertools import pairwise

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from dear_tui.settings.class_colours import contrast, distance
from dear_tui.widgets.faults.fault_map import FaultMap
from dear_tui.widgets.faults.fault_map_picture import Fill
from tests.dear_tui.memory_store import FakeSource, make_app, make_curve, make_status, settle

RATES = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0)
READABLE = 4.5
"""of WCAG"""


@pytest.mark.parametrize("name", [name for name in BUILTIN_THEMES if not name.startswith("ansi")])
async def test_the_worst_stands_out_most_and_numbers_are_readable(name: str) -> None:
    app = make_app(FakeSource([make_status(7, done=9, state="running")], {7: make_curve(9)}), 7)
    async with app.run_test() as pilot:
        await settle(pilot)
        fault_map = FaultMap()
        await app.screen.mount(fault_map)
        app.theme = name
        await pilot.pause()
        styles = [fault_map._heat_style(Fill.HIGHEST, rate) for rate in RATES]
        back = fault_map.background_colors[1]
        colours = [Color(*style.color.triplet) for style in styles if style.color and style.color.triplet]
        assert len(colours) == len(RATES)
        standing_out = [distance(colour.hex, back.hex) for colour in colours]
        assert all(one < other for one, other in pairwise(standing_out)), standing_out
        assert colours[-1].r > 2 * max(colours[-1].g, colours[-1].b), "the worst is red"
        for style in styles:
            number = fault_map._number_style(style)
            assert number.color is not None
            assert number.bgcolor is not None
            ink, ground = (Color(*one.triplet) for one in (number.color, number.bgcolor) if one.triplet)
            assert contrast(ink, ground) >= READABLE
