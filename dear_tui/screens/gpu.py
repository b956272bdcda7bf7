"""The machine that is seen from here: its GPUs, and its processor."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content

from dear_tui.screens.base import SnapshotScreen
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.common.status_text import MUTED
from dear_tui.widgets.machine.machine_text import (
    MOST_CPU_LINES,
    NO_GPU,
    cpu_card,
    gpu_card,
    process_lines,
    worker_lines,
)
from dear_tui.widgets.machine.machine_watch import MachineWatch
from engine.units import duration

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from dear_tui.access.store_location import AtWork, Snapshot
    from dear_tui.machine.machine import MachineHistory, Moment

LATE_SECONDS = 5.0
"""without a reading, the driver hangs"""
FRAME, LINES_BESIDE = 5, 4
"""lines of the screen around the cards, and of a card around its graphs"""
LEAST_GRAPH = 4


class MachineCards(MachineWatch):
    """A card for each GPU, then the processor's."""

    WITH_PROCESSES = True
    DEFAULT_CSS = """
    MachineCards { height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._at_work: AtWork | None = None

    def show_worker(self, at_work: AtWork | None) -> None:
        """Who runs a campaign of the store that is shown."""
        if at_work != self._at_work:
            self._at_work = at_work
            self.show_machine(self._history)

    def look(self) -> None:
        """Read, and say how long there was no answer."""
        super().look()
        now = self._history.now
        if self._is_reading and now and time.monotonic() - now.at > LATE_SECONDS:
            self.show_machine(self._history)

    def show_machine(self, history: MachineHistory) -> None:
        """All cards for the present width; laid out again only where they need more lines or fewer than they have."""
        lines = self._lines(history)
        if lines:
            self.update(Content("\n").join(lines), layout=self.content_size.height != len(lines))

    def _lines(self, history: MachineHistory) -> list[Content]:
        now, width = history.now, self.content_size.width
        if now is None or width < 1:
            return []
        lines: list[Content] = []
        silence = time.monotonic() - now.at
        if silence > LATE_SECONDS:
            late = f"The driver has not answered for {duration(silence)}; this is what it said last."
            lines += [Content.styled(late, "$text-warning"), Content("")]
        of_worker = worker_lines(now.gpus.gpus, self._at_work, width)
        of_worker += [Content("")] * bool(of_worker)
        height = self._graph_height(now, len(of_worker))
        for index, gpu in enumerate(now.gpus.gpus):
            lines += [*gpu_card(history, index, gpu, self._at_work, width, height), Content("")]
        lines += of_worker
        if not now.gpus.gpus:
            reason = f" ({now.gpus.problem})" if now.gpus.problem else ""
            lines += [Content.assemble((NO_GPU, "bold"), (reason, MUTED)), Content("")]
        return lines + cpu_card(history, now, self._at_work, width, height)

    def _graph_height(self, now: Moment, others: int) -> int:
        """What is left of the screen, shared by the graphs; `others` are lines outside the cards."""
        gpus = now.gpus.gpus
        others += sum(process_lines(gpu) + len(gpu.instances) for gpu in gpus) + MOST_CPU_LINES
        room = self.screen.size.height - FRAME - others - LINES_BESIDE * (len(gpus) + 1)
        return max(room // (len(gpus) + 1), LEAST_GRAPH)


class MachineView(VerticalScroll):
    """Scrolls where a machine has more than fits."""

    HELP = "GPUs and CPU of the machine this terminal runs on,\nover the last minutes; read once a second."
    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "machine-view",
        Binding("j", "scroll_down", "down", show=False, tooltip="where there is more below"),
        Binding("k", "scroll_up", "up", show=False, tooltip="where there is more above"),
    )
    DEFAULT_CSS = """
    MachineView { padding: 1 2 0 2; scrollbar-size-vertical: 1; }
    """


class GpuScreen(SnapshotScreen):
    """Utilisation, memory, temperature, power, clocks and processes of each GPU; the CPU with its processes below."""

    AUTO_FOCUS = "MachineView"

    def compose_body(self) -> ComposeResult:
        """A card for each GPU, or for the processor."""
        with MachineView():
            yield MachineCards()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The store says which process is its worker."""
        self.query_one(MachineCards).show_worker(snapshot.at_work)
