"""Golden classes against faulty ones as a matrix with a cursor; where it is larger than the screen it scrolls."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.common.columns import class_text
from dear_tui.widgets.common.status_text import MUTED
from engine.units import percent, short_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from engine.store.read.confusion import Confusion

CORNER = "golden ↓  faulty →"
TOTALS = ("all", "NaN/∞")
"""headings of the columns that stay: all pairs of a golden class, and those of no faulty class"""
TOTAL_WIDTH, LEAST_CELL, MOST_CELL = 7, 6, 14
MOST_NAME = 20
SHADES = 8
"""of red behind a number, in steps of its square root, so that small ones are seen, too"""


class ConfusionGrid(Widget, can_focus=True):
    """A row for each golden class, a column for each class that images are taken for under a fault."""

    HELP = """\
Critical pairs: a row for the class without a fault, a column for the
class under the fault. NaN/∞: an output was not finite, so of no class."""
    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "confusion-grid",
        Binding("h,left", "move(0, -1)", "left", show=False, tooltip="the faulty class before"),
        Binding("j,down", "move(1, 0)", "down", show=False, tooltip="the next golden class"),
        Binding("k,up", "move(-1, 0)", "up", show=False, tooltip="the golden class before"),
        Binding("l,right", "move(0, 1)", "right", show=False, tooltip="the next faulty class"),
        Binding("g,home", "move(-1000000, 0)", "first", show=False, tooltip="the first golden class"),
        Binding("G,end", "move(1000000, 0)", "last", show=False, tooltip="the last golden class"),
        Binding("enter", "open", "images", tooltip="the images of this golden class"),
    )
    COMPONENT_CLASSES: ClassVar[set[str]] = {"confusion--text", "confusion--axis", "confusion--zero", "confusion--hot"}
    DEFAULT_CSS = """
    ConfusionGrid {
        height: 1fr; padding: 0 1;
        .confusion--text { color: $foreground; }
        .confusion--axis { color: $text-muted; }
        .confusion--zero { color: $text-disabled; }
        .confusion--hot { color: $text-class-critical; background: $class-critical; }
        &:ansi .confusion--zero { color: ansi_bright_black; }
    }
    """
    ALLOW_SELECT = False

    class Moved(Message):
        """The cursor is on another cell."""

    class Opened(Message):
        """The images of the golden class under the cursor are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._confusion: Confusion | None = None
        self._names: Sequence[str] = ()
        self._row = self._column = self._top = self._left = 0
        self._name_width = self._most = 0
        """columns of the terminal for the names of the classes, and the most pairs of a cell"""
        self._strips: list[Strip] = []
        self._styles: dict[object, Style] = {}
        """found for the present theme; looking them up takes most of a painting's time"""

    @property
    def golden_class(self) -> int:
        """Of the cursor's row."""
        return self._row

    def show(self, confusion: Confusion, class_names: Sequence[str]) -> None:
        """Show other or newer pairs; with another number of classes the cursor starts where most pairs are."""
        if self._confusion is None or self._confusion.classes != confusion.classes:
            self._row, self._column = divmod(int(confusion.pairs.argmax()), confusion.classes)
        self._confusion, self._names = confusion, class_names
        longest = max((cell_len(class_text(number, class_names)) for number in range(confusion.classes)), default=0)
        self._name_width = max(min(longest, MOST_NAME), len(CORNER)) + 1
        self._most = int(confusion.pairs.max(initial=0))
        self._paint()

    def forget(self) -> None:
        """Let the next one start anew."""
        self._confusion = None

    def words(self) -> Content:
        """The cell under the cursor, and how much of the matrix is in view."""
        shown = self._confusion
        if shown is None:
            return Content("")
        golden, faulty = (class_text(number, self._names) for number in (self._row, self._column))
        pairs, total = int(shown.pairs[self._row, self._column]), int(shown.total[self._row])
        share = f", {percent(pairs, total)} of the {total:,} of its row" if total else ""
        rows, columns = self._room()
        parts = [
            f"{name} {first + 1} to {min(first + room, shown.classes)} of {shown.classes}"
            for name, first, room in (("rows", self._top, rows), ("columns", self._left, columns))
            if room < shown.classes
        ]
        return Content.assemble(
            (f"golden {golden} → faulty {faulty}", "bold"),
            f": {pairs:,} pairs{share}\n",
            (", ".join(parts), MUTED),
        )

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cursor; it stays in the matrix."""
        self._put(self._row + rows, self._column + columns)

    def action_open(self) -> None:
        """Ask for the images of the cursor's row."""
        if self._confusion is not None:
            self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """The cell that was clicked."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y > 0 and offset.x >= self._fixed:
            self._put(self._top + offset.y - 1, self._left + (offset.x - self._fixed) // self._cell_width)

    def render_line(self, y: int) -> Strip:
        """One kept line."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.content_size.width, self.rich_style)

    def notify_style_update(self) -> None:
        """Another theme: same matrix, new colours."""
        super().notify_style_update()
        self.call_later(self._paint_anew)  # the colours of its parts come after this

    def _put(self, row: int, column: int) -> None:
        if self._confusion is None:
            return
        last = self._confusion.classes - 1
        cell = max(min(row, last), 0), max(min(column, last), 0)
        if cell != (self._row, self._column):
            self._row, self._column = cell
            self._paint()
            self.post_message(self.Moved())

    @property
    def _fixed(self) -> int:
        """Columns of the terminal before the first faulty class."""
        return self._name_width + len(TOTALS) * TOTAL_WIDTH

    @property
    def _cell_width(self) -> int:
        classes = self._confusion.classes if self._confusion else 1
        return max(min((self.content_size.width - self._fixed) // classes, MOST_CELL), LEAST_CELL)

    def _room(self) -> tuple[int, int]:
        """Rows and columns of the matrix that fit."""
        width, height = self.content_size
        return max(height - 1, 1), max((width - self._fixed) // self._cell_width, 1)

    def _paint_anew(self) -> None:
        self._styles.clear()
        self._paint()

    def _paint(self) -> None:
        shown = self._confusion
        self._strips = []
        if shown is not None and self.content_size:
            rows, columns = self._room()
            self._top = _scrolled(self._top, self._row, rows, shown.classes)
            self._left = _scrolled(self._left, self._column, columns, shown.classes)
            inside = range(self._left, min(self._left + columns, shown.classes))
            self._strips.append(self._heading(inside))
            for row in range(self._top, min(self._top + rows, shown.classes)):
                self._strips.append(self._line(shown, row, inside))
        self.refresh()

    def on_resize(self) -> None:
        """More or less of the matrix is in view."""
        self._paint()
        self.post_message(self.Moved())

    def _heading(self, columns: range) -> Strip:
        axis, chosen = self._style("axis"), self._style("text") + Style(bold=True, reverse=True)
        parts = [(f"{CORNER:<{self._name_width}}", axis)]
        parts += [(f"{text:>{TOTAL_WIDTH}}", axis) for text in TOTALS]
        for column in columns:
            text = class_text(column, self._names)
            text = text if cell_len(text) < self._cell_width else str(column)
            parts.append((self._right(text), chosen if column == self._column else axis))
        return self._strip(parts)

    def _line(self, shown: Confusion, row: int, columns: range) -> Strip:
        text, chosen = self._style("text"), self._style("text") + Style(bold=True, reverse=True)
        name = set_cell_size(class_text(row, self._names), self._name_width - 1)
        parts = [(name, chosen if row == self._row else text), (" ", text)]
        parts += [
            (f"{short_count(int(counts[row])) if counts[row] else '·':>{TOTAL_WIDTH}}", text)
            for counts in (shown.total, shown.nonfinite)
        ]
        for column in columns:
            pairs = int(shown.pairs[row, column])
            style = chosen if (row, column) == (self._row, self._column) else self._shade(pairs)
            parts.append((self._right(short_count(pairs) if pairs else "·"), style))
        return self._strip(parts)

    def _right(self, text: str) -> str:
        return " " * (self._cell_width - cell_len(text)) + text

    def _shade(self, pairs: int) -> Style:
        """The more pairs, the more red behind the number."""
        if pairs == 0:
            return self._style("zero")
        shade = round(SHADES * (pairs / self._most) ** 0.5)
        if shade not in self._styles:
            self._styles[shade] = self._hot_style(shade / SHADES)
        return self._styles[shade]

    def _hot_style(self, heat: float) -> Style:
        """Of a heat from 0 to 1; bold where colours cannot be mixed."""
        hot, back = self.get_component_styles("confusion--hot").background, self.background_colors[1]
        if hot.ansi is not None or back.ansi is not None:
            return self._style("text") + Style(bold=heat > 0.5)
        behind = back.blend(hot, 0.75 * heat)
        return Style(color=behind.get_contrast_text(1).rich_color, bgcolor=behind.rich_color)

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(f"confusion--{name}")
        return self._styles[name]

    def _strip(self, parts: list[tuple[str, Style]]) -> Strip:
        strip = Strip([Segment(text, style) for text, style in parts if text])
        return strip.adjust_cell_length(self.content_size.width, self.rich_style)


def _scrolled(first: int, cursor: int, room: int, count: int) -> int:
    """The first row or column in view, so that the cursor's is, too."""
    return max(min(max(min(first, cursor), cursor - room + 1), count - room), 0)
