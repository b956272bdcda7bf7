"""The line of keys: which it names, and what a click does."""

from typing import ClassVar

import pytest
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from dear_tui.widgets.common.key_bar import KeyBar


class Box(Widget, can_focus=True):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "press('a')", "one"),
        Binding("b,c", "press('b')", "two"),
        Binding("d", "press('d')", "hidden", show=False),
        Binding("e", "off", "three"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        return None if action == "off" else True

    def action_press(self, key: str) -> None:
        self.app.pressed.append(key)  # type: ignore[attr-defined]


class Keys(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark", "help", "keys", key_display="?")]

    def __init__(self) -> None:
        super().__init__()
        self.pressed: list[str] = []

    def action_help(self) -> None:
        self.pressed.append("?")

    def compose(self) -> ComposeResult:
        yield Box()
        yield KeyBar()


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (29, "a one b two e three ? keys "),
        (24, "a one b two … ? keys "),
        (18, "a one … ? keys "),
        (12, "… ? keys "),
    ],
)
async def test_what_does_not_fit_gives_way_to_the_keys_of_everywhere(width: int, line: str) -> None:
    app = Keys()
    async with app.run_test(size=(width, 5)) as pilot:
        app.query_one(Box).focus()
        await pilot.pause()
        assert str(app.query_one(KeyBar).render()) == line


class Grouped(Box):
    GROUP = Binding.Group("classes", compact=True)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "press('m')", "masked", group=GROUP),
        Binding("n", "press('n')", "non-critical", group=GROUP),
    ]


async def test_keys_of_a_group_share_its_name() -> None:
    app = Keys()
    async with app.run_test(size=(80, 5)) as pilot:
        grouped = Grouped()
        await app.mount(grouped)
        grouped.focus()
        await pilot.pause()
        assert "m n classes " in str(app.query_one(KeyBar).render())


async def test_it_follows_the_focus() -> None:
    app = Keys()
    async with app.run_test(size=(80, 5)) as pilot:
        app.set_focus(None)
        await pilot.pause()
        assert "one" not in str(app.query_one(KeyBar).render())
        app.query_one(Box).focus()
        await pilot.pause()
        assert "one" in str(app.query_one(KeyBar).render())


@pytest.mark.parametrize(("column", "pressed"), [(1, ["a"]), (8, ["b"]), (22, ["?"]), (70, [])])
async def test_a_click_presses_the_key(column: int, pressed: list[str]) -> None:
    app = Keys()
    async with app.run_test(size=(80, 5)) as pilot:
        app.query_one(Box).focus()
        await pilot.pause()
        await pilot.click(KeyBar, offset=(column, 0))
        await pilot.pause()
        assert app.pressed == pressed
