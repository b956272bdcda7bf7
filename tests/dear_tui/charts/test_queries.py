"""The query behind each view gives the numbers that the view shows."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dear_tui.access.live_details import LiveReader, Wanted
from dear_tui.charts.overlay_plot import Marked
from dear_tui.charts.plot import in_window
from dear_tui.charts.plots import ChartData, make_plot
from dear_tui.charts.view import ChartKind, ChartView
from engine.store import Store
from engine.store.sql.sql import SqlSession
from tests.engine.store.stored_campaigns import Truth, new_campaign, write


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, ChartData]]:
    """A store with a campaign over a whole data set, and what the live screen reads of it."""
    path = tmp_path_factory.mktemp("store")
    truth = Truth.of(new_campaign(faults=30, images=40, workload=40))
    store = Store.open(path)
    with store.lock():
        campaign = store.create(truth.new)
        write(store.writer(campaign), truth, [(0, 16, 0, 30), (16, 40, 0, 30)])
    details = LiveReader(lambda: store, path / "worker.log").read(Wanted(store.campaign(campaign), orders=True))
    assert details.problem == ""
    curve = store.curve(campaign)
    yield path, ChartData(campaign, curve, details.counts, details.orders, (Marked(campaign, "small", curve),))
    store.close()


@pytest.mark.parametrize(
    ("view", "columns"),
    [
        (ChartView(), ["rank", "image_id", "el2n", "masked", "non_critical", "critical"]),
        (ChartView(window=(0.25, 0.5)), ["rank", "image_id", "el2n", "masked", "non_critical", "critical"]),
        (ChartView(ChartKind.SCATTER), ["image_id", "rank", "el2n", "masked", "non_critical", "critical"]),
        (
            ChartView(ChartKind.SCATTER, window=(0.3, 0.8)),
            ["image_id", "rank", "el2n", "masked", "non_critical", "critical"],
        ),
        (ChartView(ChartKind.COMPARISON), ["images", "ranked"]),
        (ChartView(ChartKind.OVERLAY), ["campaign", "rank", "critical"]),
    ],
)
def test_the_query_gives_what_is_shown(finished: tuple[Path, ChartData], view: ChartView, columns: list[str]) -> None:
    path, data = finished
    plot = make_plot(data, view)
    assert not isinstance(plot, str), plot
    shown = in_window(plot.x, plot.numbers.x)
    expected = np.array([plot.numbers.columns[name][shown] for name in columns], dtype=np.float64).T
    with SqlSession(path) as session:
        rows = np.array(list(session.query(plot.sql)), dtype=np.float64)
    assert 0 < len(rows) == len(expected)
    np.testing.assert_allclose(rows[np.lexsort(rows.T)], expected[np.lexsort(expected.T)], rtol=1e-12)
