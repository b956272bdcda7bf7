"""`dear-tui run`: campaigns in the foreground."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from dear_tui.access.commands import naming
from dear_tui.cli.options import AgainOption, StoreOption
from dear_tui.cli.printing.plain_lines import LOADING, PlainLines
from dear_tui.cli.printing.say import shown_steps, talking_console, tell, tell_line
from dear_tui.terminal.signals import STOPS, handled
from dear_tui.text.steps import StepText
from engine.printable import printable
from engine.severity import NOT_RUN_NAMES
from engine.units import duration, rate, short_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.config.campaign_config import CampaignConfig
    from engine.running.networks import Networks
    from engine.running.progress import Progress as CampaignProgress
    from engine.steps import Step
    from engine.store import CampaignStatus


def run(
    configs: Annotated[
        list[Path], typer.Argument(metavar="CONFIG", help="Configs of campaigns (TOML), run one after the other.")
    ],
    again: AgainOption = False,
    store: StoreOption = None,
) -> None:
    """Run campaigns in the foreground, or continue them.

    The same config again goes on where it stopped, or shows the summary of what is finished. Where something that
    results depend on has changed since (weights, images, torch, threads, [run] ...), an unfinished campaign is not
    continued: put it back, or start anew with --again. A config is the same by its name and all tables but [run].

    ctrl+c or SIGTERM stops after the faults being computed, with nothing lost; a second one stops at once.
    """
    from engine.config.campaign_config import load_configs

    loaded = load_configs(configs)  # which may refuse before torch is imported
    with shown_steps():
        from engine.running.networks import Networks

    stop, networks = StopOnInterrupt(), Networks()
    for number, (path, config) in enumerate(zip(configs, loaded, strict=True), start=1):
        with naming(str(path)):
            run_config(config, store, stop, again, goes_on=number < len(configs), networks=networks)


def run_config(
    config: CampaignConfig,
    store: Path | None,
    stop: StopOnInterrupt,
    again: bool = False,
    goes_on: bool = False,
    networks: Networks | None = None,
) -> None:
    """Run one config to its end and print its summary.

    Args:
        config: what to run.
        store: where; absent: the usual one.
        stop: asked for by ctrl+c.
        again: see `execute`.
        goes_on: see `execute`.
        networks: of earlier configs, see `prepare`.

    Raises:
        typer.Exit: stopped by ctrl+c.
    """
    from dear_tui.cli.results.summary import print_summary
    from engine.injection.network.coverage import coverage
    from engine.running.execution import execute
    from engine.running.preparation import prepare
    from engine.store import Store, store_path

    path = store_path(store)
    try:
        with ProgressLine(stop) as line, handled(STOPS, stop.hear):
            prepared = prepare(config, on_step=line.on_step, networks=networks)
            line.injected = coverage(prepared.plain).sentence
            status = execute(prepared, path, line, lambda: stop.requested, again, goes_on)
    except KeyboardInterrupt:
        tell("stopped at once; run it again to continue")
        raise typer.Exit(130) from None
    if status.state != "finished":
        how = "stopped" if stop.requested else status.state  # by a command from elsewhere
        tell(f"{how} at {status.pairs_done:,} of {status.pairs:,} pairs; run it again to continue")
        raise typer.Exit(130)
    with Store.open(path, read_only=True) as opened:
        print_summary(opened, status.id)
    if stop.requested:
        raise typer.Exit(130)


RUNNING = "running"
"""what is being done once the first fault is injected"""


class StopOnInterrupt:
    """The first ctrl+c or SIGTERM asks for a stop, the second one stops at once."""

    requested = False

    def hear(self, *_: object) -> None:
        """Handle a signal."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        with suppress(RuntimeError):  # Python refuses to print where the signal came while it printed there
            tell("\nstopping after the faults being computed; ctrl+c again to stop at once")


class ProgressLine:
    """One line on stderr: bar, rate, ETA and the counts so far; plain lines where stderr is no terminal."""

    def __init__(self, stop: StopOnInterrupt) -> None:
        self._stop = stop
        self._console = talking_console()
        self._bar = Progress(
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[numbers]}", markup=False),
            console=self._console,
            disable=not self._console.is_terminal,
            refresh_per_second=4,
            transient=True,
        )
        self._lines = PlainLines(tell_line)
        self._task = self._bar.add_task("", total=None, numbers="loading ...")
        self._step_text = StepText()
        self._next_percent = 0
        self.injected = ""
        """which parameters faults are put into, in a sentence, said when the campaign starts"""

    def __enter__(self) -> ProgressLine:
        self._bar.start()
        if not self._console.is_terminal:
            self._lines.__enter__()
            self._lines.on_step(LOADING)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
        self._lines.__exit__()

    def on_step(self, step: Step) -> None:
        """Draw how much of it is done.

        Raises:
            KeyboardInterrupt: a stop was asked for, and no fault is computed yet that could be lost.
        """
        if self._stop.requested:
            raise KeyboardInterrupt
        self._bar.update(self._task, total=step.total or None, completed=step.done, numbers=self._step_text.of(step))
        self._lines.on_step(step)

    def on_campaign(self, status: CampaignStatus) -> None:
        """Say what runs, or that there is nothing left to run."""
        if status.state == "finished":
            self._bar.update(self._task, visible=False)
            self._say(f"campaign {status.id} was already finished; nothing to run")
            return
        continued = f", {status.pairs_done:,} done before" if status.pairs_done else ""
        self._say(
            f"campaign {status.id}: {status.faults:,} faults x {status.images:,} images = {status.pairs:,} pairs"
            + continued
        )
        if self.injected:
            self._say(self.injected)
        self._bar.update(self._task, total=status.pairs, completed=status.pairs_done, numbers="")

    def on_note(self, note: str) -> None:
        """Print it above the bar."""
        self._say(f"note: {note}")

    def on_progress(self, progress: CampaignProgress) -> None:
        """Draw the bar, or a line every ten percent and every half minute."""
        numbers = " ".join(progress_numbers(progress))
        self._bar.update(self._task, completed=progress.pairs_done, numbers=numbers)
        percent = 100 * progress.pairs_done // max(1, progress.pairs)
        if percent == 100 and _written(progress) < progress.pairs:
            return  # the last part is being written: its counts follow
        line, is_next = f"{percent:3d} % {numbers}", bool(numbers) and percent >= self._next_percent
        if not self._console.is_terminal and is_next:
            self._say(line)
            self._next_percent = percent - percent % 10 + 10
        self._lines.note(RUNNING, line, is_next)

    def _say(self, text: str) -> None:
        self._console.print(printable(text), soft_wrap=True, markup=False)


def progress_numbers(progress: CampaignProgress) -> Iterator[str]:
    """What stands behind the bar: rate and time left, and the pairs written so far by what was found."""
    if progress.pairs_done == progress.pairs:
        yield "sealing"
    elif progress.rate is not None and progress.eta_s is not None:
        yield f"{rate(progress.rate)} ETA {duration(progress.eta_s)}"
    if _written(progress):
        yield f"masked {short_count(progress.masked)} non-critical {short_count(progress.non_critical)}"
        yield f"critical {short_count(progress.critical)}"
        for name in NOT_RUN_NAMES:
            if count := getattr(progress, name):
                yield f"{name} {short_count(count)}"
        if progress.audited:
            yield f"audited {short_count(progress.audited)} missed {short_count(progress.missed)}"


def _written(progress: CampaignProgress) -> int:
    return int(progress.count())
