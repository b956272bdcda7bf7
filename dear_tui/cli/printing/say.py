"""What the commands print: the only place of the command line from which text goes to a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.text.printable import printable

if TYPE_CHECKING:
    from typing import TextIO


def say(*texts: object, sep: str = " ", end: str = "\n", file: TextIO | None = None, flush: bool = False) -> None:
    """Print as `print` does, with nothing in it that steers a terminal."""
    print(*(printable(str(text)) for text in texts), sep=sep, end=end, file=file, flush=flush)


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
