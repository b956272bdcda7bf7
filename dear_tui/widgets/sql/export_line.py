"""A file while it is being written: how far it is, in a line of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import work
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from dear_tui.query.runs import CancelledError
from dear_tui.widgets.sql.result_pane import muted
from engine.errors import DearError
from engine.units import byte_count, percent, stopwatch

if TYPE_CHECKING:
    from textual.timer import Timer

    from dear_tui.query.export import Export

TICK_SECONDS = 0.25


class ExportLine(Static):
    """Nothing while nothing is written."""

    DEFAULT_CSS = """
    ExportLine { height: 1; padding: 0 2; display: none; }
    """

    @dataclass
    class Ended(Message):
        """A file is whole, or is not there."""

        export: Export
        problem: str
        is_cancelled: bool

    def __init__(self) -> None:
        super().__init__()
        self.export: Export | None = None
        self._total: int | None = None
        self._timer: Timer | None = None

    def begin(self, export: Export, total: int | None) -> None:
        """Write it, of so many rows where that is known."""
        self.export, self._total = export, total
        self.display = True
        self._timer = self.set_interval(TICK_SECONDS, self._tick)
        self.call_later(self._tick)
        self._write(export)

    def cancel(self) -> None:
        """Stop writing the file."""
        if self.export is not None:
            self.export.cancel()

    on_unmount = cancel

    def on_export_line_ended(self, message: Ended) -> None:
        """Say where the file is, or why there is none; the screen hears it, too."""
        export = message.export
        self.export = None
        self.display = False
        if self._timer is not None:
            self._timer.stop()
        if message.is_cancelled:
            self.notify(f"{export.target}: cancelled, nothing was written", markup=False)
        elif message.problem:
            self.notify(message.problem, severity="error", timeout=10, markup=False)
        else:
            self.notify(f"wrote {export.target}: {_written(export)}", timeout=8, markup=False)

    @work(thread=True, group="export")
    def _write(self, export: Export) -> None:
        problem, is_cancelled = "", False
        try:
            export.write()
        except CancelledError:
            is_cancelled = True
        except DearError as error:
            problem = str(error)
        self.post_message(self.Ended(export, problem, is_cancelled))

    async def _tick(self) -> None:
        export = self.export
        if export is None:
            return
        await asyncio.to_thread(export.look)
        words = Content.assemble(f"writing {export.target}: ", _progress(export, self._total), "  ")
        self.update(words + muted("f6 cancels"), layout=False)


def _progress(export: Export, total: int | None) -> str:
    """42 %, 4,200,000 of 10,000,000 rows, 51MB in 3.2 s, 4.4 s to go."""
    rows, seconds = export.rows, export.seconds
    if not rows or not total:
        of = f" of {total:,} rows" if total else ""
        return f"{byte_count(export.size)}{of}, {stopwatch(seconds)}" if rows is None else _written(export)
    left = f", {stopwatch(seconds * (total - rows) / rows)} to go" if seconds > 1 else ""
    done = f"{percent(rows, total)}, {rows:,} of {total:,} rows"
    return f"{done}, {byte_count(export.size)} in {stopwatch(seconds)}{left}"


def _written(export: Export) -> str:
    rows = "1 row" if export.rows == 1 else f"{export.rows or 0:,} rows"
    return f"{rows}, {byte_count(export.size)} in {stopwatch(export.seconds)}"
