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
        self.plot = PlotView()
        self.grid: ResultGrid | None = None
        self.view = "grid"

    def compose(self) -> ComposeResult:
        """The grid comes with the first rows."""
        yield self._sentence
        yield self.plot

    @property
    def shown(self) -> Widget | None:
        """What takes the keys."""
        return self.grid if self.view == "grid" else self.plot

    @property
    def can_plot(self) -> bool:
        """Whether there are numbers beside another column."""
        return self.grid is not None and self.grid.page.first_choice is not None

    def drop(self) -> None:
        """Let the rows go."""
        self.view = "grid"
        self.plot.display = self._sentence.display = False
        self.plot.forget()
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

    def toggle_plot(self) -> None:
        """The rows as a plot, or as rows again."""
        if self.grid is None:
            return
        self.view = "plot" if self.view == "grid" else "grid"
        self.grid.display = self.view == "grid"
        self.plot.display = self.view == "plot"
        if self.view == "plot":
            self.plot.show(self.grid.page.rows, self.grid.page.first_choice)


def muted(text: str) -> Content:
    """What is said by the way."""
    return Content.styled(text, MUTED)
