"""`dear-tui submit`: campaigns for the queue."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from dear_tui.cli.options import AgainOption, NoStartOption, StoreOption
from dear_tui.cli.run import naming

if TYPE_CHECKING:
    from engine.store.queue import Submission


def submit(
    configs: Annotated[list[Path], typer.Argument(metavar="CONFIG", help="TOML files, queued in this order.")],
    again: AgainOption = False,
    no_start: NoStartOption = False,
    store: StoreOption = None,
) -> None:
    """Queue campaigns for the worker and print their ids.

    All configs are tried out first, and nothing is queued unless all can run. A campaign that stopped before goes on,
    unless something that its results depend on has changed since: put it back, or start anew with --again.

    Starts the worker where none runs: a process of its own, which ends some seconds after the queue is empty.
    """
    from engine.config import load_configs
    from engine.execution import prepare_new
    from engine.same_config import compare_with_last
    from engine.store import Store, store_path

    news = []
    checked = load_configs(configs)
    with Console(stderr=True).status("loading network, images and faults ..."):
        for path, config in zip(configs, checked, strict=True):
            with naming(path):
                news.append(prepare_new(config))
    opened = Store.open(store_path(store))
    for path, new in zip(configs, news, strict=True):
        with naming(path):
            if not again and (note := compare_with_last(opened, new.config, new.identity)):
                print(f"note: {note}", file=sys.stderr)
    submissions = []
    for path, new in zip(configs, news, strict=True):
        with naming(path):  # compared again: another process may have been quicker
            check = partial(compare_with_last, opened, new.config, new.identity)
            submissions.append(opened.queue.submit(new, again, check))
    for note in opened.take_notes():
        print(f"note: {note}", file=sys.stderr)
    for submission in submissions:
        print(submission.campaign)
        print(_said(submission), file=sys.stderr)
    if any(submission.known_as not in ("finished", "running") for submission in submissions):
        run_queue(store_path(store), no_start)


def run_queue(path: Path, no_start: bool) -> None:
    """Say what runs the queue of a store, after starting a worker where there is none."""
    from dear_tui.worker.process import ensure_worker
    from engine.store import Store

    holder = Store.open(path, read_only=True).holder() if no_start else ensure_worker(path)
    if holder is None:
        said = "no worker runs; dear-tui worker start runs the queue"
    elif holder.role == "worker":
        said = f"the worker, process {holder.pid}, runs the queue; dear-tui shows it"
    else:
        said = f"process {holder.pid} runs its campaign first; when it has ended, dear-tui worker start runs the queue"
    print(said, file=sys.stderr)


def _said(submission: Submission) -> str:
    campaign = f"campaign {submission.campaign}"
    match submission.known_as:
        case None:
            return f"{campaign} is queued"
        case "queued" | "running" as state:
            return f"{campaign} is {state} already"
        case "finished":
            return f"{campaign} was already finished; nothing to run"
        case state:
            return f"{campaign} was {state}; it is queued to go on"
