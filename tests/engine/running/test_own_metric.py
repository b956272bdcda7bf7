"""A metric of the user's own: what it is given, what it may be, and what is said of one that cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.config.campaign_config import check_config, load_config
from engine.errors import InputError
from engine.running.execution import execute
from engine.running.preparation import PreparedCampaign, prepare
from engine.store.sql.sql import SqlSession
from tests.small_campaign import write_config
from tests.test_sample_configs import Silent

if TYPE_CHECKING:
    from pathlib import Path

OF_LOGITS = """
def mine(given):
    import beside
    return beside.TIMES * given.logits.max(axis=1)
"""
OF_FEATURES = """
from engine.metrics.metric import Metric
mine = Metric("whatever", "the first feature", lambda given: given.features[:, 0], needs="features", layer="fc2")
"""


def ranked(folder: Path, code: str, **workload: Any) -> PreparedCampaign:
    (folder / "beside.py").write_text("TIMES = -2\n")
    (folder / "my_metric.py").write_text(code)
    asked = {"metric": "my_metric:mine", "select": "top_n", "n": 5} | workload
    return prepare(load_config(write_config(folder, workload=asked, faults={"count": 5})))


def test_a_function_ranks_the_images_and_its_values_are_in_sql(tmp_path: Path) -> None:
    prepared = ranked(tmp_path, OF_LOGITS)
    values = prepared.metrics["own"]
    assert prepared.workload.tolist() == np.argsort(-values, kind="stable")[:5].tolist()
    assert (values < 0).all()
    execute(prepared, tmp_path / "store", Silent(), lambda: False)
    with SqlSession(tmp_path / "store") as session:
        stored = list(session.query("select own from images order by image_id"))
    assert np.array(stored)[:, 0] == pytest.approx(values)


def test_a_metric_says_what_it_needs_and_the_config_may_name_another_layer(tmp_path: Path) -> None:
    of_fc2 = ranked(tmp_path, OF_FEATURES).metrics["own"]
    assert not np.array_equal(of_fc2, ranked(tmp_path, OF_FEATURES, layer="fc3").metrics["own"])


def test_its_folder_may_be_another_one(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "far.py").write_text("def mine(given): return given.labels")
    prepared = ranked(tmp_path, "", metric="far:mine", path="metrics")
    assert prepared.metrics["own"].tolist() == prepared.dataset.labels.tolist()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def mine(given): return given.logits[:, 0] * float('nan')", "own has no finite value for image 0"),
        ("def mine(given): return given.labels[1:]", "own gives an array of shape "),
        ("def mine(given): return None", "own gives an array of shape []"),
        ("def mine(given): return ['a'] * len(given.labels)", "calling my_metric:mine() failed with ValueError"),
        (
            "def mine(given): given.logits[:] = 0; return given.labels",
            "failed with ValueError: assignment destination is",
        ),
        (
            "def mine(given): given.labels[:] = 0; return given.labels",
            "failed with ValueError: assignment destination is",
        ),
        ("def mine(given): return given.labels * 1j", "failed with TypeError: complex numbers and records"),
        (
            "import numpy as np\ndef mine(given): return np.array([np.complex64(1j)] * len(given.labels), object)",
            "failed with TypeError: complex numbers and records",
        ),
        (
            "import numpy as np\ndef mine(given): return np.zeros(len(given.labels), dtype=[('a', 'f8')])",
            "failed with TypeError: complex numbers and records",
        ),
        ("def mine(given): raise KeyError('x')", "calling my_metric:mine() failed with KeyError: 'x'; fix that"),
        (
            "def mine(given): return given.features",
            "failed with ValueError: there are no features; the metric must say",
        ),
        ("def mine(): return 1", "calling my_metric:mine() failed with TypeError"),
        ("mine = 3", "my_metric:mine is of type int, but should be a function of a MetricInput, or a Metric"),
        ("", "my_metric has no mine; fix [workload] metric, or add it to that module"),
        ("def mine(", "importing my_metric failed with SyntaxError"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(tmp_path: Path, code: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        ranked(tmp_path, code)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no module elsewhere in .* fix \[workload\] metric or path"):
        ranked(tmp_path, OF_LOGITS, metric="elsewhere:mine")


@pytest.mark.parametrize(
    ("workload", "key", "reason"),
    [
        ({"metric": "el3n"}, "metric", 'there is no metric "el3n"; use one of el2n, deepgini'),
        ({"metric": "el2n", "path": "/"}, "path", "does not apply to el2n"),
        ({"metric": "a:b", "select": "central"}, "center", 'missing; select = "central" needs it'),
    ],
)
def test_wrong_keys_are_named(workload: dict[str, str], key: str, reason: str) -> None:
    tables = {"name": "x", "model": {"arch": "lenet5"}, "dataset": {"name": "mnist"}, "workload": workload}
    problems = check_config(tables)
    assert isinstance(problems, list)
    assert any(each.key == key and reason in each.reason for each in problems), problems
