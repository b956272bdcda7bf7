"""What the result of a campaign depends on, item by item: campaigns that agree in all of it are the same campaign."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engine.config import CampaignConfig
    from engine.datasets import Dataset
    from engine.faults.fault_list import FaultList
    from engine.injection.numerics import Numerics
    from engine.models import LoadedModel

ENGINE = "1"
"""Raised with every change of this package that may change a severity."""

HASH_DIGITS = 8
"""shown of a hash"""


def identify(
    config: CampaignConfig,
    dataset: Dataset,
    loaded: LoadedModel,
    numerics: Numerics,
    faults: FaultList,
    workload: NDArray[np.int64],
) -> dict[str, str]:
    """Item -> its value or its hash, in a person's words."""
    items = {
        "network": config.model.arch,
        "width": config.model.width,
        "code": loaded.code,
        "weights": loaded.weights_sha256,
        "images": dataset.sha256,
        "faults": _sha256(faults.fault_id, faults.layer, faults.weight_index, faults.bit, faults.stuck),
        "metric": config.workload.metric,
        "selection": config.workload.select,
        "workload": _sha256(workload),
        "method": config.run.method,
        "torch": numerics.torch,
        "device": numerics.device.split(":")[0],
        "processor": numerics.device_name,
        "tf32": "on" if numerics.tf32 else "off",
        "threads": numerics.threads,
        "engine": ENGINE,
    }
    return {name: str(value) for name, value in items.items() if value is not None}


def fingerprint(identity: Mapping[str, str]) -> str:
    """One hash of all items."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def differences(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What has changed, for a sentence: `torch 2.6.0 (now 2.7.1), threads 4 (now 2)`."""
    changed = [
        f"{name} {_shown(then[name])} (now {_shown(value)})"
        for name, value in now.items()
        if then.get(name, value) != value
    ]
    return ", ".join(changed) or "another version of dear-tui"


def _shown(value: str) -> str:
    return value[:HASH_DIGITS] if len(value) == len(hashlib.sha256().hexdigest()) else value


def _sha256(*arrays: NDArray[np.generic]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
