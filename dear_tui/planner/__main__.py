"""The process: `python -m dear_tui.planner`; one order on its standard input, reports on its standard output."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from dear_tui import orders
from dear_tui.planner.reports import Order, Report
from engine.errors import DearError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.config import CampaignConfig


def main() -> int:
    """Carry one order out."""
    os.umask(0o077)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # what the user's own network prints is no report
        for report in _reports(Order.from_line(sys.stdin.readline())):
            print(report.to_line(), file=answers, flush=True)
    return 0


def _reports(order: Order) -> Iterator[Report]:
    from engine.config import parse_config

    try:
        config = parse_config(order.tables, source="config", folder=Path(order.folder))
        yield from _submit(config, order) if order.store else _estimate(config)
    except DearError as error:
        yield Report("error", str(error))
    except Exception as error:  # a network of the user's own may raise anything
        yield Report("error", f"{type(error).__name__}: {error}")


def _estimate(config: CampaignConfig) -> Iterator[Report]:
    yield Report("step", "loading network and images")
    from engine.estimate import estimate, load_material
    from engine.preparation import prepare

    material = load_material(config)
    layers = [[layer.name, list(layer.shape)] for layer in material.layers]
    yield Report("material", {"layers": layers, "images": material.images})
    yield Report("step", "ranking the images")
    prepared = prepare(config)
    yield Report("images", len(prepared.workload))
    yield Report("step", "measuring")
    yield Report("estimate", asdict(estimate(prepared)))


def _submit(config: CampaignConfig, order: Order) -> Iterator[Report]:
    yield Report("step", "loading network, images and faults")
    [submission], said = orders.submit(Path(order.store), [("", config)], order.again)
    said.append(orders.submitted(submission))
    if orders.waits(submission):
        yield Report("step", "starting the worker")
        try:
            said.append(orders.run_queue(Path(order.store)))
        except DearError as error:  # it is queued all the same
            said.append(str(error))
    yield Report("submitted", {"campaign": submission.campaign, "said": said})


if __name__ == "__main__":
    sys.exit(main())
