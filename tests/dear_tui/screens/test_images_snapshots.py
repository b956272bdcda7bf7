"""Pictures of the images screen in its states, at the two sizes that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.dear_tui.memory_results import make_source
from tests.dear_tui.memory_store import make_app, open_screen
from tests.dear_tui.pictures import pictures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


async def open_images(pilot: Any) -> None:
    """Wait for the picture and for what the image is taken for."""
    await open_screen(pilot, "6", "▀▀▀▀", "change it")


@pictures("state", "finished 80x24", "finished 120x40")
def test_picture(state: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(make_app(make_source(state), 7), terminal_size=size, run_before=open_images)


def test_picture_without_the_data_set(
    snap_compare: Callable[..., bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def show(pilot: Any) -> None:
        await open_screen(pilot, "6", "No picture:", "faults change it")

    monkeypatch.chdir(tmp_path)
    source = make_source()
    source.results.dataset = {"name": "cifar10", "path": "data"}
    assert snap_compare(make_app(source, 7), run_before=show)


@pictures("state terminal", "running NO_COLOR 120x40")
def test_picture_without_true_colour(
    state: str,
    terminal: str,
    size: tuple[int, int],
    snap_compare: Callable[..., bool],
    few_colours: Callable[[str], None],
) -> None:
    few_colours(terminal)
    assert snap_compare(make_app(make_source(state, done=12), 7), terminal_size=size, run_before=open_images)
