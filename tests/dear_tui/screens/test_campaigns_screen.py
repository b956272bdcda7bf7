"""The list of campaigns and each of its keys."""

import pytest
from memory_store import FakeSource, make_app, make_curve, make_status, screen_text, settle, until_read
from textual.widget import Widget

from dear_tui.screens.campaigns import CampaignList
from dear_tui.screens.live import LiveScreen


def five() -> FakeSource:
    numbers = (5, 4, 3, 2, 1)
    return FakeSource([make_status(number, name=f"campaign number {number}", done=number) for number in numbers])


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        ([], 5), (["j"], 4), (["down"], 4), (["j", "j", "k"], 4), (["G"], 1), (["end"], 1), (["G", "g"], 5),
        (["j", "j", "up", "home"], 5), (["k"], 1),
    ],
)  # fmt: skip
async def test_keys_move_the_cursor(keys: list[str], chosen: int) -> None:
    app = make_app(five())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(*keys)
        await pilot.pause()
        assert app.campaign == chosen
        marked = [line for line in screen_text(app).splitlines() if line.startswith(" ▌")]
        assert len(marked) == 3
        assert f"campaign number {chosen}" in marked[0]


@pytest.mark.parametrize("key", ["enter", "2"])
async def test_the_chosen_campaign_opens(key: str) -> None:
    source = five()
    source.curves[3] = make_curve(3)
    app = make_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("j", "j", key)
        await pilot.pause()
        assert isinstance(app.screen, LiveScreen)
        assert "campaign number 3" in screen_text(app)
        assert "campaign number 5" not in screen_text(app)


async def test_a_line_shows_all_there_is_to_know() -> None:
    running = make_status(7, done=4000, state="running", rate=397_812.0, eta_s=249.0, select="central")
    app = make_app(FakeSource([running]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = screen_text(app)
    for part in ("#7", "lenet5-mnist", "● running", "━", " 40.0 %", "66M / 165M pairs", "398k/s", "ETA 4m 09s",
                 "masked 55.6M", "non-critical 10M", "critical 383k", "lenet5 · mnist · central",
                 "16.5k faults × 10k images"):  # fmt: skip
        assert part in text


async def test_a_new_campaign_leaves_the_cursor_where_it_was() -> None:
    source = five()
    app = make_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("j")
        source.statuses = [make_status(6), *source.statuses]
        await until_read(pilot, source)
        assert app.campaign == 4
        assert app.screen.query_one(CampaignList).highlighted == 2


async def test_the_list_opens_at_the_given_campaign() -> None:
    app = make_app(five(), 2)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("1")
        await pilot.pause()
        assert app.screen.query_one(CampaignList).highlighted == 3


async def test_keys_without_a_list_are_not_offered() -> None:
    app = make_app(FakeSource([]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "watch" not in screen_text(app)
        await pilot.press("j", "G", "enter")
        assert "No campaign yet" in screen_text(app)


async def test_a_failure_is_one_line_of_its_campaign() -> None:
    failed = make_status(3, state="failed", error="weights.pt: fc1.weight has another shape; " + "long " * 40)
    app = make_app(FakeSource([failed]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "✗ failed" in screen_text(app)
        assert sum("weights.pt" in line and line.endswith("…") for line in screen_text(app).splitlines()) == 1


async def test_markup_and_wide_characters_in_names_are_text() -> None:
    app = make_app(FakeSource([make_status(1, name="[red]名前[/] [b")]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "[red]名前[/] [b" in screen_text(app)


async def test_lines_follow_the_width() -> None:
    app = make_app(five())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        narrow = screen_text(app)
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        wide = screen_text(app)
    assert wide.count("─") > narrow.count("─")
    assert max(map(len, narrow.splitlines())) <= 80


async def test_only_the_lines_of_a_changed_campaign_are_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    source = five()
    app = make_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        painted: list[object] = []
        monkeypatch.setattr(Widget, "refresh", lambda self, *regions, **_options: painted.append((self, regions)))
        changed = make_status(4, name="campaign number 4", done=77, state="running")
        listing = app.screen.query_one(CampaignList)
        listing.show((source.statuses[0], changed, *source.statuses[2:]), 5)
        assert [(widget, [(r.y, r.height) for r in regions]) for widget, regions in painted] == [(listing, [(3, 3)])]  # type: ignore[attr-defined]
