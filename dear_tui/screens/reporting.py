"""Writing a report from a screen: in a process of its own, with a notice before and after."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from engine.errors import DearError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dear_tui.screens.base import SnapshotScreen


READ_SECONDS = 20
"""that the notice stays which says where the report is"""


def write_report(screen: SnapshotScreen, what: Sequence[str], stem: str) -> None:
    """Have it written, and say where it is, or why there is none.

    Args:
        screen: whose store it is of.
        what: numbers of campaigns, or the name of a study.
        stem: of the folder's name.
    """
    desk, app = screen.dear.desk, screen.app
    screen.notify(f"writing {stem} ...", markup=False)

    def write() -> None:
        with suppress(RuntimeError):  # the program has ended meanwhile
            try:
                folder = desk.report(what, stem)
            except DearError as error:
                app.call_from_thread(screen.notify, str(error), severity="error", markup=False)
            else:
                sentence = f"written: {folder}/report.html, and beside it tables, figures and report.json"
                app.call_from_thread(screen.notify, sentence, markup=False, timeout=READ_SECONDS)

    Thread(target=write, name="report", daemon=True).start()  # which does not keep the program from ending
