"""Pictures of the images screen in its states, at the two sizes that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from memory_results import make_source
from memory_store import FakeSource, make_app, open_screen
from pictures import SIZES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def open_images(pilot: Any) -> None:
    """Wait for the picture and for what the image is taken for."""
    await open_screen(pilot, "6", "▀▀▀▀", "change it")


@SIZES
@pytest.mark.parametrize("state", ["running", "finished", "failed"])
def test_picture(state: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    source = make_source(state, done=40 if state == "finished" else 12)
    assert snap_compare(make_app(source, 7), terminal_size=size, run_before=open_images)


@SIZES
@pytest.mark.parametrize("terminal", ["dark", "NO_COLOR", "16-colours"])
def test_picture_of_an_empty_store(
    terminal: str, size: tuple[int, int], snap_compare: Callable[..., bool], few_colours: Callable[[str], None]
) -> None:
    async def show(pilot: Any) -> None:
        await open_screen(pilot, "6", "No campaign yet")

    few_colours(terminal)
    assert snap_compare(make_app(FakeSource([])), terminal_size=size, run_before=show)


def test_picture_of_a_wide_terminal(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(make_app(make_source(), 7), terminal_size=(200, 60), run_before=open_images)


def test_picture_where_an_image_is_asked_for(snap_compare: Callable[..., bool]) -> None:
    async def show(pilot: Any) -> None:
        await open_images(pilot)
        pilot.app.screen.query_one("Input").cursor_blink = False
        await pilot.press("slash", "1", "2")

    assert snap_compare(make_app(make_source(), 7), run_before=show)


def test_picture_without_the_data_set(
    snap_compare: Callable[..., bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def show(pilot: Any) -> None:
        await open_screen(pilot, "6", "No picture:", "of 2,000 faults")

    monkeypatch.chdir(tmp_path)
    source = make_source()
    source.results.dataset = {"name": "cifar10", "path": "data"}
    assert snap_compare(make_app(source, 7), run_before=show)


@SIZES
@pytest.mark.parametrize("terminal", ["NO_COLOR", "16-colours"])
@pytest.mark.parametrize("state", ["running", "failed"])
def test_picture_without_true_colour(
    state: str,
    terminal: str,
    size: tuple[int, int],
    snap_compare: Callable[..., bool],
    few_colours: Callable[[str], None],
) -> None:
    few_colours(terminal)
    assert snap_compare(make_app(make_source(state, done=12), 7), terminal_size=size, run_before=open_images)


def test_picture_without_any_colour(snap_compare: Callable[..., bool], few_colours: Callable[[str], None]) -> None:
    async def show(pilot: Any) -> None:
        await open_screen(pilot, "6", "██", "change it")

    few_colours("16-colours-NO_COLOR")
    assert snap_compare(make_app(make_source(), 7), run_before=show)
