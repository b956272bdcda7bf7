"""What this program uses of Textual although Textual does not promise to keep it; nothing else may.

Each of these has a test, so that an update of Textual that moves one of them is noticed at once.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.app import App, ReturnType, ScreenStackError
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.drivers.linux_driver import LinuxDriver
from textual.widgets import OptionList

if TYPE_CHECKING:
    from textual.binding import BindingsMap
    from textual.dom import DOMNode
    from textual.driver import Driver
    from textual.filter import LineFilter
    from textual.notifications import Notification

__all__ = ["BRACKETED_PASTE_END", "BRACKETED_PASTE_START", "AppWithoutTracebacks", "StoppableDriver", "XTermParser"]


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
    """Has the terminal whenever it goes on after a stop of any kind, and reads it once.

    SIGSTOP, as a scheduler or another terminal sends it, leaves no time to give the terminal back as SIGTSTP does.
    After it, Textual would read the terminal in two threads, and leave the shell the modes of a program.
    """

    _is_drawing = False

    def start_application_mode(self) -> None:
        """Take the terminal, once it is this program's."""
        loop = asyncio.get_running_loop()
        # Textual heeds them wherever the program is: in the middle of its writing it would wait for itself
        loop.add_signal_handler(signal.SIGTSTP, self._sigtstp_application)
        loop.add_signal_handler(signal.SIGCONT, self._sigcont_application)
        self._wait_until_in_front()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._is_drawing = True

    def stop_application_mode(self) -> None:
        """Give it back."""
        self._is_drawing = False
        super().stop_application_mode()

    def _sigcont_application(self, *_: object) -> None:
        """Whoever had the terminal meanwhile may have changed its modes and what it shows."""
        if self._is_drawing:
            self._wait_until_in_front()
            self.suspend_application_mode()
            self._must_signal_resume = True
        if self._must_signal_resume:
            self.resume_application_mode()

    def _wait_until_in_front(self) -> None:
        while not self._is_in_front():
            os.kill(os.getpid(), signal.SIGSTOP)

    def _is_in_front(self) -> bool:
        """Whether the terminal is this program's; one that knows no jobs is."""
        try:
            return os.tcgetpgrp(self.fileno) == os.getpgrp()
        except OSError:
            return True


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
