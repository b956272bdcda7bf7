"""The metric that a campaign is ranked by, also one of the user's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import InputError
from engine.metrics.metric import Metric
from engine.metrics.registry import METRICS, OWN
from engine.models.own_code import called, own_code

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from engine.config.campaign_config import WorkloadConfig
    from engine.metrics.metric import MetricInput, Values


def ranking_metric(config: WorkloadConfig) -> Metric:
    """The metric that a config names, reading the layer that it names.

    Raises:
        InputError: the user's own code cannot be imported, or is no metric.
    """
    metric = own_metric(config.metric, config.path) if config.is_own else METRICS[config.metric]
    return metric if config.layer is None else replace(metric, layer=config.layer)


def own_metric(named: str, folder: Path | None) -> Metric:
    """The metric `package.module:name`: a function of a `MetricInput`, or a `Metric` that says what it needs.

    Args:
        named: "package.module:name".
        folder: where the module is looked for before the environment.

    Raises:
        InputError: there is none, or it is something else; `compute` raises it where the code fails.
    """
    with own_code(named, folder, "[workload] metric") as (found, _):
        pass
    if not isinstance(found, Metric):
        if not callable(found):
            raise InputError(
                f"{named} is of type {type(found).__name__}, but should be a function of a MetricInput, or a Metric"
            )
        found = Metric(OWN, f"what {named} says", found)
    function = found.compute

    def compute(given: MetricInput) -> Values:
        with own_code(named, folder, "[workload] metric"):  # for what it imports only now
            values: Values = called(named, lambda: _real(function(_kept(given))))
            return values

    return replace(found, name=OWN, compute=compute)


def _real(values: Any) -> Values:
    """What a metric gives as numbers that can be ranked."""
    found = np.asarray(values)
    if found.dtype.names or any(
        np.iscomplexobj(value) for value in (found.ravel() if found.dtype.hasobject else [found])
    ):
        raise TypeError("complex numbers and records cannot be ranked")
    return found.astype(np.float64)


def _kept(given: MetricInput) -> MetricInput:
    """What a metric is given, to read alone: the campaign is computed and judged by these very arrays."""
    taken = None if given.taken is None else _read_only(given.taken)
    return replace(given, logits=_read_only(given.logits), labels=_read_only(given.labels), taken=taken)


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    view = values.view()
    view.flags.writeable = False
    return view
