"""Pictures of the faults screen: every level and state, at the two sizes that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from memory_results import LENET, RESNET, make_source
from memory_store import FakeSource, make_app, open_screen, until_shown
from pictures import SIZES

if TYPE_CHECKING:
    from collections.abc import Callable


async def open_level(pilot: Any, level: str) -> None:
    """Go to the map, the list of its cell, or the list's first fault."""
    await open_screen(pilot, "3", "mantissa")
    for name, shown in (("list", "by critical images"), ("fault", "decimal")):
        if level in (name, "fault"):
            await pilot.press("enter")
            await until_shown(pilot, shown)
    await pilot.pause()


@SIZES
@pytest.mark.parametrize("level", ["map", "list", "fault"])
@pytest.mark.parametrize("state", ["running", "finished"])
def test_picture(state: str, level: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    async def show(pilot: Any) -> None:
        await open_level(pilot, level)

    source = make_source(state, done=12 if state == "running" else 40)
    assert snap_compare(make_app(source, 7), terminal_size=size, run_before=show)


@SIZES
def test_picture_of_many_layers(size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    async def show(pilot: Any) -> None:
        await open_level(pilot, "map")

    assert snap_compare(make_app(make_source(layers=RESNET), 7), terminal_size=size, run_before=show)


@SIZES
@pytest.mark.parametrize("terminal", ["dark", "NO_COLOR", "16-colours"])
@pytest.mark.parametrize("state", ["empty", "running", "failed"])
def test_picture_without_results(
    state: str,
    terminal: str,
    size: tuple[int, int],
    snap_compare: Callable[..., bool],
    few_colours: Callable[[str], None],
) -> None:
    async def show(pilot: Any) -> None:
        await open_screen(
            pilot, "3", {"empty": "No campaign yet", "running": "first block", "failed": "It failed"}[state]
        )

    few_colours(terminal)
    app = make_app(FakeSource([])) if state == "empty" else make_app(make_source(state, LENET, done=0), 7)
    assert snap_compare(app, terminal_size=size, run_before=show)


@SIZES
@pytest.mark.parametrize("level", ["map", "fault"])
@pytest.mark.parametrize("terminal", ["NO_COLOR", "16-colours", "16-colours-NO_COLOR"])
def test_picture_without_true_colour(
    terminal: str,
    level: str,
    size: tuple[int, int],
    snap_compare: Callable[..., bool],
    few_colours: Callable[[str], None],
) -> None:
    async def show(pilot: Any) -> None:
        await open_level(pilot, level)

    few_colours(terminal)
    assert snap_compare(make_app(make_source(), 7), terminal_size=size, run_before=show)
