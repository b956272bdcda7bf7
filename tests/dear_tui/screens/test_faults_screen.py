"""The map, the lists and the faults behind it, and each of their keys."""

import csv
import threading
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from dear_tui.app import DearApp
from dear_tui.screens.images import ImagesScreen
from dear_tui.screens.results import ResultScreen
from dear_tui.widgets.common.row_list import RowList
from dear_tui.widgets.faults.confusion_grid import ConfusionGrid
from dear_tui.widgets.faults.fault_map import FaultMap
from engine.analysis.accuracy_cost import COSTS, CRITICAL, SHOWN, Effect
from engine.errors import UnreachableError
from engine.faults.group import FaultGroup
from engine.store.read.fault_results import critical_images_sql, faults_sql, rates_sql
from tests.dear_tui.memory_results import LENET, RESNET, ResultSource, make_source, status_of
from tests.dear_tui.memory_store import (
    FakeSource,
    make_app,
    make_status,
    open_screen,
    resize,
    screen_text,
    settle,
    until,
    until_read,
    until_shown,
)


async def open_map(pilot: Pilot[str], *keys: str) -> None:
    """Go to the map, wait for it, and press some keys one after the other."""
    await open_screen(pilot, "3", "mantissa")
    for key in keys:
        await pilot.press(key)
    await pilot.pause()


def fault_map(app: DearApp) -> FaultMap:
    return app.screen.query_one(FaultMap)


async def test_the_map_names_layers_bits_totals_and_its_scale() -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot)
        lines = screen_text(app).splitlines()
    text = "\n".join(lines)
    for part in ("exponent", "mantissa", "pairs%", "all", *LENET, "blank: none drawn", "< 0.01", "≥ 1 %", "CI"):
        assert part in text
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_screened_pairs_are_shown_for_what_they_are(size: tuple[int, int]) -> None:
    """In a cell without a critical pair by a sign of its own, and of the cell under the cursor in words."""
    source = make_source()
    source.results.severity[source.results.severity == 0] = 3
    async with make_app(source, 7).run_test(size=size) as pilot:
        await open_screen(pilot, "3", "╌╌ screened", "≥ 1 %", "of pairs screened: a bound calls them safe, they were")
        await pilot.press("enter")
        await until_shown(pilot, "golden", "screened")
        await pilot.press("enter")
        await until_shown(pilot, "decimal", "░ screened", "▓ critical")


async def test_the_cursor_starts_where_most_pairs_are_critical_and_says_so() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot)
        rates = source.results.rates(7)
        layer, bit = np.unravel_index(rates.critical.argmax(), rates.critical.shape)
        assert fault_map(app).group == FaultGroup(rates.layers[layer], int(bit))
        text = screen_text(app)
        assert f"{rates.layers[layer]} · bit {bit} (exponent) · {rates.faults[layer, bit]} of 48,000 faults" in text
        assert f"{rates.critical_faults[layer, bit]:,} critical" in text


@pytest.mark.parametrize(
    ("keys", "group"),
    [
        (["h"], FaultGroup("fc1", 31)), (["left"], FaultGroup("fc1", 31)), (["h", "h"], FaultGroup("fc1", 31)),
        (["l"], FaultGroup("fc1", 29)), (["right"], FaultGroup("fc1", 29)), (["l"] * 40, FaultGroup("fc1")),
        (["j"], FaultGroup("fc2", 30)), (["down"], FaultGroup("fc2", 30)), (["k"], FaultGroup("conv2", 30)),
        (["up"], FaultGroup("conv2", 30)), (["g"], FaultGroup("conv1", 30)), (["home"], FaultGroup("conv1", 30)),
        (["G"], FaultGroup(bit=30)), (["end"], FaultGroup(bit=30)), (["j"] * 9, FaultGroup(bit=30)),
        (["G", *["l"] * 31], FaultGroup()),
    ],
)  # fmt: skip
async def test_keys_move_the_cursor(keys: list[str], group: FaultGroup) -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, *keys)
        assert fault_map(app).group == group


async def test_many_layers_scroll_with_the_cursor() -> None:
    app = make_app(make_source(layers=RESNET), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, "g")
        assert "▼" in screen_text(app)
        assert "▲" not in screen_text(app)
        assert "la1.0.co1" in screen_text(app)
        for _ in range(len(RESNET) - 1):
            await pilot.press("j")
        await pilot.pause()
        assert "▲" in screen_text(app)
        assert "▼" not in screen_text(app)
        assert "la1.0.co1" not in screen_text(app)
        assert "la3.2.co2" in screen_text(app)


async def test_a_click_moves_the_cursor() -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot)
        await pilot.click(FaultMap, offset=(6, 2))
        assert fault_map(app).group == FaultGroup("conv1", 31)


async def test_enter_goes_down_to_one_fault_and_escape_comes_back() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, "enter")
        await until_shown(pilot, "by critical images")
        faults = source.results.faults(7, FaultGroup("fc1", 30), "critical")
        assert f"fc1 · bit 30 › {len(faults)} faults by critical images" in screen_text(app)
        await pilot.press("j", "j", "enter")
        await until_shown(pilot, f"fault {faults.fault_id[2]}")
        await until_shown(pilot, "decimal")
        text = screen_text(app)
        assert f"critical {faults.critical[2]}" in text
        assert "bit 30: 0 → 1 ▲" in text
        assert "made wrong" in text
        await pilot.press("escape")
        await until_shown(pilot, "by critical images")
        rows = app.screen.query_one("#faults", RowList)
        assert (rows.cursor, rows.has_focus) == (2, True)
        await pilot.press("escape")
        await until_shown(pilot, "mantissa")
        assert fault_map(app).has_focus
        await pilot.press("escape")
        assert fault_map(app).has_focus


async def test_values_stand_in_decimal_hex_and_bits() -> None:
    source = make_source()
    results = source.results
    row = int(np.flatnonzero(results.layer == 0)[0])
    results.bit[row], results.golden[row], results.faulty[row] = 31, np.float32(0.15625), np.float32(-0.15625)
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, "g", "h", "enter")
        await until_shown(pilot, "by critical images")
        await pilot.press("enter")
        await until_shown(pilot, "decimal")
        lines = [line.split() for line in screen_text(app).splitlines()]
    assert ["golden", "0.15625", "3E200000", "0", "01111100", "01000000000000000000000"] in lines
    assert ["faulty", "-0.15625", "BE200000", "1", "01111100", "01000000000000000000000"] in lines


async def test_o_sorts_the_list_otherwise() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, "enter")
        for text, order in (
            ("by critical images", "critical"),
            ("by accuracy cost", "cost"),
            ("by first critical rank", "first_critical"),
            ("as drawn", "fault_id"),
            ("by critical images", "critical"),
        ):
            await until_shown(pilot, text)
            expected = source.results.faults(7, FaultGroup("fc1", 30), order)  # type: ignore[arg-type]
            await until_shown(pilot, f"▌ {expected.fault_id[0]:>5}")
            await pilot.press("j", "o")


async def test_v_goes_through_what_faults_do_and_back() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_map(pilot)
        for effect in SHOWN:
            await pilot.press("v")
            await until_shown(pilot, f"› faults that {effect.words}", "fault%")
            counts = source.results.rates(7, effect)
            if effect != CRITICAL:
                await until_shown(pilot, f"{counts.having[2, 30]} {effect.words}:")
        await pilot.press("v")
        await until_shown(pilot, "critical pairs by layer and bit", "pairs%")
        await pilot.press("V")
        await until_shown(pilot, f"faults that {SHOWN[-1].words}")


async def test_large_cells_have_their_percent_written_in_them() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(200, 50)) as pilot:
        await open_map(pilot, "h")
        rates = source.results.rates(7)
        percent = 100 * rates.critical[2, 30] / rates.pairs[2, 30]
        await until_shown(pilot, f"[   ]{percent:<5.3g}")


async def test_s_opens_the_query_of_each_level(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(DearApp, "open_sql", lambda _app, text: opened.append(text), raising=False)
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, "s", "enter")
        await until_shown(pilot, "by critical images")
        await pilot.press("s", "enter")
        await until_shown(pilot, "decimal")
        await pilot.press("s")
        group = FaultGroup("fc1", 30)
        fault = int(source.results.faults(7, group, "critical").fault_id[0])
        assert opened == [rates_sql(7, COSTS[0]), faults_sql(7, group, "critical"), critical_images_sql(7, fault)]


async def test_enter_on_an_image_shows_it() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, "enter")
        await until_shown(pilot, "by critical images")
        await pilot.press("enter")
        await until_shown(pilot, "made wrong")
        fault = int(source.results.faults(7, FaultGroup("fc1", 30), "critical").fault_id[0])
        image = int(source.results.critical_images(7, fault).image_id[1])
        await pilot.press("j", "enter")
        await until_shown(pilot, f"image {image} ·")
        assert isinstance(app.screen, ImagesScreen)


async def test_a_cell_without_faults_opens_nothing() -> None:
    source = make_source()
    source.results.bit[(source.results.layer == 2) & (source.results.bit == 29)] = 28
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, "l", "enter")
        assert "no fault drawn here" in screen_text(app)
        assert fault_map(app).has_focus


async def test_while_it_runs_the_numbers_follow_and_the_cursor_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ResultScreen, "REFRESH_SECONDS", 0.0)
    source = make_source("running", done=10)
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, "j", "l", "k")
        cell = fault_map(app).cell
        await go_on(pilot, source, 20)
        drawn = source.results.rates(7)
        await until_shown(pilot, f"{drawn.faults[2, 29]} of 48,000 faults drawn · {drawn.pairs[2, 29]:,} pairs")
        assert fault_map(app).cell == cell
        await pilot.press("h", "enter")
        await until_shown(pilot, "by critical images")
        await pilot.press(*"jjj")
        rows = app.screen.query_one("#faults", RowList)
        chosen, line = rows.key, rows.cursor - rows.scroll_offset.y
        await go_on(pilot, source, 40)
        one = source.results.faults(7, FaultGroup(fault_id=chosen), "critical")
        await until_shown(pilot, f"{one.non_critical[0]:>10}{one.critical[0]:>10}{-2.5 * one.cost[0]:>+10.2f}")
        assert (rows.key, rows.cursor - rows.scroll_offset.y) == (chosen, line)


async def go_on(pilot: Pilot[str], source: ResultSource, done: int) -> None:
    """More images are stored."""
    source.results.done = done
    source.statuses = [status_of(source.results, "running")]
    await until_read(pilot, source)


async def test_the_same_question_is_read_at_most_once_a_second_and_only_when_something_changed() -> None:
    source = make_source("running", done=10)
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot)
        calls = source.results.calls
        before = calls["rates"]
        app.screen.refresh_snapshot()  # type: ignore[attr-defined]
        for done in (12, 14, 16):
            await go_on(pilot, source, done)
        assert calls["rates"] <= before + 1
        pairs = int(source.results.rates(7).pairs[2, 30])
        await until_shown(pilot, f"faults drawn · {pairs:,} pairs")
        assert calls["rates"] <= before + 3  # with the one of this test


@pytest.mark.parametrize(
    ("state", "sentence", "keys"),
    [
        ("running", "The first block of images is being computed", "2 watches this campaign, 1 lists the others"),
        ("queued", "Waiting for its turn", "1 shows who runs the queue; w there starts a worker"),
        ("paused", "It was paused before its first result", "1 lists it; p there goes on with it"),
        ("failed", "It failed before its first result", "1 lists it; r there runs it again"),
        ("cancelled", "It was cancelled before its first result", "1 lists it; r there runs it again"),
    ],
)
async def test_without_results_it_says_why_and_names_the_next_key(state: str, sentence: str, keys: str) -> None:
    app = make_app(make_source(state, done=0), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "3", sentence)
        assert keys in screen_text(app)
        assert "SQL ?" not in screen_text(app).splitlines()[-1]


@pytest.mark.parametrize(("campaign", "sentence"), [(None, "No campaign yet"), (9, "Campaign 9 is not in this store")])
@pytest.mark.parametrize("key", ["3", "6"])
async def test_without_a_campaign(campaign: int | None, sentence: str, key: str) -> None:
    app = make_app(FakeSource([make_status(1)] if campaign else []), campaign)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, key, sentence)


@pytest.mark.parametrize("key", ["3", "6"])
async def test_campaigns_of_which_none_is_chosen(key: str) -> None:
    source = FakeSource([])
    app = make_app(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press(key)
        source.statuses = [make_status(1)]
        await until_shown(pilot, "No campaign is chosen; 1 lists them")


async def test_another_campaign_starts_at_its_own_map() -> None:
    source = make_source()
    source.statuses.append(make_status(6, state="finished", done=3))
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, "l", "l", "enter")
        await until_shown(pilot, "by critical images")
        await pilot.press("1", "j", "3")
        await until_shown(pilot, "#6 lenet5-mnist › critical pairs by layer and bit")
        await until_shown(pilot, "mantissa")
        assert fault_map(app).group == FaultGroup("fc1", 30)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UnreachableError("/data: cannot be read"), "/data: cannot be read"),
        (ValueError("IO Error: no file\nLINE 1"), "The results cannot be read: ValueError: IO Error: no file"),
    ],
)
async def test_what_cannot_be_read_is_a_sentence(
    error: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source()

    def fail(_campaign: int, _effect: Effect) -> None:
        raise error

    monkeypatch.setattr(source.results, "rates", fail)
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "3", sentence)
        assert "LINE 1" not in screen_text(app)


async def test_a_failed_refresh_leaves_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ResultScreen, "REFRESH_SECONDS", 0.0)
    source = make_source("running", done=10)
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot)

        def fail(_campaign: int, _effect: Effect) -> None:
            raise UnreachableError("gone")

        monkeypatch.setattr(source.results, "rates", fail)
        await go_on(pilot, source, 20)
        await until_shown(pilot, "✗ gone")
        assert "mantissa" in screen_text(app)
        assert fault_map(app).has_focus


async def test_a_slow_store_blocks_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_source()
    allowed, rates = threading.Event(), source.results.rates
    monkeypatch.setattr(source.results, "rates", lambda campaign, effect: allowed.wait() and rates(campaign, effect))
    app = make_app(source, 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot, "3", "Reading the store")
        await pilot.press("2")
        await until_shown(pilot, "↑ faults by")
        await pilot.press("3")
        allowed.set()
        await until_shown(pilot, "mantissa")


async def test_a_terminal_that_is_too_small_says_so() -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=(60, 20)) as pilot:
        await open_screen(pilot, "3", "enlarge the terminal for the map")
        await resize(pilot, 80, 24)
        await until_shown(pilot, "mantissa")


async def test_only_the_lines_that_change_are_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_map(pilot)
        painted: list[int] = []
        widget = fault_map(app)
        monkeypatch.setattr(widget, "refresh", lambda *regions, **_options: painted.extend(r.y for r in regions))
        widget.action_move(0, 1)
        assert len(painted) == 1 + 5  # the bits, and the five lines of the layer
        painted.clear()
        assert widget.grid is not None
        widget.show(widget.grid)
        assert painted == []


async def test_words_filter_a_list_and_esc_takes_them_away_before_it_goes_back() -> None:
    source = make_source()
    app = make_app(source, 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_map(pilot, "slash")
        await until_shown(pilot, "all faults › 2,000 faults", "makes a right answer wrong")
        await pilot.press(*"bit=30 lost fc")
        results = source.results
        is_asked = (results.bit == 30) & results.effects.is_right_lost & (results.layer >= 2)
        await until_shown(pilot, f"› {is_asked.sum()} faults by critical images")
        await pilot.press("enter")
        await until_shown(pilot, "/ bit=30 lost fc")
        listed = app.screen.query_one("#faults", RowList)
        assert listed.has_focus
        await pilot.press("escape")
        await until_shown(pilot, "2,000 faults")
        await pilot.press("escape")
        await until_shown(pilot, "mantissa")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [("cost>100", "meets “cost>100”; esc shows all"), ("colour=3", "colour: there is nothing of this name here")],
)
async def test_a_filter_that_nothing_meets_or_that_means_nothing(words: str, sentence: str) -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_map(pilot, "slash", *words)
        await until_shown(pilot, sentence)
        await pilot.press("escape")
        await until_shown(pilot, "2,000 faults by critical images")
        assert app.screen.query_one("#faults", RowList).has_focus


async def test_a_number_goes_to_the_fault_of_that_id() -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, "slash", *"1234", "enter")
        await until_shown(pilot, "▌  1234")
        await pilot.press("slash", *"99999", "enter")
        assert app.screen.query_one("#faults", RowList).key == 1234


async def test_c_shows_what_a_group_takes_images_for_then_all_faults() -> None:
    source = make_source()
    app = make_app(source, 7)
    group = FaultGroup("fc1", 30)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_map(pilot, "c")
        await until_shown(pilot, "fc1 · bit 30 › critical pairs, golden", "golden ↓  faulty →")
        for shown, name in ((group, "fc1 · bit 30"), (FaultGroup(), "all faults")):
            await until_shown(pilot, f"{name} › critical pairs")
            confusion = source.results.confusion(7, shown)
            grid = app.screen.query_one(ConfusionGrid)
            await pilot.press("g", *["h"] * 10, "j", "l", "l")
            await until_shown(pilot, f"golden 1 → faulty 2: {confusion.pairs[1, 2]:,} pairs")
            assert grid.golden_class == 1
            await pilot.press("c")
        await until_shown(pilot, "fc1 · bit 30 › critical pairs")
        await pilot.press("enter")
        await until_shown(pilot, "/ golden=1")
        await pilot.press("escape", "escape")
        await until_shown(pilot, "fc1 · bit 30 › critical pairs")
        await pilot.press("escape")
        await until_shown(pilot, "mantissa")


async def test_a_double_click_opens_a_cell_then_a_fault() -> None:
    app = make_app(make_source(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_map(pilot)
        await pilot.click(FaultMap, offset=(10, 8), times=2)  # conv2, bit 30
        await until_shown(pilot, "golden", "faulty")
        rows = app.screen.query_one("#faults", RowList)
        await pilot.click(rows, offset=(4, RowList.HEADING_LINES), times=2)
        await until_shown(pilot, "decimal")


async def test_the_map_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    app = make_app(make_source(), 7)
    async with app.run_test(size=(120, 40)) as pilot:
        await open_map(pilot, "e")
        await until(pilot, lambda: "Written: " in str([told.message for told in app._notifications]))
        grid = fault_map(app).grid
    assert grid is not None
    assert {path.name for path in tmp_path.iterdir()} >= {"campaign-7-map.svg", "campaign-7-map.csv"}
    svg = (tmp_path / "campaign-7-map.svg").read_text(encoding="utf-8")
    assert all(f">{name}<" in svg for name in (*LENET, "exponent", "mantissa", "31", "0", "all"))
    with (tmp_path / "campaign-7-map.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == grid.rows * (grid.bits + 1)
    assert (rows[-1]["layer"], rows[-1]["bit"]) == ("all", "all")
    assert int(rows[-1]["critical_pairs"]) == grid.critical[-1, -1]
