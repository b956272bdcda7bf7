"""A screen is a line of a table: its key, its tab and its help follow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from textual.widgets import Label

from dear_tui.app import DearApp
from dear_tui.screens.base import SnapshotScreen
from dear_tui.screens.registry import SCREENS, ScreenInfo
from dear_tui.settings.actions import actions_of
from dear_tui.widgets.common.top_bar import TopBar
from tests.dear_tui.memory_store import FakeSource, screen_text, settle

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from dear_tui.access.store_location import Snapshot


class NotesScreen(SnapshotScreen):
    """One that a newcomer would add."""

    def compose_body(self) -> ComposeResult:
        yield Label("nothing noted yet")

    def show_snapshot(self, snapshot: Snapshot) -> None:
        pass


NOTES = ScreenInfo("8", "notes", "notes", "what one wrote down", NotesScreen)


class AppWithNotes(DearApp):
    SHOWN = (*SCREENS, NOTES)
    MODES: ClassVar = {info.name: info.screen for info in SHOWN}
    BINDINGS: ClassVar = [info.binding for info in SHOWN]


async def test_a_screen_that_is_added_to_the_table_has_a_key_a_tab_and_a_line_of_help() -> None:
    app = AppWithNotes(Path("/data/store"), None, lambda _path: FakeSource())
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot)
        await pilot.press("8")
        await pilot.pause()
        assert isinstance(app.screen, NotesScreen)
        shown = screen_text(app)
        assert " 7 study  8 notes " in shown.splitlines()[0]
        assert "nothing noted yet" in shown
        [action] = [action for action in actions_of(app.screen) if action.name == "notes screen"]
        assert (action.keys, action.explanation) == (("8",), "what one wrote down")
        await pilot.click(TopBar, offset=(20, 0))
        assert app.current_mode == "campaigns"


@pytest.mark.parametrize("field", ["key", "name", "title", "screen"])
def test_no_two_screens_share_a_key_a_name_or_a_title(field: str) -> None:
    values = [getattr(info, field) for info in SCREENS]
    assert len(set(values)) == len(values)
