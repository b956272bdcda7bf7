"""Each key of the live screen: views, classes, marked campaigns, files and queries."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from dear_tui.charts.view import ChartKind, ChartView
from dear_tui.screens.live import LiveScreen
from dear_tui.settings.actions import actions_of
from tests.dear_tui.live_pilot import live_store, press, settle_all
from tests.dear_tui.memory_store import FakeSource, make_app, make_curve, make_status, screen_text, until, until_shown

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_key_of_another_view_says_which() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle_all(pilot)
        await press(pilot, "d")
        text = await until_shown(pilot, "this key is for the view “scatter”;", "v goes on to the next")
        assert "density" not in text.splitlines()[-1]


async def test_v_goes_round_the_views() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        shown = []
        for _ in range(4):
            shown.append((chart.view.kind, next(iter(chart.picture.rows())).strip()[:22]))
            await press(pilot, "v")
        assert shown == [
            (ChartKind.CURVE, "Cumulative detection c"),
            (ChartKind.SCATTER, "Critical faults of eac"),
            (ChartKind.COMPARISON, "Critical faults found,"),
            (ChartKind.CURVE, "Cumulative detection c"),
        ]


async def test_random_against_ranked_says_what_it_waits_for() -> None:
    source = FakeSource([make_status(7, done=4000, state="running")], {7: make_curve(4000)})
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)
        await press(pilot, "v", "v")
        assert "once every image has run" in " ".join(screen_text(app).split())
        assert "4,000 of 10,000 have" in screen_text(app)
        keys = {action.keys[0] for action in actions_of(app.screen)}
        assert not keys & {"e", "+", "→", "m", "s", "y"}
        await press(pilot, "v")
        assert "non-critical 9,680" in screen_text(app)


@pytest.mark.parametrize(
    ("keys", "key", "changed"),
    [
        ((), "x", ChartView(log_x=False)),
        ((), "y", ChartView(log=True)),
        ((), "a", ChartView(asymptotes=False)),
        (("v",), "d", ChartView(ChartKind.SCATTER, density=True)),
        (("v", "v"), "y", ChartView(ChartKind.COMPARISON, log=True)),
        (("v", "v"), "a", ChartView(ChartKind.COMPARISON, asymptotes=False)),
    ],
)
async def test_toggles(keys: tuple[str, ...], key: str, changed: ChartView) -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        chart = await settle_all(pilot)
        await press(pilot, *keys)
        before = list(chart.picture.rows())
        await press(pilot, key)
        assert chart.view == changed
        assert list(chart.picture.rows()) != before
        await press(pilot, key)
        assert list(chart.picture.rows()) == before


async def test_only_keys_that_do_something_are_offered() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)

        def offered() -> set[str]:
            return {key for action in actions_of(app.screen) for key in action.keys}

        always = {"v", "x", "y", "+", "-", "h", "l", "0", "←", "→", "⇧←", "⇧→", "e", "space", "s", "i", "z"}
        assert always | {"m", "n", "c", "a"} <= offered()
        assert not offered() & {"d", "r", "escape", "esc"}
        await press(pilot, "v", "right")
        assert always | {"d", "esc"} <= offered()
        assert not offered() & {"m", "n", "c", "a", "r"}


async def test_marked_campaigns_are_overlaid_while_there_are_some() -> None:
    app = make_app(live_store(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        chart = await settle_all(pilot)
        app.marked = frozenset({7, 8, 9})
        assert isinstance(app.screen, LiveScreen)
        app.screen.refresh_snapshot()
        await until(pilot, lambda: chart.view.kind is ChartKind.OVERLAY)
        for words in ("#9 begun 1,040", "#8 central 843", "#7 lenet5-mnist 1,040"):
            assert words in screen_text(app)
        await press(pilot, "r")
        assert "% of each one's images" in screen_text(app)
        await press(pilot, "v")
        assert chart.view.kind is ChartKind.CURVE
        await press(pilot, "v", "v", "v")
        assert chart.view.kind is ChartKind.OVERLAY
        app.marked = frozenset({8})
        assert isinstance(app.screen, LiveScreen)
        app.screen.refresh_snapshot()
        await until(pilot, lambda: chart.view.kind is ChartKind.CURVE)


async def test_export_writes_two_files_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)
        await press(pilot, "plus", "e")
        await until(pilot, lambda: bool(app._notifications))
        said = [notice.message for notice in app._notifications]
    assert len(said) == 1
    assert said[0].startswith(f"Written: {tmp_path}/campaign-7-curve.svg, {tmp_path}/campaign-7-curve.csv")
    with (tmp_path / "campaign-7-curve.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 100, "the shown part of a logarithmic axis"
    assert (tmp_path / "campaign-7-curve.svg").read_text().startswith("<svg")


async def test_an_export_that_fails_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setattr("dear_tui.widgets.campaigns.campaign_chart.write_export", _no_room)
    app = make_app(live_store(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)
        await press(pilot, "e")
        await until(pilot, lambda: bool(app._notifications))
        notice = next(iter(app._notifications))
    assert (notice.message, notice.severity) == (f"{gone}: cannot be written (No space left on device)", "error")


def _no_room(*_args: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("keys", "parts"),
    [
        ((), ("FROM curve", "campaign = 7", "ORDER BY rank")),
        (("x", "plus"), ("FROM curve", "rank BETWEEN 0 AND 4999")),
        (("v",), ("image_summary", "el2n", "campaign = 7")),
        (("v", "v"), ("row_number() OVER (ORDER BY el2n DESC, rank)",)),
    ],
)
async def test_s_opens_the_query_behind_what_is_shown(
    keys: tuple[str, ...], parts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(live_store(), 7)
    opened: list[str] = []
    monkeypatch.setattr(app, "open_sql", opened.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle_all(pilot)
        await press(pilot, *keys, "s")
    assert len(opened) == 1
    assert [part for part in parts if part not in opened[0]] == []
