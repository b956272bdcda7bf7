"""`dear-tui run`: campaigns in the foreground."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from dear_tui.cli.options import StoreOption
from dear_tui.human import duration, rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.campaign import Progress as CampaignProgress
    from engine.config import CampaignConfig
    from engine.store import CampaignStatus


def run(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG...", help="TOML files, run one after the other.")],
    store: StoreOption = None,
) -> None:
    """Run campaigns in the foreground; the same config again continues where it stopped.

    ctrl+c stops after the faults being computed, with nothing lost; a second ctrl+c stops at once.
    """
    from engine.config import load_configs

    run_configs(load_configs(configs), store)


def run_configs(configs: list[CampaignConfig], store: Path | None) -> None:
    """Run configs one after the other and print each summary."""
    from dear_tui.cli.summary import print_summary
    from engine.execution import execute
    from engine.store import Store
    from engine.store.layout import store_path

    opened = Store.open(store_path(store))
    stop = StopOnInterrupt()
    for config in configs:
        with ProgressLine(config.name) as line, stop:
            status = execute(config, opened, line, lambda: stop.requested)
        if status.state != "finished":
            print(
                f"stopped at {status.pairs_done:,} of {status.pairs:,} pairs; run it again to continue", file=sys.stderr
            )
            raise typer.Exit(130)
        print_summary(opened, status.id)


class StopOnInterrupt:
    """The first ctrl+c asks for a stop, the second one stops at once."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> None:
        self._previous = signal.signal(signal.SIGINT, self._on_interrupt)

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _on_interrupt(self, *_: object) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        print("\nstopping after the faults being computed; ctrl+c again to stop at once", file=sys.stderr)


class ProgressLine:
    """One line on stderr: bar, rate, ETA and the counts so far; plain lines, ten or so, where stderr is no terminal."""

    def __init__(self, name: str) -> None:
        self._console = Console(stderr=True)
        self._name = name
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[numbers]}"),
            console=self._console,
            disable=not self._console.is_terminal,
            refresh_per_second=4,
        )
        self._task = self._bar.add_task(name, total=None, numbers="loading network, images and faults")
        self._next_percent = 0

    def __enter__(self) -> ProgressLine:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def on_campaign(self, status: CampaignStatus) -> None:
        """Say what runs, or that there is nothing left to run."""
        if status.state == "finished":
            self._bar.update(self._task, visible=False)
            self._console.print(f"campaign {status.id} was already finished; nothing to run", highlight=False)
            return
        continued = f", {status.pairs_done:,} done before" if status.pairs_done else ""
        self._console.print(
            f"campaign {status.id}: {status.faults:,} faults x {status.images:,} images = {status.pairs:,} pairs"
            + continued,
            highlight=False,
        )
        self._bar.update(self._task, total=status.pairs, completed=status.pairs_done, numbers="finding batch sizes")

    def on_note(self, note: str) -> None:
        """Print it above the bar."""
        self._console.print(f"note: {note}", highlight=False)

    def on_progress(self, progress: CampaignProgress) -> None:
        """Draw the bar, or a line every ten percent."""
        numbers = " ".join(_numbers(progress))
        self._bar.update(self._task, completed=progress.pairs_done, numbers=numbers)
        percent = 100 * progress.pairs_done // max(1, progress.pairs)
        if not self._console.is_terminal and percent >= self._next_percent:
            self._console.print(f"{percent:3d} % {numbers}", highlight=False, soft_wrap=True)
            self._next_percent = percent - percent % 10 + 10


def _numbers(progress: CampaignProgress) -> Iterator[str]:
    if progress.eta_s is not None:
        yield f"{rate(progress.rate)} ETA {duration(progress.eta_s)}"
    if progress.masked + progress.non_critical + progress.critical:
        yield f"masked {progress.masked:,} non-critical {progress.non_critical:,} critical {progress.critical:,}"
