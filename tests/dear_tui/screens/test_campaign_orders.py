"""Every key that asks something of a campaign: on a real store, with the sentences of the command line."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dear_tui.access import commands
from dear_tui.app import DearApp
from dear_tui.screens.new_campaign import NewCampaignScreen
from dear_tui.terminal.textual_private import shown_notices
from engine.store import Store
from tests.dear_tui.memory_desk import FakeDesk, worker_view
from tests.dear_tui.memory_store import FakeSource, make_app, make_status, screen_text, settle, until, until_shown
from tests.engine.store.stored_campaigns import new_campaign

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

NAMES = ("first", "second", "third")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Campaigns 1, 2 and 3 wait, 4 is cancelled; no worker is ever started."""
    monkeypatch.setattr(commands, "run_queue", lambda _path, *_: "the worker, process 4242, runs the queue")
    opened = Store.open(tmp_path / "store")
    for name in (*NAMES, "fourth"):
        opened.queue.submit(replace(new_campaign(), fingerprint=name, name=name))
    opened.queue.request("cancel", 4)
    return opened


def states(store: Store) -> dict[int, str]:
    return {status.id: status.state for status in store.campaigns()}


async def at(pilot: Pilot[str], campaign: int) -> DearApp:
    """The list is there, with the queue, and the cursor on a campaign."""
    app = pilot.app
    assert isinstance(app, DearApp)
    await until_shown(pilot, "○ queued 1")
    for key in ("g", *("j",) * 4):
        if app.campaign == campaign:
            break
        await pilot.press(key)
        await pilot.pause()
    assert app.campaign == campaign
    return app


async def test_p_pauses_and_goes_on_again(store: Store) -> None:
    async with DearApp(store.layout.root).run_test(size=(120, 40), notifications=True) as pilot:
        await at(pilot, 2)
        await pilot.press("p")
        await until_shown(pilot, "‖ paused", "○ queued 2")
        await until(pilot, lambda: states(store)[2] == "paused")
        assert store.queue.waiting() == [1, 3]
        await at(pilot, 2)
        await pilot.press("p")
        await until_shown(pilot, "○ queued 3")
        assert store.queue.waiting() == [1, 2, 3], "it has its place again"
        assert "campaign 2 is" not in screen_text(pilot.app), "the row shows it"  # type: ignore[arg-type]


async def test_p_on_a_running_campaign_asks_and_takes_it_back(store: Store) -> None:
    with store.lock("worker"):
        store.queue.take()
        async with DearApp(store.layout.root).run_test(size=(80, 24), notifications=True) as pilot:
            await until_shown(pilot, "● running")
            await at(pilot, 1)
            await pilot.press("p")
            await until_shown(pilot, "◌ pausing")
            await until(pilot, lambda: store.queue.order(1) == "pause")
            await pilot.press("p")
            await until_shown(pilot, "● running")
            await until(pilot, lambda: store.queue.order(1) is None)


async def test_x_asks_and_r_takes_it_back(store: Store) -> None:
    async with DearApp(store.layout.root).run_test(size=(120, 40), notifications=True) as pilot:
        await at(pilot, 3)
        await pilot.press("x")
        await until_shown(pilot, "Cancel campaign 3 (third, queued, 0 pairs)?", "y yes   n no")
        await pilot.press("n")
        await pilot.pause()
        assert states(store)[3] == "queued"
        await pilot.press("x", "y")
        await until(pilot, lambda: states(store)[3] == "cancelled")
        await at(pilot, 3)
        await pilot.press("r")
        await until(pilot, lambda: states(store)[3] == "queued")
        await until_shown(pilot, "○ queued 3")


async def test_d_asks_and_deletes(store: Store) -> None:
    app = DearApp(store.layout.root)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await at(pilot, 2)
        await pilot.press("c", "d")
        await until_shown(pilot, "Delete campaign 2 (second, queued, 0 pairs)", "cannot be undone")
        await pilot.press("escape")
        await pilot.pause()
        assert 2 in states(store)
        await pilot.press("d", "y")
        await until(pilot, lambda: "second" not in screen_text(app))
        assert states(store) == {1: "queued", 3: "queued", 4: "cancelled"}
        await until(pilot, lambda: app.marked == frozenset())


async def test_marked_campaigns_are_cancelled_queued_and_deleted_at_once_after_one_question(store: Store) -> None:
    app = DearApp(store.layout.root)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await at(pilot, 1)
        await pilot.press("c", "j", "c", "G", "c", "x")  # the fourth is cancelled already
        await until_shown(pilot, "Cancel the 2 marked campaigns (#1 first, #2 second)?")
        await pilot.press("y")
        await until_shown(pilot, "2 campaigns are cancelled")
        await until(pilot, lambda: states(store) == {1: "cancelled", 2: "cancelled", 3: "queued", 4: "cancelled"})
        await until(pilot, lambda: screen_text(app).count("– cancelled") >= 3)
        await pilot.press("r")
        await until_shown(pilot, "Queue the 3 marked campaigns (#1 first, #2 second, #4", "fourth) again?")
        await pilot.press("y")
        await until_shown(pilot, "3 campaigns are queued again", "○ queued 4")
        await pilot.press("d")
        await until_shown(pilot, "Delete the 3 marked campaigns (#1 first, #2 second, #4")
        await pilot.press("y")
        await until(pilot, lambda: states(store) == {3: "queued"})
        await until(pilot, lambda: app.marked == frozenset())


async def test_capital_r_renames_and_capital_n_keeps_a_note(store: Store) -> None:
    async with DearApp(store.layout.root).run_test(size=(120, 40), notifications=True) as pilot:
        await at(pilot, 2)
        await pilot.press("R", *"[b]", "enter")
        await until_shown(pilot, "#2  second[b]")
        await pilot.press("N", *"too few images", "enter")
        await until_shown(pilot, "note: too few images")
        assert "has this note now" not in screen_text(pilot.app), "the details show it"  # type: ignore[arg-type]
        await pilot.press("N")
        await until_shown(pilot, "Note on campaign 2")
        await pilot.press("escape", "R", "escape")
        await pilot.pause()
    assert (store.campaign(2).name, store.campaign(2).notes) == ("second[b]", "too few images")
    assert store.description(2)["config"]["name"] != "second[b]"


async def test_capital_j_and_k_move_in_the_queue(store: Store) -> None:
    app = DearApp(store.layout.root)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await at(pilot, 1)
        await pilot.press("J")
        await until(pilot, lambda: store.queue.waiting() == [2, 1, 3])
        await pilot.press("J", "J")
        await until(pilot, lambda: store.queue.waiting() == [2, 3, 1])
        await pilot.press("K", "K", "K")
        await until(pilot, lambda: store.queue.waiting() == [1, 2, 3])
        assert app.campaign == 1, "the cursor goes with it"
        await at(pilot, 4)
        await pilot.press("K")
        await until_shown(pilot, "campaign 4 is cancelled; only one")


@pytest.mark.parametrize("key", ["r", "p"])
async def test_what_makes_no_sense_is_refused_in_the_engines_sentence(store: Store, key: str) -> None:
    async with DearApp(store.layout.root).run_test(size=(120, 40), notifications=True) as pilot:
        await at(pilot, 4 if key == "p" else 1)
        await pilot.press(key)
        await until_shown(pilot, "campaign 4 is cancelled; only one that" if key == "p" else "campaign 1 is queued")
    assert states(store) == {1: "queued", 2: "queued", 3: "queued", 4: "cancelled"}


async def test_w_starts_a_worker_and_capital_w_stops_it(store: Store) -> None:
    async with DearApp(store.layout.root).run_test(size=(120, 40), notifications=True) as pilot:
        await until_shown(pilot, "No worker runs, 3 campaigns wait: w starts it")
        await pilot.press("w", "W")
        await until_shown(pilot, "no worker runs in this store")
        with store.be_worker(), store.lock("worker"):
            await until_shown(pilot, f"Worker {os.getpid()} takes the next campaign")
            await pilot.press("W")
            await until_shown(pilot, f"Worker {os.getpid()} stops after the part being computed: W again")
            assert store.queue.stops(os.getpid()) == 1
            assert "the worker, process" not in screen_text(pilot.app), "its line shows all of it"  # type: ignore[arg-type]


async def test_the_line_of_the_worker_shows_that_one_is_being_started() -> None:
    desk = FakeDesk()
    app = make_app(FakeSource([make_status(7)]), desk=desk)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No worker runs")
        desk.gate.clear()
        await pilot.press("w")
        await until_shown(pilot, "Starting the worker ...")
        desk.view = worker_view()
        desk.gate.set()
        await until_shown(pilot, "Worker 4242")
        assert desk.orders == [("start_worker",)]
        assert not shown_notices(app)


async def test_a_note_is_told_where_no_details_show_it() -> None:
    desk = FakeDesk()
    app = make_app(FakeSource([make_status(7)]), desk=desk)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "No worker runs")
        await pilot.press("N", *"at night", "enter")
        await until_shown(pilot, "campaign 7 has this note now")


async def test_what_a_dead_worker_left_is_named(store: Store) -> None:
    with store.lock("worker"):
        store.queue.take()
    async with DearApp(store.layout.root).run_test(size=(120, 40)) as pilot:
        await until_shown(pilot, "The worker ended while it ran campaign 1: w starts one that goes on with it")
        await until_shown(pilot, "‖ paused")


async def test_a_refusal_takes_back_what_was_shown_at_once() -> None:
    desk = FakeDesk(worker_view())
    desk.refusal = "/data/store: cannot be the store (Read-only file system); choose another with --store"
    source = FakeSource([make_status(7, done=3, state="running")])
    async with make_app(source, desk=desk).run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("p")
        await until_shown(pilot, "cannot be the store", "● running")
    assert desk.orders == []


async def test_n_opens_the_form_also_where_there_is_no_campaign() -> None:
    for source in (FakeSource(), FakeSource([make_status(1)])):
        app = make_app(source)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await pilot.press("n")
            await pilot.pause()
            assert isinstance(app.screen, NewCampaignScreen)
