"""What the commands print: the only place of the command line from which text goes to a terminal."""

from __future__ import annotations

import shutil
import sys
import threading
from contextlib import contextmanager, suppress
from textwrap import fill
from typing import TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.text import Text

from dear_tui.cli.printing.plain_lines import LOADING, PlainLines
from dear_tui.text.steps import StepText
from engine.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self, TextIO

    from rich.console import RichCast

    from engine.steps import OnStep


def say(*texts: object, sep: str = " ", end: str = "\n", file: TextIO | None = None, flush: bool = False) -> None:
    """Print as `print` does, with nothing in it that steers a terminal.

    Raises:
        OSError: `file`, or standard output, cannot be written.
    """
    print(*(printable(str(text)) for text in texts), sep=sep, end=end, file=file, flush=flush)


def say_wrapped(text: str, hanging: int = 2, most: int | None = None, file: TextIO | None = None) -> None:
    """Say a sentence: on a terminal in lines that end between words, elsewhere in one line.

    Args:
        text: without line ends.
        hanging: columns before the second line and those after it.
        most: columns of a line, however wide the terminal is; None: as wide as that.
        file: where to; None: standard output.
    """
    file = file or sys.stdout
    if file.isatty():
        width = min(shutil.get_terminal_size().columns, most or sys.maxsize)
        text = fill(text, width, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False)
    say(text, file=file)


def tell(*texts: object, sep: str = " ", end: str = "\n", flush: bool = False) -> None:
    """Say on standard error what only accompanies what is done, see `Talk`."""
    say(*texts, sep=sep, end=end, file=cast("TextIO", Talk(sys.stderr)) if sys.stderr else None, flush=flush)


def tell_refused(sentences: str) -> None:
    """Say on standard error why something was not done, a sentence on each line."""
    tell(*(f"dear-tui: {sentence}" for sentence in sentences.splitlines()), sep="\n")


def tell_line(line: str) -> None:
    """As `tell`, at once, so that no line of another thread comes in between."""
    tell(f"{line}\n", end="")


class _Through:
    """A file of which a subclass changes how it is written."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Talk(_Through):
    """Standard error, which only accompanies what is done: where it cannot be written, nothing ends because of that.

    It may be a log on a full disk, a pipe whose reader has ended, or a terminal that is gone.
    """

    def write(self, text: str) -> int:
        """Write it, or not."""
        with suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Have it shown now."""
        with suppress(OSError):
            self._file.flush()


def talking_console() -> Console:
    """A console on standard error as it is now, see `Talk`."""
    return Console(file=cast("TextIO", Talk(sys.stderr)), highlight=False)


def plain_console(file: TextIO) -> Console:
    """A console on a terminal without colours, so without escapes, as wide as that is."""
    # both sizes, because rich takes a terminal without capabilities for one of 80 columns
    width, height = shutil.get_terminal_size()
    return Console(file=file, width=width, height=height, color_system=None, highlight=False)


class PrintableFile(_Through):
    """A terminal's file, to which rows are written that hold whatever the data hold."""

    def write(self, text: str) -> int:
        """Write it as `say` does."""
        return self._file.write(printable(text))


class Working:
    """Says on a terminal that something is being done, once that takes long; nothing where stderr is no terminal."""

    def __init__(self, what: str | RichCast, after_s: float = 1.0) -> None:
        """Make ready to say it.

        Args:
            what: is done; a `RichCast` is asked again and again.
            after_s: seconds from which on somebody would ask whether it still works.
        """
        self._status = talking_console().status(Text(what) if isinstance(what, str) else what)
        self._timer = threading.Timer(after_s, self._show)
        self._timer.daemon = True
        self._lock = threading.RLock()  # a signal may stop it while it is stopped
        self._has_ended = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take it off the terminal, which others are about to write on; may be called again."""
        self._timer.cancel()
        with self._lock:
            self._has_ended = True
            self._status.stop()

    def _show(self) -> None:
        with self._lock:
            if not self._has_ended:
                self._status.start()


@contextmanager
def shown_steps() -> Iterator[OnStep]:
    """What is being done, on stderr: a line that changes on a terminal, plain lines of what takes long elsewhere."""
    console, text = talking_console(), StepText()
    if not console.is_terminal:
        with PlainLines(tell_line) as lines:
            lines.on_step(LOADING)
            yield lines.on_step
        return
    with console.status(Text(text.of(LOADING))) as status:
        yield lambda step: status.update(Text(text.of(step)))
