"""The list of campaigns and each of its keys."""

import re
from dataclasses import replace

import pytest
from textual import events
from textual.geometry import Region  # noqa: TC002
from textual.widget import Widget

from dear_tui.access.demo import DEMO
from dear_tui.app import DearApp
from dear_tui.planner.reports import Report
from dear_tui.screens.live import LiveScreen
from dear_tui.settings.actions import actions_of
from dear_tui.widgets.campaigns.campaign_columns import Row
from dear_tui.widgets.campaigns.campaign_list import CampaignList
from engine.store.state.heartbeat import WorkerStatus
from engine.store.state.lock import Holder
from engine.store.state.queue import QueueView
from tests.dear_tui.memory_desk import FINDINGS, FakeDesk, FakePlanner, worker_view
from tests.dear_tui.memory_store import (
    IMAGES,
    FakeSource,
    make_app,
    make_curve,
    make_status,
    resize,
    screen_text,
    settle,
    until,
    until_read,
    until_shown,
)


def five(state: str = "cancelled") -> FakeSource:
    numbers = (5, 4, 3, 2, 1)
    return FakeSource([
        make_status(number, name=f"campaign number {number}", done=number, state=state) for number in numbers
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        ([], 5), (["j"], 4), (["down"], 4), (["j", "j", "k"], 4), (["G"], 1), (["end"], 1), (["G", "g"], 5),
        (["j", "j", "up", "home"], 5), (["k"], 5), (["G", "j"], 1),
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
        assert len(marked) == 1
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


async def test_a_line_shows_what_has_room_and_the_chosen_campaign_has_one_of_its_own() -> None:
    running = make_status(7, done=4000, state="running", rate=397_812.0, eta_s=249.0, select="central")
    app = make_app(FakeSource([running]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = await until_shown(pilot, "798")
        for part in ("#7", "lenet5-mnist", "● running 40 %", "━", " 40.0 %", "66M / 165M pairs", "398k/s", "ETA 4m 09s",
                     "0.621 %", "798", "critical", "lower acc."):  # fmt: skip
            assert part in text
        await resize(pilot, 180, 40)
        await until_shown(pilot, "fingerprint")
        await pilot.press("i")
        await until_shown(pilot, "lenet5", "mnist", "central 10k", "16.5k", "9.79–11 %", "ETA 4m 09s")


def numbers(app: DearApp) -> list[int]:
    """Of the campaigns, from the top of the list."""
    return [int(number) for number in re.findall(r"#(\d)  ", screen_text(app))]


async def test_keys_and_clicks_on_a_heading_sort_and_the_cursor_stays_on_its_campaign() -> None:
    names = {3: "middle", 2: "alpha", 1: "zeta"}
    source = FakeSource([make_status(number, name=name, state="finished") for number, name in names.items()])
    app = make_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert numbers(app) == [3, 2, 1]
        await pilot.press("o", "o")
        await until_shown(pilot, "name▲")
        assert numbers(app) == [2, 3, 1]
        assert app.campaign == 3
        await pilot.press("O")
        await until_shown(pilot, "name▼")
        assert numbers(app) == [1, 3, 2]
        heading = next(line for line in screen_text(app).splitlines() if "name▼" in line)
        await pilot.click(CampaignList, offset=(heading.index("id"), 0))
        await until_shown(pilot, "id▼")
        assert numbers(app) == [3, 2, 1]
        await pilot.click(CampaignList, offset=(heading.index("id"), 0))
        await until_shown(pilot, "id▲")
        assert numbers(app) == [1, 2, 3]
        assert app.campaign == 3


async def test_a_new_campaign_leaves_the_cursor_where_it_was() -> None:
    source = five()
    app = make_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("j")
        source.statuses = [make_status(6), *source.statuses]
        await until_read(pilot, source)
        assert app.campaign == 4
        assert app.screen.query_one(CampaignList).cursor == 2


async def test_the_list_opens_at_the_given_campaign() -> None:
    app = make_app(five(), 2)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("1")
        await pilot.pause()
        assert app.screen.query_one(CampaignList).cursor == 3


async def test_keys_without_a_list_are_not_offered() -> None:
    app = make_app(FakeSource([]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for name in ("open", "pause", "filter", "mark"):
            assert name not in screen_text(app)
        await pilot.press("j", "G", "enter", "p", "y", "c", "slash")
        text = await until_shown(pilot, "No worker runs; nothing waits")
        for sentence in (
            "No campaign yet.", "d on the first screen runs the demo: LeNet-5 on MNIST, in some minutes.",
            "n makes one of your own, in a form.",
            "From a shell: dear-tui demo or dear-tui submit CONFIG;", "it appears here by itself.",
        ):  # fmt: skip
            assert sentence in text


ORDERS = {"pause", "resume", "retry", "cancel", "delete"}


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        ("queued", {"pause", "cancel", "delete"}), ("running", {"pause", "cancel", "delete"}),
        ("paused", {"resume", "cancel", "delete"}), ("finished", {"delete"}),
        ("failed", {"retry", "cancel", "delete"}), ("cancelled", {"retry", "delete"}),
    ],
)  # fmt: skip
async def test_the_footer_offers_what_the_state_allows(state: str, offered: set[str]) -> None:
    app = make_app(FakeSource([make_status(2, state=state)]))
    async with app.run_test(size=(120, 24)) as pilot:
        await settle(pilot)
        assert {action.name for action in actions_of(app.screen)} & ORDERS == offered
        footer = screen_text(app).splitlines()[-1].split()
        assert ORDERS.intersection(footer) == offered


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["p"], "campaign 3 is finished; only one that is queued or running can be paused"),
        (["x"], "campaign 3 is finished; only one that is queued or paused or failed or running can be cancelled"),
        (["r"], "campaign 3 is finished; only one that is failed or cancelled can be run again"),
        (["J"], "campaign 3 is finished; only one that is queued can be moved"),
        (["g", "K"], "campaign 1 is the next one already"),
        (["g", "j", "J"], "campaign 2 is the last one already"),
        (["tab"], "the details are not shown; i shows them"),
        (["g", "e"], "campaign 1 has found nothing yet"),
        (["W"], "no worker runs in this store; w starts one"),
    ],
)
async def test_a_key_that_does_nothing_says_why(keys: list[str], said: str) -> None:
    desk = FakeDesk(QueueView(waiting=(1, 2)))
    statuses = [make_status(3, state="finished"), make_status(2), make_status(1)]
    app = make_app(FakeSource(statuses), 3, desk=desk)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("1")
        await until_shown(pilot, "queued 2")
        await pilot.press("i")
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        squeezed = " ".join(screen_text(app).split())
        for word in said.split():
            assert word in squeezed
    assert desk.orders == []


async def test_p_on_a_paused_campaign_resumes_it() -> None:
    desk = FakeDesk()
    async with make_app(FakeSource([make_status(3, state="paused")]), desk=desk).run_test() as pilot:
        await settle(pilot)
        await pilot.press("p")
        await until(pilot, lambda: desk.orders == [("resume", 3)])


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
        await resize(pilot, 120, 40)
        await until(pilot, lambda: screen_text(app).count("─") > narrow.count("─"))
    assert max(map(len, narrow.splitlines())) <= 80


async def test_only_the_line_of_a_changed_campaign_is_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    source = five()
    app = make_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await until_shown(pilot, "798")
        painted: list[tuple[Widget, tuple[Region, ...]]] = []
        monkeypatch.setattr(Widget, "refresh", lambda self, *regions, **_options: painted.append((self, regions)))
        listing = app.screen.query_one(CampaignList)
        rows = [Row(status, found=FINDINGS) for status in source.statuses]
        rows[1] = replace(rows[1], is_marked=True)
        listing.show_campaigns(rows, 5)
        assert [(widget, [(r.y, r.height) for r in regions]) for widget, regions in painted] == [(listing, [(2, 1)])]


async def test_a_number_that_gets_shorter_paints_its_own_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a percentage that comes to 10 % paints the whole list, several times a minute over a slow line."""
    source = five()
    app = make_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        listing = app.screen.query_one(CampaignList)
        long, short = ([Row(make_status(5, done=done, state="running"))] for done in (999, 1000))
        listing.show_campaigns(long, 5)
        painted: list[tuple[Widget, tuple[Region, ...]]] = []
        monkeypatch.setattr(Widget, "refresh", lambda self, *regions, **_options: painted.append((self, regions)))
        listing.show_campaigns(short, 5)
        assert [(widget, [(r.y, r.height) for r in regions]) for widget, regions in painted] == [(listing, [(1, 1)])]


async def test_what_runs_comes_first_then_the_queue_in_its_order() -> None:
    states = {6: "finished", 5: "queued", 4: "queued", 3: "paused", 2: "running", 1: "failed"}
    source = FakeSource([make_status(number, name=f"<{number}>", state=state) for number, state in states.items()])
    app = make_app(source, desk=FakeDesk(QueueView(waiting=(4, 5))))
    async with app.run_test(size=(80, 40)) as pilot:
        text = await until_shown(pilot, "○ queued 1", "○ queued 2")
        assert [int(part[0]) for part in text.split("<")[1:]] == [2, 4, 5, 6, 3, 1]


async def test_what_is_asked_elsewhere_shows_until_it_is_done() -> None:
    desk = FakeDesk(worker_view(asked={7: "cancel"}))
    async with make_app(FakeSource([make_status(7, done=3, state="running")]), desk=desk).run_test() as pilot:
        await until_shown(pilot, "◌ cancelling")
        desk.view = worker_view()
        await until_shown(pilot, "● running")


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (QueueView(), "No worker runs; nothing waits"),
        (QueueView(waiting=(1,)), "No worker runs, 1 campaign waits: w starts it"),
        (QueueView(waiting=(1, 2)), "No worker runs, 2 campaigns wait: w starts it"),
        (QueueView(left=(7,), waiting=(1,)), "The worker ended while it ran campaign 7: w starts one that goes on"),
        (QueueView(holder=Holder(99, "foreground")), "Process 99 runs a campaign in the foreground"),
        (QueueView(holder=Holder(99, "foreground"), waiting=(1,)), "1 campaign waits: w starts a worker"),
        (
            QueueView(holder=Holder(99, "foreground"), worker=WorkerStatus(True, 4242, waits_for=99), waiting=(1,)),
            "Worker 4242 waits for the run in the foreground, process 99",
        ),
        (QueueView(worker=WorkerStatus(True, 4242), waiting=(1,)), "Worker 4242 takes the next campaign"),
        (worker_view(), "Worker 4242 on cpu: campaign 7, images 1,009 to 2,032 by rank"),
        (
            QueueView(worker=WorkerStatus(True, 4242, "cpu", 7, step="measuring rounding ...")),
            "Worker 4242 on cpu: campaign 7, measuring rounding ...",
        ),
        (QueueView(worker=WorkerStatus(True, 4242, campaign=7)), "Worker 4242: campaign 7"),
        (worker_view(stops=1), "Worker 4242 stops after the part being computed: W again stops it at once"),
    ],
)
async def test_who_runs_the_queue_is_said(view: QueueView, said: str) -> None:
    async with make_app(FakeSource([make_status(1)]), desk=FakeDesk(view)).run_test(size=(120, 24)) as pilot:
        await until_shown(pilot, said)


async def test_what_is_done_before_the_first_pair_stands_in_its_row() -> None:
    source = FakeSource([make_status(7, state="running")])
    source.at_work = WorkerStatus(True, 4242, campaign=7, step="ranking the images: 512 of 1,024")
    async with make_app(source).run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "ranking the images: 512 of 1,024")
        source.at_work = replace(source.at_work, step=None)
        text = await until_shown(pilot, "0 / 165M pairs")
        assert "ranking" not in text


async def test_a_silent_worker_and_one_that_is_started_later_are_seen() -> None:
    late = worker_view()
    desk = FakeDesk(worker_view(worker=replace(late.worker, silence_s=12.3)))
    async with make_app(FakeSource([make_status(1)]), desk=desk).run_test() as pilot:
        await until_shown(pilot, "Worker 4242 has not answered for 12s")
        desk.view = QueueView(waiting=(1,))
        await until_shown(pilot, "No worker runs")
        desk.view = worker_view(worker=replace(late.worker, campaign=None, block=None))
        await until_shown(pilot, "Worker 4242 waits: the queue is empty")


async def test_keys_that_come_all_at_once_act_on_the_rows_they_pass() -> None:
    """As they do over a slow line; the second `c` is not for the campaign of the first."""
    app = make_app(FakeSource([make_status(number, state="finished") for number in (3, 2, 1)]))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.campaign == 3)
        for key in "cjjc":
            app.post_message(events.Key(key, key))
        await until(pilot, lambda: app.campaign == 1)
        assert app.marked == {3, 1}
        for key in "cd":  # the mark of 1 is taken away: of one campaign is left what is marked
            app.post_message(events.Key(key, key))
        await until_shown(pilot, "Delete campaign 3 ")


async def test_d_runs_the_demo_where_there_is_no_campaign() -> None:
    planner = FakePlanner([], waits=True, on_submit=[Report("step", "ranking the images")])
    app = make_app(FakeSource([]), plan_with=planner)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "d demo")
        await pilot.press("d", "d")
        await until_shown(pilot, "The demo is being queued: ranking the images")
        assert [(order.tables, order.store) for order in planner.orders] == [(DEMO, "/data/store")]
        planner.end()


async def test_a_demo_that_cannot_be_queued_says_why_and_can_be_asked_for_again() -> None:
    planner = FakePlanner([], on_submit=[Report("error", "/data/store: no space left")])
    async with make_app(FakeSource([]), plan_with=planner).run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "d demo")
        await pilot.press("d")
        await until_shown(pilot, "no space left", "No campaign yet.")
        await pilot.press("d")
        await until(pilot, lambda: len(planner.orders) == 2)


async def test_capital_c_marks_all_that_are_shown_or_none() -> None:
    app = make_app(five())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("c", "C")
        assert app.marked == {1, 2, 3, 4, 5}
        await pilot.press("C")
        assert app.marked == frozenset()


async def test_the_filter_narrows_as_one_types_and_esc_shows_all() -> None:
    source = FakeSource([
        make_status(3, name="third", state="failed", network="resnet20"), make_status(2, name="second"),
        make_status(1, name="first", select="central"),
    ])  # fmt: skip
    app = make_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"RESNET fai")
        text = await until_shown(pilot, "1 of 3 campaigns")
        assert "third" in text
        assert "first" not in text
        assert app.campaign == 3
        await pilot.press("enter", "c")
        assert app.marked == {3}, "keys belong to the list again, and the filter stays"
        assert "second" not in screen_text(app)
        await pilot.press("escape")
        await until_shown(pilot, "first", "second", "third")
        await pilot.press("slash", *"xyz")
        await until_shown(pilot, "Nothing matches “xyz”; esc shows all campaigns.")
        await pilot.press("escape", "j")
        await until_shown(pilot, "first", "second", "third")
        assert app.screen.query_one(CampaignList).has_focus


async def test_marks_are_signs_and_are_counted() -> None:
    app = make_app(five())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("c", "j", "c")
        assert app.marked == {5, 4}
        text = await until_shown(pilot, "◆ 2 marked")
        assert [line[2] for line in text.splitlines() if "#5" in line or "#4" in line] == ["◆", "◆"]
        await pilot.press("c")
        assert app.marked == {5}


async def test_e_writes_the_report_of_the_chosen_campaign_or_of_the_marked_ones() -> None:
    desk = FakeDesk()
    app = make_app(FakeSource([make_status(number, IMAGES, state="finished") for number in (3, 2)]), desk=desk)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("e")
        await until_shown(pilot, "written: report-campaign-3/report.html")
        await pilot.press("c", "j", "c", "e")
        await until_shown(pilot, "report-campaigns-2-3")
        await until(pilot, lambda: desk.orders == [("report", "3"), ("report", "2", "3")])


async def test_a_report_that_fails_says_why() -> None:
    desk = FakeDesk()
    desk.refusal = "/readonly: cannot be written (Permission denied); give --out a folder that can be"
    app = make_app(FakeSource([make_status(3, IMAGES, state="finished")]), desk=desk)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("e")
        await until_shown(pilot, "cannot be written")


async def test_y_copies_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(five())
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("j", "y")
        await until_shown(pilot, "copied 4")
    assert copied == ["4"]


async def test_a_deleted_campaign_gives_the_cursor_to_its_neighbour() -> None:
    source = five()
    app = make_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("j", "j")
        assert app.campaign == 3
        source.statuses = [status for status in source.statuses if status.id != 3]
        await until_read(pilot, source)
        await pilot.pause()
        assert app.campaign == 2


async def test_a_store_that_answers_late_delays_no_key() -> None:
    """The desk hangs, as on a dead network disk: keys move, filter, mark and ask all the same, and paint at once."""
    source, desk = five("running"), FakeDesk()
    desk.gate.clear()
    app = make_app(source, desk=desk)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        await pilot.press("j")
        await pilot.pause()
        assert "Reading its config ..." in screen_text(app)
        await pilot.press("p")
        await pilot.pause()
        assert "◌ pausing" in screen_text(app)
        await pilot.press("c", "slash", *"number 4", "enter")
        await pilot.pause()
        assert "◆ 1 marked" in screen_text(app)
        assert "1 of 5 campaigns" in screen_text(app)
        assert desk.orders == []
        desk.gate.set()
        await until_shown(pilot, "● running")
        await until(pilot, lambda: desk.orders == [("pause", 4)])
