"""Runs in a copy of the packages that has the new design, and prints what each part of the program makes of it.

Arguments: a folder that may be written to.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch

import engine
from dear_tui.widgets.faults.fault_map_picture import HeatGrid
from engine.analysis.campaign_results import campaign_results
from engine.analysis.estimate import Confidence
from engine.config.campaign_config import load_config
from engine.config.fields import config_fields
from engine.running.execution import execute
from engine.running.preparation import prepare
from engine.store import Store
from engine.store.sql.sql import SqlSession
from tests.small_campaign import write_config
from tests.test_sample_configs import Silent


def main(folder: Path) -> None:
    """Print it as JSON."""
    torch.set_num_threads(1)
    faults = {"sampling": "halves", "count": 60, "bits": [28, 29, 30]}
    prepared = prepare(load_config(write_config(folder, faults=faults)))
    campaign = execute(prepared, folder / "store", Silent(), lambda: False).id
    store = Store.open(folder / "store", read_only=True)
    summary = store.summary(campaign)
    tables = campaign_results(summary, store.description(campaign))
    grid = HeatGrid.of(store.rates(campaign))
    every = grid.rows - 1, grid.bits
    with SqlSession(folder / "store") as session:
        strata = list(
            session.query("SELECT stratum, count(*), min(weight), max(weight) FROM faults GROUP BY 1 ORDER BY 1")
        )
    strata_kept = store.description(campaign)["strata"]
    by_stratum = [
        float(summary.critical[prepared.faults.stratum == number].mean()) / len(summary.workload) for number in (0, 1)
    ]
    print(
        json.dumps(
            {
                "package": str(Path(engine.__file__).parents[1]),
                "choices": next(field.choices for field in config_fields() if field.key == "sampling"),
                "strata": strata,
                "population": [each["population"] for each in strata_kept],
                "by_stratum": by_stratum,
                "map": grid.rate(*every),
                "share": grid.counts(*every).share_critical(Confidence(0.99)).value,
                "critical_faults": [
                    float((summary.critical[prepared.faults.stratum == number] > 0).mean()) for number in (0, 1)
                ],
                "table_one": tables.table_one.critical,
                "details": store.table_one(campaign).critical,
                "pooled": 100 * float(np.mean(summary.critical)) / len(summary.workload),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
