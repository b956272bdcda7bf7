"""What the app says when campaigns end: which ends are news, and where it is said."""

from pathlib import Path

import pytest
from textual.widgets._toast import Toast

from dear_tui.access.store_location import Snapshot
from dear_tui.app import DearApp
from dear_tui.settings.settings import Settings
from dear_tui.text.notices import Notice, changed, desktop_sequence, notice_of
from tests.dear_tui.memory_desk import FakeDesk
from tests.dear_tui.memory_store import FakeSource, make_app, make_status, settle, until, until_read

RUNNING = make_status(7, done=4000, state="running")


@pytest.mark.parametrize(
    ("changes", "notice"),
    [
        ({"state": "finished"}, Notice("Campaign 7 (lenet5-mnist) is finished: all well.")),
        ({"state": "failed", "error": "out of memory\nmore"},
         Notice("Campaign 7 (lenet5-mnist) failed: out of memory", "error")),
        ({"state": "failed"}, Notice("Campaign 7 (lenet5-mnist) failed: 1 lists it", "error")),
        ({"state": "paused", "error": "the disk is full"},
         Notice("Campaign 7 (lenet5-mnist) waits: the disk is full", "warning")),
        ({"state": "paused"}, None),
        ({"state": "cancelled"}, None),
        ({"state": "running"}, None),
    ],
)  # fmt: skip
def test_the_ends_that_are_news(changes: dict[str, object], notice: Notice | None) -> None:
    assert notice_of(make_status(7, done=4000, **changes), "all well") == notice


async def test_what_is_told_at_the_end_is_read_beside_the_event_loop() -> None:
    source, desk = FakeSource([RUNNING]), FakeDesk()
    app = make_app(source, 7, desk=desk)
    async with app.run_test() as pilot:
        await settle(pilot)
        desk.gate.clear()
        source.statuses = [make_status(7, done=10_000, state="finished")]
        await until_read(pilot, source)
        assert not app._notifications
        desk.gate.set()
        await until(pilot, lambda: app._notifications)
        assert [told.message for told in app._notifications] == [
            "Campaign 7 (lenet5-mnist) is finished: 1,714 critical faults (10.4 %), "
            "accuracy falls by more than a point under 243."
        ]


def test_what_is_seen_for_the_first_time_is_no_news() -> None:
    finished = Snapshot((make_status(7, state="finished"),))
    assert list(changed(Snapshot(), finished)) == []
    assert list(changed(Snapshot(()), finished)) == []
    assert list(changed(finished, finished)) == []
    assert list(changed(Snapshot((RUNNING,)), finished)) == list(finished.campaigns or ())


def test_no_name_can_end_the_sequence() -> None:
    assert desktop_sequence("a\x07b\x1b]c\n") == "\x1b]9;ab]c\x07"


@pytest.mark.parametrize("wanted", [False, True])
async def test_a_toast_always_bell_and_desktop_where_wanted(wanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource([RUNNING])
    app = DearApp(Path("/data/store"), None, lambda _path: source, settings=Settings(bell=wanted, desktop=wanted))
    async with app.run_test() as pilot:
        await settle(pilot)
        said: list[str] = []
        monkeypatch.setattr(app, "bell", lambda: said.append("bell"))
        monkeypatch.setattr(app._driver, "write", said.append)
        source.statuses = [make_status(7, name="[b]mine[/b]", done=4000, state="failed", error="no room")]
        await until_read(pilot, source)
        assert [(told.message, told.severity) for told in app._notifications] == [
            ("Campaign 7 ([b]mine[/b]) failed: no room", "error")
        ]
        assert said == (["bell", "\x1b]9;Campaign 7 ([b]mine[/b]) failed: no room\x07"] if wanted else [])


async def test_notices_do_not_pile_up_and_the_same_one_is_told_once() -> None:
    app = make_app(FakeSource([RUNNING]))
    async with app.run_test(notifications=True) as pilot:
        await settle(pilot)
        app.notify("cannot be written", severity="error")
        for _ in range(4):
            app.notify("campaign 7 is paused")
        await until(pilot, lambda: len(app.screen.query(Toast)) == 2)
        assert [told.message for told in app._notifications] == ["cannot be written", "campaign 7 is paused"]
        for place in range(9):
            app.notify(f"campaign 7 is number {place} in the queue")
        await until(pilot, lambda: "number 8" in str([told.message for told in app._notifications]))
        await until(pilot, lambda: len(app.screen.query(Toast)) == 3)
        assert [told.message for told in app._notifications] == [
            "cannot be written", "campaign 7 is paused", "campaign 7 is number 8 in the queue",
        ]  # fmt: skip
        app.notify("campaign 8 is number 8 in the queue")
        await until(pilot, lambda: "campaign 8" in str([told.message for told in app._notifications]))
        assert [told.message for told in app._notifications] == [
            "cannot be written", "campaign 7 is number 8 in the queue", "campaign 8 is number 8 in the queue",
        ]  # fmt: skip


async def test_an_error_stays_longer_than_what_is_only_news() -> None:
    app = make_app(FakeSource([RUNNING]))
    async with app.run_test() as pilot:
        await settle(pilot)
        app.tell(Notice("finished"))
        app.notify("failed", severity="error")
        await until(pilot, lambda: len(app._notifications) == 2)
        news, error = app._notifications
        assert error.timeout > news.timeout
