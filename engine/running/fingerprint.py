"""What the result of a campaign depends on, item by item: campaigns that agree in all of it are the same campaign."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.config.campaign_config import CRITICAL_FAULTS
from engine.injection.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engine.config.campaign_config import CampaignConfig
    from engine.datasets import Dataset
    from engine.faults.fault_list import FaultList
    from engine.injection.numerics import Numerics
    from engine.models import LoadedModel

ENGINE = "engine"
"""The item that names the version of the code which computes severities. It is not part of the fingerprint: whether
another version gives the same is found out by computing some pairs again."""

_SOURCES = ("injection/**/*.py", "formats/**/*.py", "severity.py")
"""of this package: whatever may change a severity"""

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
    """Item -> its value or its hash, in a person's words.

    Args:
        config: as it was given.
        dataset: of the images.
        loaded: the network with its weights.
        numerics: what else results depend on.
        faults: that are injected.
        workload: [W] image ids in rank order.
    """
    items = {
        **identify_network(config, dataset, loaded, numerics),
        "faults": _sha256(faults.fault_id, faults.layer, faults.weight_index, faults.bit, faults.stuck),
        "metric": config.workload.metric,
        "selection": config.workload.select,
        "workload": _sha256(workload),
        "method": config.run.method,
        "screening": _screening(config),
        "precision": _precision(config),
        "goal": config.run.goal if config.run.goal == CRITICAL_FAULTS else None,
    }
    return {name: str(value) for name, value in items.items() if value is not None}


def identify_network(
    config: CampaignConfig, dataset: Dataset, loaded: LoadedModel, numerics: Numerics
) -> dict[str, str]:
    """What the answers of the fault-free network depend on, item -> its value or its hash."""
    items = {
        "network": config.model.arch,
        "width": config.model.width,
        "code": loaded.code,
        "weights": loaded.weights_sha256,
        "images": dataset.sha256,
        "torch": numerics.torch,
        "device": numerics.device.split(":")[0],
        "processor": numerics.device_name,
        "tf32": "on" if numerics.tf32 else "off",
        "threads": numerics.threads,
        ENGINE: engine_version(),
    }
    return {name: str(value) for name, value in items.items() if value is not None}


def _screening(config: CampaignConfig) -> str | None:
    """What decides which pairs a method leaves out, and which of those are audited; None where it leaves none out."""
    run = config.run
    if not METHODS[run.method].screens:
        return None
    return f"theta {run.theta:g}, theta2 {run.theta2:g}, audit {run.audit:g}, audit_faults {run.audit_faults:g}"


def _precision(config: CampaignConfig) -> str | None:
    """What decides after how many faults a campaign stops; None where all are run."""
    run = config.run
    if run.precision is None:
        return None
    return f"{run.precision!r} of {run.precision_of}, confidence {config.faults.confidence!r}"


@cache
def engine_version() -> str:
    """The hash of all code that may change a severity: nobody can forget to raise it."""
    package = Path(__file__).parents[1]
    files = sorted(file for pattern in _SOURCES for file in package.glob(pattern))
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def fingerprint(identity: Mapping[str, str]) -> str:
    """One hash of all items but the engine's version."""
    return hashlib.sha256(json.dumps(without_engine(identity), sort_keys=True).encode()).hexdigest()


def without_engine(identity: Mapping[str, str]) -> dict[str, str]:
    """All that must agree for two campaigns to be the same."""
    return {name: value for name, value in identity.items() if name != ENGINE}


def differences(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What has changed, for a sentence: `torch 2.6.0 (now 2.7.1), threads 4 (now 2)`."""
    changed = [
        f"{name} {shown_item(then[name])} (now {shown_item(value)})"
        for name, value in without_engine(now).items()
        if then.get(name, value) != value
    ]
    return ", ".join(changed) or "another version of dear-tui"


def shown_item(value: str) -> str:
    """A value of an item, for a sentence: of a hash its beginning."""
    return value[:HASH_DIGITS] if len(value) == len(hashlib.sha256().hexdigest()) else value


def _sha256(*arrays: NDArray[np.generic]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
