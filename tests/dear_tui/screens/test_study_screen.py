"""The members of a study side by side, from a real store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dear_tui.access import study_reader
from dear_tui.access.store_location import open_store
from dear_tui.app import DearApp
from dear_tui.screens.live import LiveScreen
from dear_tui.screens.sql import SqlScreen
from engine.config.campaign_config import load_config
from engine.running.execution import execute, prepare_new
from engine.running.preparation import prepare
from engine.store import Store
from tests.dear_tui.memory_desk import FakeDesk
from tests.dear_tui.memory_store import FakeSource, make_app, make_status, open_screen, screen_text, settle, until_shown
from tests.engine.running.test_campaign import Recorder
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three seeds, of which the last one waits, and a campaign of none."""
    folder = tmp_path_factory.mktemp("study")
    path = folder / "store"
    for seed in SEEDS:
        config = load_config(write_config(folder, faults={"seed": seed}))
        member = replace(prepare_new(config), study="seeds", factors={"faults.seed": seed})
        with Store.open(path) as opened:
            opened.queue.submit(member)
        if seed != SEEDS[-1]:
            execute(prepare(config), path, Recorder(), lambda: False)
    with Store.open(path) as opened:
        opened.queue.submit(prepare_new(load_config(write_config(folder, faults={"seed": 9}))))
    return path


def app_of(store: Path, campaign: int) -> DearApp:
    return DearApp(store, campaign, open_store, lambda _path: FakeDesk())


async def test_marked_campaigns_stand_side_by_side_with_what_differs(store: Path) -> None:
    app = app_of(store, 4)
    async with app.run_test(size=(120, 24)) as pilot:
        await open_screen(pilot, "7", "is no member of a study", "mark them with c")
        app.marked = frozenset({1, 2, 4})
        await open_screen(pilot, "1", "campaigns")
        await open_screen(pilot, "7", "marked: 3 campaigns, 2 with results")
        lines = screen_text(app).splitlines()
        assert lines[2].split()[:3] == ["id", "faults.seed", "critical"]
        assert [line.replace("▌", " ").split()[:2] for line in lines[3:6]] == [["1", "1"], ["2", "2"], ["4", "9"]]
        await pilot.press("s")
        await until_shown(pilot, "critical % of pairs")
        assert isinstance(app.screen, SqlScreen)
        assert "campaign IN (1, 2, 4)" in app.screen.editor.text.query_text


async def test_members_stand_side_by_side_and_lead_on(store: Path) -> None:
    with Store.open(store, read_only=True) as opened:
        found = opened.fault_totals(1).first_critical
    critical = int((found >= 0).sum())
    app = app_of(store, 1)
    async with app.run_test(size=(120, 24)) as pilot:
        await open_screen(pilot, "7", "study seeds: 3 campaigns, 2 with results")
        lines = screen_text(app).splitlines()
        assert lines[2].split()[:4] == ["id", "faults.seed", "critical", "interval"]
        rows = [line.replace("▌", " ").split() for line in lines[3:6]]
        assert [row[:2] for row in rows] == [["1", "1"], ["2", "2"], ["3", "3"]]
        assert rows[2][-1] == "queued"
        assert str(critical) in rows[0]
        await pilot.press("j")
        await until_shown(pilot, "▌ 2  2")
        await until_shown(pilot, "#2 small")
        await pilot.press("s")
        assert isinstance(app.screen, SqlScreen)
        await until_shown(pilot, '{"faults.seed":3}')
        await open_screen(pilot, "7", "▌ 2  2")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, LiveScreen)
        assert app.campaign == 2


async def test_e_writes_the_report_of_the_study(store: Path) -> None:
    desk = FakeDesk()
    app = DearApp(store, 1, open_store, lambda _path: desk)
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await open_screen(pilot, "7", "study seeds: 3 campaigns, 2 with results")
        await pilot.press("e")
        await until_shown(pilot, "written: report-study-seeds/report.html")
    assert desk.orders == [("report", "seeds")]


async def test_what_fits_is_shown_in_80_columns(store: Path) -> None:
    app = app_of(store, 1)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "7", "with results")
        text = screen_text(app)
        assert max(map(len, text.splitlines())) <= 80
        assert text.splitlines()[2].split()[:3] == ["id", "faults.seed", "critical"]


async def test_finished_members_are_read_a_few_at_a_time(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_reader, "READING_SECONDS", 1e-9)
    reader = study_reader.StudyReader()
    with Store.open(store, read_only=True) as opened:
        left = [study.left for study in (reader.read(opened, 1) for _ in range(4)) if study]
        study = reader.read(opened, 1)
    assert left == [1, 0, 0, 0], "one at a time, however little there is"
    assert study
    assert [member.state for member in study.members] == ["finished", "finished", "queued"]


async def test_a_campaign_of_no_study_says_how_one_is_made(store: Path) -> None:
    app = app_of(store, 4)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "7", "Campaign 4 is no member of a study.", "dear-tui study FILE")


async def test_the_list_names_the_study_and_finds_by_it() -> None:
    source = FakeSource([make_status(2), make_status(1)])
    source.studies = {1: "five seeds"}
    app = make_app(source)
    async with app.run_test(size=(180, 24)) as pilot:
        await settle(pilot)
        heading, with_study, without = screen_text(app).splitlines()[1:4]
        assert with_study[heading.index("study") :].startswith("five seeds ")
        assert without[heading.index("study") :].startswith("           ")
        await pilot.press("slash", *"five", "enter")
        await until_shown(pilot, "1 of 2 campaigns")
