"""`dear-tui worker start|stop|status`: the process that runs the queue."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dear_tui.access.commands import stop_worker
from dear_tui.cli.options import JsonOption, StoreOption
from dear_tui.cli.printing.say import say, say_wrapped, tell
from engine.errors import InputError
from engine.units import duration, rate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.store import WorkerStatus

worker = typer.Typer(help="Start and stop the process that runs the queue.")


@worker.command()
def start(
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Run here, not in a process of its own: for systemd and Slurm.")
    ] = False,
    until_empty: Annotated[
        bool, typer.Option("--until-empty", help="End when the queue has been empty for ten seconds.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start the worker, which runs the queue in order.

    One per store. It waits until no `run` is at work, and for more when the queue is empty. It stays until it is
    stopped, also when the terminal is closed; the one that `submit` starts ends when the queue has been empty for ten
    seconds, as with --until-empty.
    What it has to say is in worker.log, in the store; with --foreground on standard error. JSON is that of its status.
    """
    from dear_tui.worker.loop import Worker
    from dear_tui.worker.process import log_path, start_worker
    from engine.store import Store, store_path

    path = store_path(store)
    if foreground and as_json:
        raise InputError("--json: tells of a worker of its own; leave it out, or --foreground")
    if foreground:
        raise typer.Exit(Worker(path, until_empty).run(lambda: None))
    pid = start_worker(path, until_empty)
    with Store.open(path, read_only=True) as opened:
        started = opened.worker()
    if as_json:
        _say_json(started)
    waits = f"; it waits for {started.turn_before}" if started.waits_for else ""
    tell(f"the worker is process {pid}{waits}; its log is {log_path(path)}")


@worker.command()
def stop(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Stop the worker; a second stop ends it at once.

    The first one lets it finish the part being computed, half a minute at most. Nothing that was committed is lost,
    and the campaign it was at is the first that the next worker runs. JSON is that of its status, before it ends.
    """
    from engine.store import Store, store_path

    path = store_path(store)
    with Store.open(path, read_only=True) as opened:
        stopped = opened.worker()
    tell(stop_worker(path))
    if as_json:
        _say_json(stopped)


@worker.command()
def status(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Show whether the worker runs, and what it does."""
    from engine.store import Store, store_path

    with Store.open(store_path(store), read_only=True) as opened:
        found = opened.worker()
        if as_json:
            _say_json(found)
            return
        waiting = len(opened.queue.waiting()) if opened.campaigns() else 0
        for name, value in _lines(found, waiting):
            say_wrapped(f"{name:9} {value}", hanging=10)
        if not found.running:
            holder = opened.holder()
            if holder:
                tell(f"{holder}")
            elif waiting:
                tell(f"{waiting} queued; dear-tui worker start runs the queue")


def _say_json(found: WorkerStatus) -> None:
    values = asdict(found)
    del values["silence_s"]
    say(json.dumps(values, indent=2))


def _lines(found: WorkerStatus, waiting: int) -> Iterator[tuple[str, str]]:
    yield "worker", f"process {found.pid}" if found.running else "does not run"
    if found.waits_for:
        yield "waits for", found.turn_before
    elif found.campaign is not None:
        yield "campaign", str(found.campaign)
    elif found.running:
        yield "campaign", f"none yet: {waiting} queued" if waiting else "none: the queue is empty"
    if found.step:
        yield "step", found.step
    if found.device:
        yield "device", found.device
    if found.block:
        yield "block", f"images {found.block[0] + 1:,} to {found.block[1]:,} in rank order"
    if found.rate:
        yield "rate", rate(found.rate)
    if found.heartbeat:
        silence = f", {duration(found.silence_s or 0)} ago: it does not answer" if found.is_late else ""
        yield "heartbeat", found.heartbeat + silence
