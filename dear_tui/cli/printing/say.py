"""What the commands print: the only place of the command line from which text goes to a terminal."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from rich.console import Console

from dear_tui.text.printable import printable

if TYPE_CHECKING:
    from typing import TextIO


def say(*texts: object, sep: str = " ", end: str = "\n", file: TextIO | None = None, flush: bool = False) -> None:
    """Print as `print` does, with nothing in it that steers a terminal.

    Raises:
        OSError: standard output cannot be written; about standard error see `Talk`.
    """
    target = cast("TextIO", Talk(file)) if file is not None and file is sys.stderr else file
    print(*(printable(str(text)) for text in texts), sep=sep, end=end, file=target, flush=flush)


class Talk:
    """Standard error, which only accompanies what is done: where it cannot be written, nothing ends because of that.

    It may be a log on a full disk, a pipe whose reader has ended, or a terminal that is gone.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @property
    def encoding(self) -> str:
        """Of the file."""
        return self._file.encoding

    def write(self, text: str) -> int:
        """Write it, or not."""
        with suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Have it shown now."""
        with suppress(OSError):
            self._file.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal: as the file itself."""
        return self._file.isatty()

    def fileno(self) -> int:
        """Its descriptor."""
        return self._file.fileno()


def talking_console() -> Console:
    """A console on standard error as it is now, see `Talk`."""
    return Console(file=cast("TextIO", Talk(sys.stderr)), highlight=False)


class PrintableFile:
    """A terminal's file, to which rows are written that hold whatever the data hold."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write it as `say` does."""
        return self._file.write(printable(text))

    def flush(self) -> None:
        """Have it shown now."""
        self._file.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal: as the file itself."""
        return self._file.isatty()
