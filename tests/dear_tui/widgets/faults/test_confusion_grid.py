"""The matrix of golden and faulty classes, small and large."""

import numpy as np
import pytest
from textual.app import App, ComposeResult

from dear_tui.widgets.faults.confusion_grid import ConfusionGrid
from engine.store.read.confusion import Confusion


class GridApp(App[None]):
    CSS = "$class-critical: red; $text-class-critical: red;"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"class-critical": "#ff0000", "text-class-critical": "#ff0000"}

    def compose(self) -> ComposeResult:
        yield ConfusionGrid()


def lines(grid: ConfusionGrid) -> list[str]:
    return [grid.render_line(y).text for y in range(grid.content_size.height)]


@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_cell_under_the_cursor_is_always_in_view(classes: int, size: tuple[int, int]) -> None:
    pairs = np.arange(classes**2).reshape(classes, classes) * 7
    async with GridApp().run_test(size=size) as pilot:
        grid = pilot.app.query_one(ConfusionGrid)
        grid.focus()
        grid.show(Confusion(pairs, np.full(classes, 3)), [f"name{number}" for number in range(classes)])
        for key, (row, column) in (("G", (classes - 1, classes - 1)), ("g", (0, classes - 1)), ("j", (1, classes - 1))):
            await pilot.press(key)
            assert (
                f"golden {row} name{row} → faulty {column} name{column}: {pairs[row, column]:,}" in grid.words().plain
            )
            shown = lines(grid)
            assert any(line.startswith(f"{row} name{row} ") for line in shown)
            assert str(column) in shown[0]
            assert max(map(len, shown)) <= size[0]
        assert ("of 100" in grid.words().plain) == (classes == 100)


async def test_pairs_of_no_class_are_in_the_total_only() -> None:
    async with GridApp().run_test(size=(80, 24)) as pilot:
        grid = pilot.app.query_one(ConfusionGrid)
        grid.show(Confusion(np.array([[0, 5], [0, 0]]), np.array([2, 0])), ())
        await pilot.pause()
        assert [line.split() for line in lines(grid)[1:3]] == [["0", "7", "2", "·", "5"], ["1", "·", "·", "·", "·"]]
        assert "71.4 % of the 7 of its row" in grid.words().plain
