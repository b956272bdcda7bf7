"""The process: `python -m dear_tui.planner`; one order on its standard input, reports on its standard output."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from dear_tui.access import commands
from dear_tui.planner.reports import Order, Report
from dear_tui.query.memory import lift_memory_limit
from dear_tui.text.steps import StepText
from engine.errors import DearError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.config.campaign_config import CampaignConfig
    from engine.steps import OnStep, Step

    Say = Callable[[Report], None]


def main() -> int:
    """Carry one order out."""
    os.umask(0o077)
    lift_memory_limit()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # what the user's own network prints is no report

        def say(report: Report) -> None:
            print(report.to_line(), file=answers, flush=True)

        _carry_out(Order.from_line(sys.stdin.readline()), say)
    return 0


def _carry_out(order: Order, say: Say) -> None:
    from engine.config.campaign_config import parse_config

    text = StepText()

    def on_step(step: Step) -> None:
        say(Report("step", text.of(step)))

    try:
        config = parse_config(order.tables, source="config", folder=Path(order.folder))
        if order.store:
            _submit(config, order, say)
        else:
            _estimate(config, say, on_step)
    except DearError as error:
        say(Report("error", str(error)))
    except Exception as error:  # a network of the user's own may raise anything
        say(Report("error", f"{type(error).__name__}: {error}"))


def _estimate(config: CampaignConfig, say: Say, on_step: OnStep) -> None:
    say(Report("step", "loading ..."))
    from engine.running.estimate import estimate, load_material
    from engine.running.preparation import prepare

    material = load_material(config)
    layers = [[layer.name, list(layer.shape)] for layer in material.layers]
    say(Report("material", {"layers": layers, "images": material.images, "injected": material.injected}))
    prepared = prepare(config, on_step=on_step)
    say(Report("images", len(prepared.workload)))
    say(Report("estimate", asdict(estimate(prepared, on_step))))


def _submit(config: CampaignConfig, order: Order, say: Say) -> None:
    [submission], said = commands.hand_over(Path(order.store), [config], order.again)
    if submission.known_as is not None:  # of a new one the list shows all
        said.append(commands.submitted(submission))
    if commands.waits(submission):
        say(Report("step", "starting the worker ..."))
        try:
            commands.run_queue(Path(order.store))
        except DearError as error:  # it is queued all the same
            said.append(str(error))
    say(Report("submitted", {"campaign": submission.campaign, "said": said}))


if __name__ == "__main__":
    sys.exit(main())
