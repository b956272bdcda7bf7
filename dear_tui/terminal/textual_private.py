"""What this program uses of Textual although Textual does not promise to keep it; nothing else may.

Each of these has a test, so that an update of Textual that moves one of them is noticed at once.
"""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING, Any

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.app import App, ReturnType, ScreenStackError
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.drivers.linux_driver import LinuxDriver
from textual.widgets import OptionList
from textual.widgets._select import SelectCurrent, SelectOverlay

if TYPE_CHECKING:
    import asyncio

    from textual.binding import BindingsMap
    from textual.dom import DOMNode
    from textual.driver import Driver
    from textual.filter import LineFilter
    from textual.notifications import Notification
    from textual.screen import Screen

__all__ = [
    "BRACKETED_PASTE_END",
    "BRACKETED_PASTE_START",
    "AppWithoutTracebacks",
    "SelectCurrent",
    "SelectOverlay",
    "StoppableDriver",
    "XTermParser",
]

LOOK_SECONDS = 0.05
"""between two looks whether this program is in front again"""


class AppWithoutTracebacks(App[ReturnType]):
    """Ends by `panic` after an error that nobody caught, where Textual prints a traceback with all variables.

    When it ends, its widgets go one by one. What a key or a thread then asks of one that has gone is no error.
    """

    _widgets_go = False

    async def _shutdown(self) -> None:
        self._widgets_go = True
        await super()._shutdown()

    def _handle_exception(self, error: Exception) -> None:
        if not (self._widgets_go and isinstance(error, NoMatches | ScreenStackError)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self.panic()


class StoppableDriver(LinuxDriver):
    """Has the terminal while this program is the one in front there, whatever stops it, and loses no key.

    Behind, it goes on and leaves the terminal alone, as any job of a shell does. It must not stop itself there: a shell
    does not continue a program that it takes to be running, and the stop would undo an `fg` that comes meanwhile.
    """

    _has_terminal = False
    """its modes and what it shows are this program's"""
    _look: asyncio.TimerHandle | None = None
    """the next one, whether this program is in front"""

    def start_application_mode(self) -> None:
        """Take the terminal, once this program is in front."""
        # Textual heeds them wherever the program is: in the middle of its writing it would wait for itself
        self._loop.add_signal_handler(signal.SIGTSTP, self._sigtstp_application)
        self._loop.add_signal_handler(signal.SIGCONT, self._sigcont_application)
        if self._is_in_front():
            self._has_terminal = True
            super().start_application_mode()  # type: ignore[no-untyped-call]
        else:
            self._must_signal_resume = True
            self._look_later()

    def stop_application_mode(self) -> None:
        """Give it back; behind, it is another's already."""
        if self._has_terminal and self._is_in_front():
            super().stop_application_mode()
        self._has_terminal = self._must_signal_resume = False

    def disable_input(self) -> None:
        """Read no more from the terminal."""
        if self._is_in_front():
            super().disable_input()
        else:
            self.exit_event.set()

    def write(self, data: str) -> None:
        """Draw, if this program is in front; what is left out is drawn when it comes back."""
        if self._has_terminal and self._is_in_front():
            super().write(data)

    def _sigtstp_application(self, *_: object) -> None:
        """Give the terminal back and stop, together with what this program runs under: the shell waits for that."""
        if self._has_terminal and self._is_in_front():
            self.suspend_application_mode()
            self._must_signal_resume = True
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(0, signal.SIGTSTP)
        self._loop.add_signal_handler(signal.SIGTSTP, self._sigtstp_application)
        self._look_later()  # where no shell could continue it, the system has not stopped it

    def _sigcont_application(self, *_: object) -> None:
        """Whoever had the terminal meanwhile may have changed its modes and what it shows."""
        self._must_signal_resume |= self._has_terminal
        self._take_terminal_back()

    def _take_terminal_back(self) -> None:
        if not self._must_signal_resume:
            return
        if self._has_terminal and self._is_in_front() and self._key_thread is not None:
            # SIGSTOP, as a scheduler sends it, has left no time to give it back
            self.exit_event.set()  # else Textual would throw away what has been typed since
            self._key_thread.join()
            self.suspend_application_mode()
            self.exit_event.clear()
            self._must_signal_resume = True
        self.resume_application_mode()

    def _look_later(self) -> None:
        """A shell need not say that this program is in front."""
        if self._look is not None:
            self._look.cancel()
        self._look = self._loop.call_later(LOOK_SECONDS, self._take_terminal_back)

    def _is_in_front(self) -> bool:
        """Whether the terminal is this program's; one that knows no jobs is, one that is gone is not."""
        try:
            return os.tcgetpgrp(self.fileno) == os.getpgrp()
        except OSError as error:
            return error.errno == errno.ENOTTY


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


def take_styles_as_they_are(screen: Screen[Any]) -> None:
    """Have a new screen take the app's styles, which follow the theme: Textual would parse all of them once more."""
    screen._css_update_count = screen.app._css_update_count


def bindings_of(node: type[DOMNode]) -> BindingsMap:
    """The bindings of a class together with those that it inherits."""
    return node._merged_bindings or node._merge_bindings()


def is_possible(app: App[ReturnType], action: str, node: DOMNode) -> bool:
    """Whether an action of a node does something now."""
    return app._check_action_state(action, node) is True


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
