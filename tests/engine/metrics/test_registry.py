"""The metrics there are, and what is refused of a new one."""

import numpy as np
import pytest

from engine.errors import InputError
from engine.metrics.metric import Metric, MetricInput
from engine.metrics.registry import METRIC_COLUMNS, METRICS, OWN, compute_metrics, metrics_for, written
from engine.store.schema import COLUMNS

GIVEN = MetricInput(np.zeros((3, 2), np.float32), np.zeros(3, np.int64))


def metric(compute, **changes) -> Metric:
    return Metric("new", "what is new", compute, **changes)


def test_each_metric_has_a_column_of_its_own_and_says_who_proposed_it() -> None:
    assert list(METRICS) == [each.name for each in METRICS.values()]
    assert {name: COLUMNS["images"][name] for name in METRIC_COLUMNS} == dict.fromkeys(METRIC_COLUMNS, "DOUBLE")
    assert len(COLUMNS["images"]) == 5 + len(METRICS) + 1
    assert all(each.title and each.source for each in METRICS.values())


def test_people_read_a_metric_as_they_write_it() -> None:
    names = ("el2n", "deepgini", "cross_entropy", "kennard_stone", "margin", OWN, "of_another_version")
    assert [written(name) for name in names] == [
        *("EL2N", "DeepGini", "cross-entropy", "Kennard-Stone", "margin", "own metric", "of another version")
    ]
    assert len({written(name) for name in METRICS}) == len(METRICS)


def test_metrics_of_logits_are_computed_for_every_campaign(monkeypatch: pytest.MonkeyPatch) -> None:
    always = [each for each in METRICS.values() if each.needs == "logits"]
    other = metric(lambda given: given.features[:, 0], needs="features")
    monkeypatch.setitem(METRICS, "new", other)
    assert list(metrics_for(METRICS["el2n"])) == always
    assert list(metrics_for(other)) == [*always, other]


@pytest.mark.parametrize("name", ["", "El2n", "2n", "a b", "a;--"])
def test_a_name_that_could_not_be_a_column_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a metric; use lower-case letters"):
        Metric(name, "what is new", lambda given: given.logits[:, 0].astype(np.float64))


@pytest.mark.parametrize("need", ["features", "pixels"])
def test_a_metric_that_does_not_say_what_it_needs_is_told_to(need: str) -> None:
    read = (lambda given: given.features[:, 0]) if need == "features" else (lambda given: next(given.pixels()))
    with pytest.raises(ValueError, match=f'the metric must say needs="{need}"'):
        compute_metrics(GIVEN, [metric(read)])


def test_a_value_that_is_not_finite_is_refused_naming_the_image() -> None:
    with pytest.raises(InputError, match=r"\[workload\] metric: new has no finite value for image 1; choose another"):
        compute_metrics(GIVEN, [metric(lambda _: np.array([0, np.nan, 1]))])


def test_a_metric_gives_one_value_for_each_image() -> None:
    with pytest.raises(InputError, match=r"new gives an array of shape \[2\], but should give a value for each of 3 "):
        compute_metrics(GIVEN, [metric(lambda _: np.zeros(2))])
