"""What this program uses of Textual although Textual does not promise to keep it; nothing else may.

Each of these has a test, so that an update of Textual that moves one of them is noticed at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.app import App, ReturnType
from textual.command import CommandPalette
from textual.widgets import OptionList

if TYPE_CHECKING:
    from textual.binding import BindingsMap
    from textual.dom import DOMNode
    from textual.driver import Driver
    from textual.filter import LineFilter
    from textual.notifications import Notification

__all__ = ["BRACKETED_PASTE_END", "BRACKETED_PASTE_START", "AppWithoutTracebacks", "XTermParser"]


class AppWithoutTracebacks(App[ReturnType]):
    """Ends by `panic` after an error that nobody caught, where Textual prints a traceback with all variables."""

    def _fatal_error(self) -> None:
        self.panic()


def uncaught_error(app: App[ReturnType]) -> Exception | None:
    """The error that ends the app."""
    return app._exception


def line_filters(app: App[ReturnType]) -> list[LineFilter]:
    """The filters that every drawn line goes through, in their order; the list may be changed."""
    return app._filters


def write_to_terminal(app: App[ReturnType], sequence: str) -> None:
    """Send a control sequence to the terminal; to none where none is drawn on."""
    if app._driver is not None:
        app._driver.write(sequence)


def logs_input(driver: Driver) -> bool:
    """Whether the parser of the driver is to log what it reads."""
    return driver._debug


def bindings_of(node: type[DOMNode]) -> BindingsMap:
    """The bindings of a class together with those that it inherits."""
    return node._merged_bindings or node._merge_bindings()


def turns_no_page(node: DOMNode | None, action: str) -> bool:
    """Whether an action of a list, or of the palette over its own one, turns a page that is not laid out.

    A list that is hidden, or that was filled by another key of the same read, has options but no lines yet, and
    Textual looks for the line of the highlighted one.
    """
    if "page_" not in action or not isinstance(node, OptionList | CommandPalette):
        return False
    lists = [node] if isinstance(node, OptionList) else node.query(OptionList)
    return any(each.highlighted is not None and each.highlighted not in each._index_to_line for each in lists)


def shown_notices(app: App[ReturnType]) -> list[Notification]:
    """The toasts that are told now, oldest first."""
    return list(app._notifications)


def take_notice_away(app: App[ReturnType], notice: Notification) -> None:
    """Tell one no longer; the next drawing of toasts is without it."""
    app._unnotify(notice, refresh=False)
