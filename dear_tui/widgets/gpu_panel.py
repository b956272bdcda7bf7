"""GPUs in one line, or the processor where there is none: for a screen that is about something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.widgets.machine_text import machine_line
from dear_tui.widgets.machine_watch import MachineWatch

if TYPE_CHECKING:
    from dear_tui.machine import MachineHistory


class GpuPanel(MachineWatch):
    """Utilisation with its history, memory, temperature and power."""

    DEFAULT_CSS = """
    GpuPanel { height: 1; padding: 0 1; }
    """

    def show_machine(self, history: MachineHistory) -> None:
        """One line of the present width."""
        if history.now:
            self.update(machine_line(history, self.content_size.width), layout=False)
