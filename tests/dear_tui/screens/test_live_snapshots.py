"""Pictures of the live screen: its views in colours, and narrow or marked ones with few colours or none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from dear_tui.screens.live import LiveScreen
from dear_tui.widgets.campaigns.campaign_chart import CampaignChart
from tests.dear_tui.memory_store import FakeSource, make_app, make_curve, make_status, screen_text, settle
from tests.dear_tui.pictures import pictures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dear_tui.app import DearApp
    from engine.store import CampaignStatus

FULL = 10_000
LOG = """\
2026-01-02T03:04:02Z 4711 worker started, until the queue is empty
2026-01-02T03:04:06Z 4711 campaign 7: lenet5-mnist, 0 of 165,010,000 pairs done before
2026-01-02T03:04:07Z 4711 near-ties closer than 3.1e-06 of the largest magnitude are run again with exact
"""


def campaign(state: str) -> CampaignStatus:
    """Number 7, as it is in this state."""
    started = "2026-01-02T03:04:06Z"
    if state == "running":
        return make_status(7, done=4000, state=state, started=started, rate=397_812.0, eta_s=249.0)
    return make_status(7, done=FULL, state=state, started=started, finished="2026-01-02T03:13:18Z")


def source(state: str) -> FakeSource:
    """A store with number 7 in this state between others."""
    done = {"running": 4000, "finished": FULL}[state]
    central = make_status(8, name="central images", select="central", images=312, done=290)
    begun = make_status(6, name="other seed", done=1000, state="paused")
    curves = {7: make_curve(done), 8: make_curve(290, images=312), 6: make_curve(1000)}
    return FakeSource([central, campaign(state), begun], curves)


async def settle_all(pilot: Any) -> None:
    """Wait until the screen shows all that it reads."""
    await settle(pilot)
    screen = pilot.app.screen
    if isinstance(screen, LiveScreen):
        async with asyncio.timeout(20):
            while not screen._details.log or screen._details.counts is None:
                await pilot.pause()
    async with asyncio.timeout(20):
        while "? keys" not in screen_text(pilot.app):  # the footer is made after the body has the focus
            await pilot.pause()
    await pilot.pause()


@pytest.fixture(autouse=True)
def log_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's path is on the screen and must be the same everywhere, so the log lies elsewhere."""
    (tmp_path / "worker.log").write_text(LOG)
    monkeypatch.setattr("dear_tui.screens.live.WORKER_LOG", tmp_path / "worker.log")  # an absolute path wins


def shown(state: str) -> DearApp:
    return make_app(source(state), 7)


def pressing(*keys: str, marked: frozenset[int] = frozenset()) -> Callable[[Any], Any]:
    """What is done before the picture is taken."""

    async def show(pilot: Any) -> None:
        await settle_all(pilot)
        if marked:
            pilot.app.marked = marked
            pilot.app.screen.refresh_snapshot()
            async with asyncio.timeout(20):
                while not pilot.app.screen.query_one(CampaignChart).data.marked:
                    await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return show


def test_while_it_runs(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(shown("running"), terminal_size=(120, 40), run_before=pressing())


VIEWS = {
    "scatter": ("v", *["right"] * 6),
    "scatter-shaded-log": ("v", "d", "x", "y"),
    "random-ranked": ("v", "v", "x", "m", "n"),
    "critical-zoomed": ("m", "n", *["plus"] * 6, *["shift+right"] * 4),
}


@pictures("view", "scatter 120x40", "scatter-shaded-log 80x24", "random-ranked 80x24", "critical-zoomed 120x40")
def test_view(view: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(shown("finished"), terminal_size=size, run_before=pressing(*VIEWS[view]))


def test_marked_campaigns(snap_compare: Callable[..., bool]) -> None:
    before = pressing("x", "right", *["shift+right"] * 3, marked=frozenset({6, 7, 8}))
    assert snap_compare(shown("running"), terminal_size=(120, 40), run_before=before)


@pictures("view terminal", "curve NO_COLOR 80x24", "marked 16-colours 120x40")
def test_few_colours(
    terminal: str,
    view: str,
    size: tuple[int, int],
    snap_compare: Callable[..., bool],
    few_colours: Callable[[str], None],
) -> None:
    few_colours(terminal)
    marked = frozenset({6, 7, 8}) if view == "marked" else frozenset()
    assert snap_compare(shown("running"), terminal_size=size, run_before=pressing(marked=marked))


def test_help_over_it(snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(shown("running"), terminal_size=(80, 24), run_before=pressing("question_mark"))


def test_light_theme(snap_compare: Callable[..., bool]) -> None:
    app = shown("finished")
    app.theme = "textual-light"
    assert snap_compare(app, terminal_size=(120, 40), run_before=pressing())
