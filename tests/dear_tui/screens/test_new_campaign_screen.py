"""The form of a new campaign: filled, checked, measured, submitted, saved."""

from __future__ import annotations

import asyncio
import errno
import os
import tomllib
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from textual.widgets import Input, Select, Static

from dear_tui.planner.reports import Report
from dear_tui.screens.campaigns import CampaignsScreen
from dear_tui.screens.draft import MEASURE_SECONDS
from dear_tui.screens.new_campaign import NewCampaignScreen
from dear_tui.widgets.form.field_row import FieldRow
from dear_tui.widgets.form.form import Form
from engine.config.campaign_config import check_config, load_config
from engine.config.fields import config_fields
from tests.dear_tui.memory_desk import FakeDesk, FakePlanner
from tests.dear_tui.memory_store import FakeSource, make_app, make_status, screen_text, settle, until, until_shown
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from textual.pilot import Pilot
    from textual.widget import Widget

    from dear_tui.app import DearApp
    from dear_tui.planner.reports import Order

LAYERS = [["conv1", [6, 1, 5, 5]], ["conv2", [16, 6, 5, 5]], ["fc1", [120, 400]], ["fc2", [84, 120]], ["fc3", [10, 84]]]
MATERIAL = Report("material", {"layers": LAYERS, "images": 10_000, "injected": ""})
COUNTED = {"faults": 16_501, "population": 1_967_040, "images": 10_000, "pairs": 165_010_000, "disk_bytes": 10**8}
TIMES = {"least_seconds": 40.0, "most_seconds": 50.0, "setup_seconds": 4.0}
ESTIMATE = Report("estimate", COUNTED | TIMES | {"device": "cpu", "method": "fast"})
SUBMITTED = Report("submitted", {"campaign": 8, "said": ["campaign 8 was paused; it is queued to go on"]})


async def opened(pilot: Pilot[str]) -> DearApp:
    """The form, filled with the sample that needs nothing."""
    await settle(pilot)
    await pilot.press("n")
    await until_shown(pilot, "sample lenet5-mnist", "arch           lenet5")
    return pilot.app  # type: ignore[return-value]


def focus(app: DearApp, section: str, key: str) -> Widget:
    """Go to a field."""
    row = next(row for row in app.screen.query(FieldRow) if row.place == (section, key))
    return row.query_one("Input, Select").focus()


def row_of(field: Widget | None) -> FieldRow:
    """The row that a field is in."""
    assert field is not None
    return next(row for row in field.ancestors if isinstance(row, FieldRow))


async def type_into(pilot: Pilot[str], section: str, key: str, text: str) -> None:
    field = focus(pilot.app, section, key)  # type: ignore[arg-type]
    await until(pilot, lambda: field.has_focus and field.region)  # one that has just come is laid out first
    await pilot.press("ctrl+u", *text)


def shown(app: DearApp) -> set[tuple[str, str]]:
    return {row.place for row in app.screen.query(FieldRow) if row.display}


async def test_counts_are_exact_and_the_time_follows() -> None:
    planner = FakePlanner([Report("step", "loading network and images ..."), MATERIAL, ESTIMATE])
    async with make_app(FakeSource(), plan_with=planner).run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await until_shown(pilot, "faults  16,501 of a population of 1,967,040", "images  10,000", "pairs   165,010,000",
                          "disk    107MB", "time    40s to 50s on cpu by method fast",
                          "4s of it before the first pair")  # fmt: skip
        assert planner.orders[0].tables == {
            "name": "lenet5-mnist", "model": {"arch": "lenet5"}, "dataset": {"name": "mnist"},
        }  # fmt: skip


async def test_a_network_of_which_more_than_norms_and_biases_is_left_out_says_so() -> None:
    injected = "664 of 1,240 parameters (53.5 %), the weights of Linear; not injected: 576 in LSTM"
    material = Report("material", MATERIAL.value | {"injected": injected})
    async with make_app(FakeSource(), plan_with=FakePlanner([material, ESTIMATE])).run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await until_shown(pilot, "weights 664 of 1,240 parameters", "not injected: 576 in")


async def test_a_machine_without_room_for_another_process_is_said() -> None:
    def plan_with(_order: Order) -> NoReturn:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    app = make_app(FakeSource(), plan_with=plan_with)  # type: ignore[arg-type]
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await until_shown(pilot, "no process can be started to try it out", "(Resource temporarily unavailable)")


async def test_while_one_types_the_measuring_ends_and_counts_follow_at_once() -> None:
    planner = FakePlanner(
        [Report("step", "loading network and images ..."), MATERIAL, Report("step", "measuring ...")], True
    )
    async with make_app(FakeSource(), plan_with=planner).run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await until_shown(pilot, "time    measuring ...", "165,010,000")
        ended = planner.ended
        await type_into(pilot, "faults", "count", "100")
        assert planner.ended > ended
        await until_shown(pilot, "faults  100 of a population", "pairs   1,000,000")
        await until(pilot, lambda: planner.orders[-1].tables.get("faults") == {"count": 100})
        await until_shown(pilot, "time    measuring ...")


async def test_what_has_become_wrong_before_it_was_measured_is_not_measured() -> None:
    planner = FakePlanner([MATERIAL], waits=True)
    async with make_app(FakeSource(), plan_with=planner).run_test(size=(120, 40)) as pilot:
        app = await opened(pilot)
        await until_shown(pilot, "165,010,000")
        bits = focus(app, "faults", "bits")
        assert isinstance(bits, Input)
        for text, shown_then in (("30", "population of 61,470"), ("x", "1 field to fix")):
            bits.value = text
            await until_shown(pilot, shown_then)
        later = asyncio.Event()
        app.screen.set_timer(MEASURE_SECONDS, later.set)  # fires after one that was set before
        await later.wait()
        assert isinstance(app.screen, NewCampaignScreen)
        assert app.screen.checking._planned != app.screen.checking._edition


async def test_the_engines_sentence_stands_at_the_field() -> None:
    async with make_app(FakeSource()).run_test(size=(200, 60)) as pilot:
        app = await opened(pilot)
        await type_into(pilot, "model", "arch", "resnet20")
        await until_shown(pilot, "missing; only lenet5 on mnist has bundled weights, so give those of")
        await type_into(pilot, "faults", "error_margin", "2")
        await until_shown(pilot, "should be less than 1, but is 2.0", "2 fields to fix", "f5 goes to the first")
        await type_into(pilot, "faults", "bits", "3, x, 40")
        await until_shown(pilot, "item 2: should be a whole number, but is 'x'", "3 fields to fix")
        assert screen_text(app).count("missing; only lenet5") == 1
        await type_into(pilot, "model", "arch", "lenet5")
        await type_into(pilot, "faults", "error_margin", "")
        await type_into(pilot, "faults", "bits", "30")
        await until(pilot, lambda: "to fix" not in screen_text(app))


async def test_the_focused_field_and_its_sentence_are_in_view_wherever_one_came_from() -> None:
    """With 24 rows: from above, from below, and when the sentence comes, it is the middle of the form."""
    async with make_app(FakeSource()).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        form = app.screen.query_one(Form).region
        for before in (("", "name"), ("submit", "again"), ("run", "method")):
            focus(app, *before)
            await pilot.pause()
            field = focus(app, "faults", "bits")
            assert isinstance(field, Input)
            field.value = ""
            await until(pilot, lambda: "to fix" not in screen_text(app))
            field.value = "3, x, 40"
            await until_shown(pilot, "1 field to fix")
            focus(app, *before)
            row = row_of(focus(app, "faults", "bits"))
            middle = form.y + (form.height - 2) // 2
            await until(pilot, partial(lies_at, row, middle))


def lies_at(row: FieldRow, middle: int) -> bool:
    """Whether a row and its sentence are in the middle of the form."""
    return (row.region.y, row.region.height) == (middle, 2)


async def test_what_only_the_network_can_tell_stands_at_its_field_too() -> None:
    planner = FakePlanner([MATERIAL], waits=True)
    async with make_app(FakeSource(), plan_with=planner).run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await until_shown(pilot, "165,010,000")
        await type_into(pilot, "faults", "layers", "conv9")
        await until_shown(pilot, "'conv9' matches no layer", "1 field to fix")
        row = row_of(focus(pilot.app, "faults", "layers"))  # type: ignore[arg-type]
        assert str(row.query_one(".problem-here", Static).content).startswith("'conv9' matches no layer")
        assert screen_text(pilot.app).count("matches no layer") == 1  # type: ignore[arg-type]
        await type_into(pilot, "faults", "layers", "conv*")
        await until_shown(pilot, "of a population of 81,600")


async def test_only_what_applies_is_shown(tmp_path: Path) -> None:
    (tmp_path / "faults.csv").write_text("Layer,TensorIndex,Bit\n")
    async with make_app(FakeSource()).run_test(size=(120, 40)) as pilot:
        app = await opened(pilot)
        hidden = {("model", "width"), ("model", "path"), *(("faults", key) for key in ("list", "p", "draw"))}
        hidden |= {("workload", key) for key in ("n", "fraction", "center", "eps", "threshold", "seed")}
        hidden |= {("workload", key) for key in ("list", "path", "layer")}
        hidden |= {("run", key) for key in ("theta", "theta2", "audit", "audit_faults", "precision_of")}
        every = {(one.section, one.key) for one in config_fields()} | {("submit", "again")}
        await until(pilot, lambda: shown(app) == every - hidden)
        focus(app, "workload", "select")
        await pilot.press("right")
        await until(pilot, lambda: ("workload", "n") in shown(app))
        await until_shown(pilot, 'missing; select = "top_n" needs it')
        await pilot.press("right", "right")
        await until(pilot, lambda: {("workload", "center"), ("workload", "eps")} <= shown(app))
        assert ("workload", "n") not in shown(app)
        focus(app, "faults", "sampling")
        await pilot.press("right")
        await until(pilot, lambda: ("faults", "draw") in shown(app))
        await pilot.press("right", "right", "right")
        await until(pilot, lambda: ("faults", "p") in shown(app))
        assert ("faults", "count") not in shown(app)
        await pilot.press("right")
        await until(pilot, lambda: ("faults", "error_margin") not in shown(app))
        drawing = {("faults", key) for key in ("error_margin", "confidence", "count", "seed", "list")}
        assert not drawing & shown(app), "every fault is taken"
        await pilot.press("right")
        await until(pilot, lambda: {("faults", "list"), ("faults", "count")} <= shown(app))
        assert ("faults", "confidence") not in shown(app)
        await type_into(pilot, "model", "arch", "mobilenetv2")
        await until(pilot, lambda: ("model", "width") in shown(app))
        focus(app, "run", "method")
        await pilot.press("right")
        await until(pilot, lambda: {("run", "theta"), ("run", "audit"), ("run", "audit_faults")} <= shown(app))


async def test_a_value_that_does_not_apply_any_more_is_not_submitted() -> None:
    planner = FakePlanner([MATERIAL], waits=True)
    async with make_app(FakeSource(), plan_with=planner).run_test(size=(120, 40)) as pilot:
        app = await opened(pilot)
        focus(app, "workload", "select")
        await pilot.press("right")
        await until(pilot, lambda: ("workload", "n") in shown(app))
        await type_into(pilot, "workload", "n", "20")
        await until_shown(pilot, "images  20")
        focus(app, "workload", "select")
        await pilot.press("left")
        await until_shown(pilot, "images  10,000")
        await until(pilot, lambda: "workload" not in planner.orders[-1].tables)


async def test_f5_submits_and_shows_the_campaign() -> None:
    planner = FakePlanner([], on_submit=[SUBMITTED])
    source = FakeSource([make_status(8), make_status(7)])
    async with make_app(source, plan_with=planner).run_test(size=(120, 40), notifications=True) as pilot:
        app = await opened(pilot)
        focus(app, "submit", "again")
        await pilot.press("right", "f5")
        await until_shown(pilot, "campaign 8 was paused; it is")
        assert isinstance(app.screen, CampaignsScreen)
        assert app.campaign == 8
        assert (planner.orders[-1].store, planner.orders[-1].again) == ("/data/store", True)


async def test_a_timer_that_fires_late_measures_no_config_of_before() -> None:
    planner = FakePlanner([MATERIAL], waits=True)
    async with make_app(FakeSource(), plan_with=planner).run_test(size=(120, 40)) as pilot:
        app = await opened(pilot)
        await until_shown(pilot, "165,010,000")
        assert isinstance(app.screen, NewCampaignScreen)
        app.screen.checking.draft.texts["faults", "count"] = "100"
        app.screen.checking._forget()
        orders = len(planner.orders)
        app.screen.checking._measure()
        assert (len(planner.orders), app.screen.checking._planned == app.screen.checking._edition) == (orders, False)
        app.screen.checking.check()
        await until(pilot, lambda: planner.orders[-1].tables.get("faults") == {"count": 100})


async def test_f5_right_after_a_key_submits_what_was_typed() -> None:
    planner = FakePlanner([MATERIAL], on_submit=[SUBMITTED])
    source = FakeSource([make_status(8), make_status(7)])
    async with make_app(source, plan_with=planner).run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await until_shown(pilot, "165,010,000")
        await type_into(pilot, "faults", "count", "100")
        await pilot.press("f5")
        await until(pilot, lambda: planner.orders[-1].store)
        assert planner.orders[-1].tables["faults"] == {"count": 100}


async def test_f5_with_something_to_mend_goes_there() -> None:
    planner = FakePlanner([], on_submit=[SUBMITTED])
    async with make_app(FakeSource(), plan_with=planner).run_test(size=(120, 40), notifications=True) as pilot:
        app = await opened(pilot)
        await type_into(pilot, "faults", "seed", "x")
        await until_shown(pilot, "1 field to fix")
        focus(app, "", "name")
        await pilot.press("f5")
        await until(pilot, lambda: row_of(app.focused).place == ("faults", "seed"))
        assert screen_text(app).count("should be a whole number") == 1
        assert isinstance(app.screen, NewCampaignScreen)
        assert not any(order.store for order in planner.orders)


async def test_a_refused_submission_stays_in_the_form_and_esc_gives_one_up(monkeypatch: pytest.MonkeyPatch) -> None:
    planner = FakePlanner(
        [], on_submit=[Report("error", "campaign 1 of this config is unfinished and was begun with torch")]
    )
    app = make_app(FakeSource(), plan_with=planner)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await pilot.press("f5")
        await until_shown(pilot, "campaign 1 of this config is")
        waiting = FakePlanner([], True, [Report("step", "loading network, images and faults ...")])
        monkeypatch.setattr(app, "plan_with", waiting)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, CampaignsScreen)
        await opened(pilot)
        await pilot.press("f5")
        await until_shown(pilot, "Submitting: loading network,", "esc gives up")
        ended = waiting.ended
        await pilot.press("escape")
        await pilot.pause()
        assert waiting.ended > ended
        assert isinstance(app.screen, NewCampaignScreen)


async def test_it_starts_from_a_campaign_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path)
    desk = FakeDesk()
    desk.configs[7] = load_config(config).to_json()
    source = FakeSource([make_status(7, name="seventh")])
    async with make_app(source, desk=desk).run_test(size=(120, 40), notifications=True) as pilot:
        app = await opened(pilot)
        await pilot.press("enter", "end", "enter")
        await until_shown(pilot, "#7 seventh", "exact", "3, 22, 30")
        assert "to fix" not in screen_text(app)
        await pilot.press("down", *"small.t", "right", "enter")
        await until_shown(pilot, "small.toml", "set.npz", "3, 22, 30")
        await pilot.press("ctrl+u", *"nowhere.toml", "enter")
        await until_shown(pilot, "nowhere.toml: there is no such file")


async def test_what_the_form_has_no_field_for_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path, faults={"cuont": 3})
    async with make_app(FakeSource()).run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("down", *config.name, "enter")
        await until_shown(pilot, "left out: [faults] cuont: unknown key; did", "set.npz")


async def test_f2_saves_what_can_be_loaded_again_and_asks_before_overwriting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with make_app(FakeSource()).run_test(size=(120, 40), notifications=True) as pilot:
        app = await opened(pilot)
        await type_into(pilot, "faults", "bits", "30, 31")
        await type_into(pilot, "faults", "error_margin", "0.05")
        await pilot.press("f2")
        await until_shown(pilot, "save as TOML")
        await pilot.press("enter")
        saved = tmp_path / "lenet5-mnist.toml"
        await until(pilot, saved.exists)
        config = load_config(saved)
        assert (config.faults.bits, config.faults.error_margin) == ((30, 31), 0.05)
        await until(pilot, lambda: isinstance(app.screen, NewCampaignScreen))
        saved.write_text("mine")
        await pilot.press("f2", "enter")
        await until_shown(pilot, "Overwrite lenet5-mnist.toml?")
        await pilot.press("n", "escape")
        await until(pilot, lambda: isinstance(app.screen, NewCampaignScreen))
        assert saved.read_text() == "mine"
        await pilot.press("f2", "enter")
        await until_shown(pilot, "Overwrite")
        await pilot.press("y")
        await until(pilot, lambda: saved.read_text() != "mine")
        assert tomllib.loads(saved.read_text())["faults"]["bits"] == [30, 31]


async def test_f2_says_why_it_cannot_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    async with make_app(FakeSource()).run_test(size=(120, 40), notifications=True) as pilot:
        app = await opened(pilot)
        await pilot.press("f2", "ctrl+u", *"loop.toml", "enter")
        await until(pilot, lambda: "cannot be written (a link that leads" in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, NewCampaignScreen))
        field = focus(app, "dataset", "path")
        assert isinstance(field, Input)
        field.value = os.fsdecode(b"set\xff.npz")  # as a suggestion that was taken
        await pilot.press("f2")
        await until_shown(pilot, "save as TOML")
        await pilot.press("enter")
        await until(pilot, lambda: "UTF-8);" in screen_text(app))
    assert list(tmp_path.iterdir()) == [tmp_path / "loop.toml"]


async def test_a_present_folder_that_was_removed_completes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    async with make_app(FakeSource()).run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot)
        gone.rmdir()
        await pilot.press("down", *"nowhere.toml", "enter")
        await until_shown(pilot, "nowhere.toml: there is no such file")


async def test_down_and_up_go_from_field_to_field() -> None:
    async with make_app(FakeSource()).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        focus(app, "", "name")
        await pilot.pause()
        for key, place in (("down", ("model", "arch")), ("down", ("model", "weights")), ("up", ("model", "arch"))):
            await pilot.press(key)
            assert row_of(app.focused).place == place


async def test_esc_asks_only_where_something_was_typed() -> None:
    async with make_app(FakeSource()).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        await type_into(pilot, "", "name", "mine")
        await pilot.press("escape")
        await until_shown(pilot, "Leave the form?")
        await pilot.press("n")
        await pilot.pause()
        assert isinstance(app.screen, NewCampaignScreen)
        await pilot.press("escape", "y")
        await pilot.pause()
        assert isinstance(app.screen, CampaignsScreen)


async def test_a_measurement_beside_a_running_campaign_says_so() -> None:
    source = FakeSource([make_status(7, state="running")])
    async with make_app(source, plan_with=FakePlanner([MATERIAL, ESTIMATE])).run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await until_shown(pilot, "40s to 50s", "measured beside campaign 7")


async def test_an_open_choice_says_what_each_value_means_and_a_closed_one_is_the_value() -> None:
    async with make_app(FakeSource()).run_test(size=(80, 24)) as pilot:
        app = await opened(pilot)
        focus(app, "workload", "select")
        await pilot.press("enter")
        await until_shown(pilot, "pre_plateau  from the most challenging one to where the ranked metric",
                          "esc close")  # fmt: skip
        assert "Dismiss" not in screen_text(app)
        await pilot.press("end", "enter")
        choice = focus(app, "workload", "select")
        assert isinstance(choice, Select)
        assert choice.value == "list"
        await until_shown(pilot, "select         list ")
        assert "those of a CSV, in its order" in row_of(choice).help


async def test_layers_are_completed_and_picked_once_the_network_is_known() -> None:
    planner = FakePlanner([MATERIAL], waits=True)
    async with make_app(FakeSource(), plan_with=planner).run_test(size=(120, 40)) as pilot:
        app = await opened(pilot)
        await until_shown(pilot, "165,010,000")
        await type_into(pilot, "faults", "layers", "conv1, fc")
        field = focus(app, "faults", "layers")
        assert isinstance(field, Input)
        await until(pilot, lambda: field._suggestion == "conv1, fc1")
        await pilot.press("f4")
        await until_shown(pilot, "layers: one of these", "conv2")
        await pilot.press(*"fc3", "enter")
        await until(pilot, lambda: field.value == "conv1, fc3")
        await pilot.press("f4")
        await until_shown(pilot, "layers: one of these")
        await pilot.press(*"conv2", "enter")
        await until(pilot, lambda: field.value == "conv1, fc3, conv2")


async def test_known_values_of_a_text_are_listed_with_what_they_mean() -> None:
    async with make_app(FakeSource()).run_test(size=(120, 40)) as pilot:
        app = await opened(pilot)
        field = focus(app, "model", "arch")
        assert isinstance(field, Input)
        await pilot.press("f4")
        await until_shown(pilot, "resnet20", "ResNet-20 for CIFAR, 0.27 million weights")
        await pilot.press(*"shufflenet_v2_x0", "enter")
        await until(pilot, lambda: field.value == "torchvision:shufflenet_v2_x0_5")
        await pilot.press("ctrl+u", *"my.nets:make")
        await until(pilot, lambda: field.value == "my.nets:make")
        focus(app, "", "name")
        await pilot.press("f4")
        await pilot.pause()
        assert isinstance(app.screen, NewCampaignScreen), "of a name no values are known"


async def test_what_the_planner_refuses_stands_at_the_field_that_it_names() -> None:
    planner = FakePlanner([], on_submit=[Report("error", "[model] weights: there is no tensor conv1.weight")])
    async with make_app(FakeSource(), plan_with=planner).run_test(size=(120, 40)) as pilot:
        app = await opened(pilot)
        await pilot.press("f5")
        await until_shown(pilot, "there is no tensor conv1.weight", "1 field to fix")
        await pilot.press("f5")
        await until(pilot, lambda: row_of(app.focused).place == ("model", "weights"))
        assert len([order for order in planner.orders if order.store]) == 1
        await pilot.press("f5")
        await until(pilot, lambda: len([order for order in planner.orders if order.store]) == 2)


def test_choices_are_the_engines_own() -> None:
    """Each choice that the form offers passes the engine's check of that key."""
    for one in config_fields():
        for choice in one.choices:
            table = {one.key: choice}
            tables = {one.section: table} if one.section else table
            problems = check_config(tables)
            assert isinstance(problems, list)
            wrong = [str(problem) for problem in problems if (problem.section, problem.key) == (one.section, one.key)]
            assert not [text for text in wrong if "should be" in text or "there is no" in text]
