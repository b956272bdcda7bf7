"""What shows the machine: reads it in a thread, once a second, and only while it can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.content import Content
from textual.widgets import Static

from dear_tui.machine.machine import SECONDS, MachineHistory
from dear_tui.widgets.common.status_text import MUTED
from dear_tui.widgets.machine.machine_text import machine_line

if TYPE_CHECKING:
    from dear_tui.app import DearApp

READING = Content.styled("Asking the driver ...", MUTED)


class MachineWatch(Static):
    """Calls `show_machine` with every reading."""

    WITH_PROCESSES: ClassVar[bool] = False
    """whether it shows the processes on the processor, which take a while to read"""

    def __init__(self) -> None:
        super().__init__(READING)
        self._history = MachineHistory()
        self._is_reading = False

    def show_machine(self, history: MachineHistory) -> None:
        """Show how busy the machine is now."""
        raise NotImplementedError

    @property
    def is_wanted(self) -> bool:
        """Whether a reading would be seen."""
        return self.is_on_screen

    def on_mount(self) -> None:
        """Read the machine every second."""
        self.set_interval(SECONDS, self.look)
        self.call_after_refresh(self.look)

    def look(self) -> None:
        """Read if this can be seen; while a reading hangs, there is no second one."""
        if self.screen.is_current and self.is_wanted and not self._is_reading:
            self._is_reading = True
            self._read()

    @work(thread=True, group="read_machine")
    def _read(self) -> None:
        self.call_later(self._take, cast("DearApp", self.app).machine.read(self.WITH_PROCESSES))

    def _take(self, history: MachineHistory) -> None:
        self._is_reading = False
        self._history = history
        self.show_machine(history)

    def on_resize(self) -> None:
        """Lines are laid out for the width, and once more for what a scroll bar that came or went leaves of it."""
        self.show_machine(self._history)
        self.call_after_refresh(self.show_machine, self._history)


class GpuPanel(MachineWatch):
    """GPUs in one line, for a screen that is about something else; no line where there is none."""

    DEFAULT_CSS = """
    GpuPanel { height: 1; padding: 0 1; display: none; }
    """

    @property
    def is_wanted(self) -> bool:
        """The first reading says whether there is a GPU to show."""
        return self.is_on_screen or self._history.now is None

    def show_machine(self, history: MachineHistory) -> None:
        """One line of the present width."""
        self.display = history.now is not None and bool(history.now.gpus.gpus)
        if self.display:
            self.update(machine_line(history, self.content_size.width or self.app.size.width), layout=False)
