"""Pictures of the faults screen: its levels and states, wide in colours and narrow with few or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.dear_tui.memory_results import RESNET, make_source
from tests.dear_tui.memory_store import make_app, open_screen, until_shown
from tests.dear_tui.pictures import pictures

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


@pictures("state level", "finished map 120x40", "running list 80x24", "finished fault 120x40")
def test_picture(state: str, level: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    async def show(pilot: Any) -> None:
        await open_level(pilot, level)

    source = make_source(state, done=12 if state == "running" else 40)
    assert snap_compare(make_app(source, 7), terminal_size=size, run_before=show)


def test_picture_of_many_layers(snap_compare: Callable[..., bool]) -> None:
    async def show(pilot: Any) -> None:
        await open_level(pilot, "map")

    assert snap_compare(make_app(make_source(layers=RESNET), 7), terminal_size=(120, 40), run_before=show)


@pictures("terminal level", "NO_COLOR map 80x24", "16-colours fault 80x24")
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
