"""Which columns of a result are plotted: a line a column, a key for each part it may play."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from dear_tui.charts.result_data import PlotChoice, numbers_of
from dear_tui.charts.result_plot import MOST_LINES
from dear_tui.query.values import cell_text
from dear_tui.screens.dialogs.dialog import Dialog
from dear_tui.widgets.common.status_text import MUTED

if TYPE_CHECKING:
    import pyarrow as pa
    from textual.app import ComposeResult

HELP = f"x below; y up to {MOST_LINES} columns of numbers; s a line for each value of a column, with one y."


class PlotColumns(Dialog[PlotChoice | None]):
    """Answers with another choice, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,c", "dismiss", "cancel"),
        Binding("enter", "draw", "draw"),
        Binding("x", "over", "x"),
        Binding("y,space", "mark", "y"),
        Binding("s", "split", "series"),
        Binding("j", "move('cursor_down')", "down", show=False),
        Binding("k", "move('cursor_up')", "up", show=False),
    ]
    DEFAULT_CSS = """
    PlotColumns {
        align: center middle;
        Vertical {
            width: 72; max-width: 96%; height: auto; max-height: 90%; padding: 0 1;
            border: round $primary; background: $surface;
        }
        OptionList {
            height: auto; max-height: 16; padding: 0; background: transparent; border: none; scrollbar-size-vertical: 1;
            text-wrap: nowrap; text-overflow: ellipsis;
            &:focus { border: none; }
            & > .option-list--option-highlighted {
                color: $foreground; background: $surface-lighten-2; text-style: bold;
            }
        }
        .trouble { color: $text-warning; }
    }
    """

    def __init__(self, rows: pa.Table, choice: PlotChoice) -> None:
        super().__init__()
        self._names = [cell_text(name) for name in rows.column_names]
        self._types = [str(field.type) for field in rows.schema]
        self._numbers = numbers_of(rows)
        self._choice = choice

    def compose(self) -> ComposeResult:
        """The columns, what the keys mean, and why one did nothing."""
        box = Vertical(OptionList(), Static("", classes="trouble"), Static(Content.styled(HELP, MUTED)))
        box.border_title = "columns of the plot"
        box.border_subtitle = "x y s choose, enter draws, esc cancels"
        yield box

    def on_mount(self) -> None:
        """Begin at the first column."""
        self._show()
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self) -> None:
        """Enter in the list."""
        self.action_draw()

    def action_draw(self) -> None:
        """Answer, once there is something to draw."""
        if self._choice.y:
            self.dismiss(self._choice)
        else:
            self._say("no column is y; y or space chooses one")

    def action_over(self) -> None:
        """This column is x."""
        self._take(self._choice.over(self._column))

    def action_mark(self) -> None:
        """This column is a y, or no more."""
        if self._column in self._numbers:
            self._take(self._choice.toggled(self._column))
        else:
            self._say(f"{self._names[self._column]} holds no numbers; it can be x or the series")

    def action_split(self) -> None:
        """The values of this column are the series, or no more."""
        self._take(self._choice.split(self._column))

    def action_move(self, where: str) -> None:
        """Move the list's cursor."""
        getattr(self.query_one(OptionList), f"action_{where}")()

    @property
    def _column(self) -> int:
        """Under the cursor."""
        return self.query_one(OptionList).highlighted or 0

    def _take(self, choice: PlotChoice) -> None:
        self._choice = choice
        self._say("")
        self._show()

    def _say(self, sentence: str) -> None:
        self.query_one(".trouble", Static).update(Content(sentence))

    def _show(self) -> None:
        listing = self.query_one(OptionList)
        column = self._column
        listing.clear_options()
        listing.add_options(Option(self._line(index)) for index in range(len(self._names)))
        listing.highlighted = column

    def _line(self, column: int) -> Content:
        choice = self._choice
        parts = {"x": column == choice.x, "y": column in choice.y, "s": column == choice.series}
        signs = " ".join(sign if is_so else " " for sign, is_so in parts.items())
        return Content.assemble(
            (signs, "bold $text-accent"), f"  {self._names[column]}  ", (self._types[column], MUTED)
        )
