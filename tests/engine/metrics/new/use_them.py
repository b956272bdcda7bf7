"""Runs in a copy of the packages that has the two new metrics, and prints what each part of the program makes of them.

Arguments: a folder that may be written to.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

import engine
from dear_tui.charts.curve_plot import curve_plot
from dear_tui.charts.scatter_plot import scatter_plot
from dear_tui.charts.view import ChartView
from dear_tui.cli.results.summary import print_summary
from dear_tui.query.questions import questions
from engine.analysis.campaign_results import campaign_results
from engine.config.campaign_config import WorkloadConfig, load_config
from engine.config.fields import config_fields
from engine.models import load_model
from engine.running.execution import execute
from engine.running.preparation import PreparedCampaign, prepare
from engine.store import Store
from engine.store.sql.sql import SqlSession
from tests.small_campaign import write_config
from tests.test_sample_configs import Silent

METRICS = ("activity", "brightness")


def ranked_by(name: str, folder: Path) -> PreparedCampaign:
    workload = {"metric": name, "select": "top_n", "n": 10}
    faults = {"count": 20}
    return prepare(load_config(write_config(folder, f"{name}.toml", name=name, workload=workload, faults=faults)))


def expected(name: str, prepared: PreparedCampaign) -> np.ndarray:
    """The metric worked out without the program's own machinery."""
    if name == "brightness":
        return np.asarray(prepared.dataset.images[:]).reshape(len(prepared.dataset), -1).mean(axis=1)
    model = load_model(prepared.config.model, prepared.dataset).model
    last = model.fc3
    model.fc3 = torch.nn.Identity()
    with torch.no_grad():
        features = model(torch.from_numpy(prepared.dataset.batch(slice(None))))
    model.fc3 = last
    return features.double().norm(dim=1).numpy()


def printed(store: Store, campaign: int) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        print_summary(store, campaign)
    return out.getvalue()


def first_column(session: SqlSession, sql: str) -> list[Any]:
    return [row[0] for row in session.query(sql)]


def seen(name: str, folder: Path) -> dict[str, Any]:
    """What is known of a campaign that is ranked by a metric."""
    prepared, path = ranked_by(name, folder), folder / "store"
    campaign = execute(prepared, path, Silent(), lambda: False).id
    store, view = Store.open(path, read_only=True), ChartView()
    curve, counts = store.curve(campaign), store.image_counts(campaign)
    with SqlSession(path) as session:
        of_campaign = f"WHERE campaign = {campaign} ORDER BY"
        column = np.array(first_column(session, f"SELECT {name} FROM images {of_campaign} image_id"))
        ranked = first_column(session, f"SELECT metric FROM curve {of_campaign} rank")
        answers = {each.name: len(list(session.query(each.sql))) for each in questions(campaign, campaign)}
    results = campaign_results(store.summary(campaign), store.description(campaign))
    return {
        "computed": sorted(prepared.metrics),
        "is_right": bool(np.allclose(column, expected(name, prepared))),
        "is_ranked": ranked == sorted(column.tolist(), reverse=True)[:10],
        "images": sorted(store.images(campaign, "rank").metrics),
        "curve": curve_plot(campaign, curve, counts, view).series[0].name.split()[0],
        "scatter": scatter_plot(campaign, counts, view).x_name.split()[0],
        "questions": answers["metric against critical faults per image (p plots it)"],
        "table_four": [row.method for row in results.table_four or ()],
        "summary": "pre-plateau" in printed(store, campaign),
    }


def refused(**workload: Any) -> str:
    try:
        WorkloadConfig.model_validate(workload)
    except ValueError as error:
        return str(error)
    return ""


def main(folder: Path) -> None:
    """Print it as JSON."""
    torch.set_num_threads(1)
    choices = next(field.choices for field in config_fields() if field.key == "metric")
    found: dict[str, Any] = {
        "package": str(Path(engine.__file__).parents[1]),
        "choices": choices,
        "wrong": refused(metric="nothing"),
        "without center": refused(metric="activity", select="central"),
        "with center": refused(metric="activity", select="central", center=3.0),
    }
    print(json.dumps(found | {name: seen(name, folder) for name in METRICS}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
