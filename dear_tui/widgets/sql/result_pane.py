"""Where a result is shown: as a grid, as a picture, or in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container
from textual.content import Content
from textual.widgets import Static

from dear_tui.widgets.common.plot_view import PlotView
from dear_tui.widgets.common.status_text import MUTED

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget

    from dear_tui.widgets.sql.result_grid import PreparedPage, ResultGrid
    from engine.store.sql.sql import Order

VIEWS = ("grid", "curve", "dots")
NO_ROWS = "No rows: the query is right, and nothing answers to it."


class ResultPane(Container):
    """At most one page of one result; its title says how much of it that is."""

    DEFAULT_CSS = """
    ResultPane {
        height: 1fr; border: round $foreground 30%;
        border-title-color: $text-muted; border-subtitle-color: $text-muted;
        &:focus-within { border: round $border; border-title-color: $foreground; }
        .sentence { height: 1fr; content-align: center middle; text-align: center; padding: 0 2; }
        .sentence.-error { content-align: left top; text-align: left; padding: 1 2; }
    }
    """
    ALLOW_MAXIMIZE = True

    def __init__(self, sentence: Content) -> None:
        """A pane that says this until there is a result."""
        super().__init__()
        self._sentence = Static(sentence, classes="sentence")
        self._plot = PlotView()
        self.grid: ResultGrid | None = None
        self.view = "grid"

    def compose(self) -> ComposeResult:
        """The grid comes with the first rows."""
        yield self._sentence
        yield self._plot

    @property
    def shown(self) -> Widget | None:
        """What takes the keys."""
        return self.grid if self.view == "grid" else self._plot

    @property
    def can_plot(self) -> bool:
        """Whether there are numbers over numbers."""
        return self.grid is not None and self.grid.page.is_curve

    def drop(self) -> None:
        """Let the rows go."""
        self.view = "grid"
        self._plot.display = self._sentence.display = False
        if self.grid is not None:
            self.grid.remove()
            self.grid = None

    def say(self, sentence: Content, is_error: bool = False) -> None:
        """A sentence in the place of rows, which are let go."""
        self.drop()
        self._sentence.update(sentence)
        self._sentence.set_class(is_error, "-error")
        self._sentence.display = True

    async def show_page(self, page: PreparedPage, order: Order | None = None, column: int = 0) -> None:
        """These rows in the place of what was there, with the cursor in a column."""
        from dear_tui.widgets.sql.result_grid import ResultGrid

        self.drop()
        if page.count == 0:
            self.say(Content(NO_ROWS))
            return
        self._sentence.display = False
        self.grid = grid = ResultGrid(page, order)
        await self.mount(grid)
        grid.move_cursor(column=column)

    def show_next_view(self) -> None:
        """Grid, curve, dots, and the grid again."""
        if self.grid is None:
            return
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        self.grid.display = self.view == "grid"
        self._plot.display = self.view != "grid"
        if self.view != "grid":
            self._plot.show(self.grid.page.rows, dots=self.view == "dots")


def rows_text(page: PreparedPage, total: int | None, at_least: int | None = None) -> str:
    """16,501 rows; first 100,000 of 10,000,000 rows; rows 100,001-200,000 of more than 10,000,000."""
    all_rows = f" of more than {at_least:,}" if at_least is not None else "" if total is None else f" of {total:,}"
    if page.first:
        return f"rows {page.first + 1:,}–{page.first + page.count:,}{all_rows}"
    if page.more:
        return f"first {page.count:,}{all_rows} rows"
    return "1 row" if page.count == 1 else f"{page.count:,} rows"


def found_text(page: PreparedPage) -> str:
    """17 cells match conv, on this page: n and N go through them."""
    if page.found is None:
        return ""
    count, where = len(page.found.places), " on this page" if page.more or page.first else ""
    cells = "no cell matches" if not count else "1 cell matches" if count == 1 else f"{count:,} cells match"
    return f"{cells} {page.found.text}{where}" + (", n and N go there" if count else "")


def order_sign(order: Order) -> str:
    """Whether values fall or rise."""
    return "↓" if order.is_descending else "↑"


def muted(text: str) -> Content:
    """What is said by the way."""
    return Content.styled(text, MUTED)
