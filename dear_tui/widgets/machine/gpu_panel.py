"""GPUs in one line, for a screen that is about something else; no line where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.widgets.machine.machine_text import machine_line
from dear_tui.widgets.machine.machine_watch import MachineWatch

if TYPE_CHECKING:
    from dear_tui.machine.machine import MachineHistory


class GpuPanel(MachineWatch):
    """Utilisation with its history, memory, temperature and power."""

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
