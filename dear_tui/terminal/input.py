"""What the terminal sends: as Textual reads it, but a paste in one piece.

Textual takes a paste apart letter by letter: half a second for a megabyte, in which keys wait behind it.
"""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

from textual import events

from dear_tui.terminal.textual_private import (
    BRACKETED_PASTE_END,
    BRACKETED_PASTE_START,
    StoppableDriver,
    XTermParser,
    logs_input,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.message import Message

WAIT_SECONDS = 0.1
"""for input, until a lone escape is looked at again and the end of the program is noticed"""
CHUNK = 1 << 16


class PasteParser(XTermParser):
    """Keeps what stands between the marks of a paste from Textual's parser; a mark that is cut in two it still gets."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._pasted: list[str] | None = None
        """pieces of the paste that has begun"""

    def feed(self, data: str) -> Iterable[Message]:
        """Events of the next characters; none at all is the end of the input."""
        if not data:
            yield from super().feed(data)
        while data:
            if self._pasted is None:
                before, mark, data = data.partition(BRACKETED_PASTE_START)
                if before:
                    yield from super().feed(before)
                if mark:
                    self._pasted = []
            else:
                data = self._joined_to_cut_mark(data)
                text, mark, rest = data.partition(BRACKETED_PASTE_END)
                self._pasted.append(text)
                data = rest
                if mark:
                    yield events.Paste("".join(self._pasted).replace("\x00", ""))
                    self._pasted = None

    def _joined_to_cut_mark(self, data: str) -> str:
        """The end of the last piece may be the beginning of the mark."""
        if not self._pasted:
            return data
        piece = self._pasted.pop()
        kept = max(len(piece) - len(BRACKETED_PASTE_END) + 1, 0)
        self._pasted.append(piece[:kept])
        return piece[kept:] + data


class TerminalDriver(StoppableDriver):
    """Textual's, with the parser above; bytes that are no text are shown as such instead of ending the program."""

    def run_input_thread(self) -> None:
        """Read until the program ends."""
        parser, decode = PasteParser(logs_input(self)), getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                selector.select(WAIT_SECONDS)
                if not self._is_in_front():
                    self.exit_event.wait(WAIT_SECONDS)  # it is typed for another program
                # what was there before may have been read by that one, and to wait in a read is to wait for a key
                elif selector.select(0) and (text := decode(os.read(self.fileno, CHUNK))):
                    self._send(parser.feed(text))
                self._send(parser.tick())

    def _send(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)
