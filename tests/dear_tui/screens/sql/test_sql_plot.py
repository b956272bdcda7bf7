"""A result as a plot: which columns, how they are drawn, and the files of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.app import DearApp
from dear_tui.charts.result_data import PlotChoice
from dear_tui.charts.result_plot import PlotKind
from dear_tui.screens.dialogs.plot_columns import PlotColumns
from tests.dear_tui.memory_store import screen_text, until
from tests.dear_tui.sql_store import NARROW, WIDE, ask, notices, words

if TYPE_CHECKING:
    from pathlib import Path

CURVE = "SELECT rank / 10 AS place, masked, non_critical, critical FROM curve ORDER BY rank"
BITS = "SELECT layer, bit, count(*) AS faults, sum(weight_index) AS places FROM faults GROUP BY ALL ORDER BY ALL"


async def test_p_shows_a_plot_and_the_rows_again(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE) as pilot:
        screen = await ask(pilot, CURVE)
        for view in ("plot", "grid", "plot"):
            await pilot.press("p")
            assert screen.pane.view == view
            assert ("→ place" in screen_text(app)) == (view == "plot")
            assert screen.focused is screen.pane.shown
        await ask(pilot, "SELECT layer FROM faults")
        await pilot.press("p")
        assert screen.pane.view == "grid", "there is nothing to draw"


async def test_keys_change_how_it_is_drawn(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=NARROW) as pilot:
        screen = await ask(pilot, CURVE)
        plot = screen.pane.plot
        await pilot.press("p")
        assert plot.choice == PlotChoice(0, (1, 2, 3))
        await pilot.press("x", "y")
        assert "→ place, log x, log y" in screen_text(app)
        await pilot.press("y", "v")
        assert plot.choice == PlotChoice(0, (1, 2, 3), kind=PlotKind.BARS, log_x=True)
        assert "███ masked" in screen_text(app)
        await pilot.press("x")
        assert plot.choice.log_x, "bars have no log x axis, so the key does nothing"
        await pilot.press("v", "x")
        assert plot.choice == PlotChoice(0, (1, 2, 3), kind=PlotKind.POINTS)
        await pilot.press("p")
        await ask(pilot, CURVE)
        await pilot.press("p")
        assert plot.choice == PlotChoice(0, (1, 2, 3), kind=PlotKind.POINTS), "the same columns are drawn as before"


async def test_where_there_is_no_log_axis_its_key_says_so_and_closes_no_result(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=NARROW) as pilot:
        await ask(pilot, CURVE)
        screen = await ask(pilot, BITS)
        pane = screen.pane
        await pilot.press("p", "x")
        assert "bars and texts have no logarithmic x axis" in notices(app)
        assert screen.pane is pane
        assert pane.is_attached
        assert pane.view == "plot"


async def test_columns_are_chosen_by_keys(sql_store: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=NARROW) as pilot:
        screen = await ask(pilot, BITS)
        plot = screen.pane.plot
        await pilot.press("p")
        assert plot.choice == PlotChoice(0, (3,), kind=PlotKind.BARS)
        await pilot.press("c")
        assert isinstance(app.screen, PlotColumns)
        await pilot.press("j", "x", "k", "y")
        assert "layer holds no numbers; it can be x or the series" in words(app)
        await pilot.press("s", "j", "j", "space", "enter")
        assert plot.choice == PlotChoice(1, (2,), series=0, kind=PlotKind.BARS)
        assert "→ bit" in screen_text(app)
        assert "███ conv1" in screen_text(app)
        await pilot.press("c", "j", "j", "y", "enter")
        assert "no column is y; y or space chooses one" in words(app)
        await pilot.press("escape")
        assert plot.choice == PlotChoice(1, (2,), series=0, kind=PlotKind.BARS), "esc changes nothing"
        assert screen.focused is plot


async def test_e_saves_the_picture_and_its_numbers(sql_store: Path, home: Path) -> None:
    app = DearApp(sql_store)
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await ask(pilot, BITS)
        await pilot.press("p", "e")
        await until(pilot, lambda: "result-plot.svg" in notices(app))
        assert "places over layer" in (home / "result-plot.svg").read_text(encoding="utf-8")
        assert (home / "result-plot.csv").read_text(encoding="utf-8").startswith("layer,places\n")
        await pilot.press("e")
        await until(pilot, lambda: (home / "result-plot-2.svg").exists())
