"""The faults of a campaign as those are counted that would have to be protected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.estimate import Confidence
from engine.analysis.protection import CriticalSample
from engine.store.read.fault_results import stored_format

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engine.store.records import CampaignSummary


def critical_sample(
    summary: CampaignSummary, description: Mapping[str, Any], layer: NDArray[np.int64], bit: NDArray[np.int64]
) -> CriticalSample:
    """The faults of a campaign as a sample; those of a list as if they were drawn from any number of faults.

    Args:
        summary: of the campaign.
        description: the content of its campaign.json.
        layer: [F] index of each fault's layer.
        bit: [F] of each fault.
    """
    layers, endless = description["layers"], np.array([np.iinfo(np.int64).max])
    is_list = summary.population is None
    return CriticalSample(
        critical=summary.critical,
        images=summary.status.images,
        layer=layer,
        bit=bit,
        stratum=np.zeros_like(summary.stratum) if is_list else summary.stratum,
        population=endless if summary.population is None else summary.population,
        weight=summary.weight,
        names=tuple(each["name"] for each in layers),
        weights=np.array([np.prod(each["shape"], dtype=np.int64) for each in layers]),
        bits=stored_format(description).bits,
        confidence=Confidence.of(description["config"]),
    )
