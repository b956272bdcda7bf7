"""The pictures of docs/, made anew from the real program: `python -m tests.docs_pictures`, by hand.

Runs the demo, and a longer campaign while the machine is looked at; takes a minute, and wants the fonts of DejaVu.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import resvg_py

from dear_tui.app import DearApp
from dear_tui.machine.machine import Machine, MachineHistory
from tests.dear_tui.memory_store import open_screen, until_shown

DOCS = Path(__file__).parents[1] / "docs"
DEAR_TUI = (sys.executable, "-c", "import sys; from dear_tui.cli import main; sys.exit(main())")
LONGER = """\
name = "looked-at"
model.arch = "lenet5"
dataset.name = "mnist"
faults.count = 600_000
"""
SIZE = (120, 40)
PIXELS_WIDE = 1400
WATCHED_SECONDS = 20


class OwnMachine(Machine):
    """Without the processes of others, who had no part in the picture."""

    def read(self, with_processes: bool = False) -> MachineHistory:
        """As it is."""
        moments = super().read(with_processes).moments
        own = (tuple(process for process in moment.processes if process.is_own) for moment in moments)
        return MachineHistory(tuple(replace(moment, processes=each) for moment, each in zip(moments, own, strict=True)))


async def take_live(store: Path) -> None:
    """The curves of a finished campaign."""
    app = DearApp(store, 1)
    async with app.run_test(size=SIZE) as pilot:
        await open_screen(pilot, "2", "critical 1,714", "10k", "fc3")
        save(app, "live.png")


async def take_machine(store: Path) -> None:
    """The machine at work."""
    app = DearApp(store, machine=OwnMachine())
    async with app.run_test(size=SIZE) as pilot:
        await open_screen(pilot, "5", "CPU", "dear-tui worker, campaign 2")
        await asyncio.sleep(WATCHED_SECONDS)
        await until_shown(pilot, "dear-tui worker, campaign 2")
        save(app, "machine.png")


def save(app: DearApp, name: str) -> None:
    """What is on the screen, as pixels."""
    svg, font = app.export_screenshot(title=app.TITLE), "DejaVu Sans Mono"
    png = resvg_py.svg_to_bytes(svg_string=svg, width=PIXELS_WIDE, font_family=font, monospace_family=font)
    (DOCS / name).write_bytes(bytes(png))


def main() -> None:
    """Make a store, take the pictures, and leave nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # so that a picture shows a short path
        store, config = Path("dear-store"), Path("looked-at.toml")
        config.write_text(LONGER)
        subprocess.run([*DEAR_TUI, "demo", "--headless", "--store", store], check=True)
        asyncio.run(take_live(store))
        subprocess.run([*DEAR_TUI, "submit", config, "--store", store], check=True)
        try:
            asyncio.run(take_machine(store))
        finally:
            subprocess.run([*DEAR_TUI, "cancel", "2", "--store", store], check=True)
            while b"does not run" not in subprocess.check_output([*DEAR_TUI, "worker", "status", "--store", store]):
                time.sleep(1)


if __name__ == "__main__":
    main()
