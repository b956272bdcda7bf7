"""Pictures of the images screen in its states, at the two sizes that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from memory_results import make_source, until
from memory_store import FakeSource, make_app, settle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZES = [(80, 24), (120, 40)]


async def open_images(pilot: Any) -> None:
    """Wait for the picture and for what the image is taken for."""
    await settle(pilot)
    await pilot.press("6")
    await until(pilot, "▀▀▀▀")
    await until(pilot, "change it")
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", ["running", "finished"])
def test_picture(state: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    source = make_source(state, done=12 if state == "running" else 40)
    assert snap_compare(make_app(source, 7), terminal_size=size, run_before=open_images)


def test_picture_of_an_empty_store(snap_compare: Callable[..., bool]) -> None:
    async def show(pilot: Any) -> None:
        await settle(pilot)
        await pilot.press("6")
        await until(pilot, "No campaign yet")

    assert snap_compare(make_app(FakeSource([])), run_before=show)


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
        await settle(pilot)
        await pilot.press("6")
        await until(pilot, "No picture:")
        await until(pilot, "of 2,000 faults")

    monkeypatch.chdir(tmp_path)
    source = make_source()
    source.results.dataset = {"name": "cifar10", "path": "data"}
    assert snap_compare(make_app(source, 7), run_before=show)


@pytest.mark.parametrize("terminal", ["NO_COLOR", "16-colours"])
def test_picture_without_true_colour(
    terminal: str, snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    if terminal == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.setenv("TERM", "screen")
        monkeypatch.delenv("COLORTERM")
    assert snap_compare(make_app(make_source(), 7), run_before=open_images)


def test_picture_without_any_colour(snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    async def show(pilot: Any) -> None:
        await settle(pilot)
        await pilot.press("6")
        await until(pilot, "██")
        await until(pilot, "change it")

    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "screen")
    monkeypatch.delenv("COLORTERM")
    assert snap_compare(make_app(make_source(), 7), run_before=show)
