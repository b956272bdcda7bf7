"""Letters that lead to widgets, tabs and screens."""

from textual.app import App, ComposeResult
from textual.widgets import Input, TabbedContent, TabPane, Tabs

from dear_tui.screens.campaigns import CampaignsScreen
from dear_tui.screens.dialogs.jump import JumpScreen, jump_targets
from dear_tui.screens.live import LiveScreen
from dear_tui.screens.registry import SCREENS
from dear_tui.widgets.campaigns.campaign_chart import CampaignChart
from tests.dear_tui.memory_store import FakeSource, make_app, make_curve, make_status, screen_text, settle


def with_curve() -> FakeSource:
    return FakeSource([make_status(1, done=3)], {1: make_curve(3)})


async def test_digits_stand_on_their_tabs_and_a_letter_on_the_list() -> None:
    app = make_app(with_curve())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        targets = jump_targets(app.screen)
        assert [target.letter for target in targets] == [*(info.key for info in SCREENS), "a"]
        line = screen_text(app).splitlines()[0]
        for target, info in zip(targets, SCREENS, strict=False):
            assert f"{line} "[target.place.x :].startswith(f" {target.letter} {info.title} ")
            assert target.place.y == 0
        await pilot.press("f")
        assert isinstance(app.screen, JumpScreen)
        await pilot.pause()
        labels = {(label.region.x, label.region.y) for label in app.screen.query("Label")}
        assert labels == {(target.place.x, target.place.y) for target in targets}


async def test_a_digit_goes_to_its_screen_and_a_letter_to_its_widget() -> None:
    app = make_app(with_curve())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("f", "2")
        await pilot.pause()
        assert isinstance(app.screen, LiveScreen)
        await pilot.pause()
        app.screen.set_focus(None)
        await pilot.press("f", "a")
        await pilot.pause()
        assert isinstance(app.focused, CampaignChart)


async def test_escape_and_other_keys_stay() -> None:
    app = make_app(with_curve())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in ("escape", "f", "q", "Z"):
            await pilot.press("f", key)
            await pilot.pause()
            assert isinstance(app.screen, CampaignsScreen)
            assert app.is_running


class Form(App[None]):
    """Widgets that our screens have: inputs, one of them scrolled out of sight, and tabs."""

    CSS = "VerticalScroll { height: 6; } #low { margin-top: 30; }"

    def compose(self) -> ComposeResult:
        yield Input(id="high")
        with TabbedContent():
            yield TabPane("one", id="one")
            yield TabPane("two", id="two")
        yield Input(id="low")


async def test_each_tab_and_each_visible_widget_has_a_letter() -> None:
    app = Form()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        goals = {target.letter: target.goal for target in jump_targets(app.screen)}
        assert [getattr(goal, "id", goal) for goal in goals.values()] == [
            "high",
            "--content-tab-one",
            "--content-tab-two",
        ]
        assert len(app.query(Tabs)) == 1
