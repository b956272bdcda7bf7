"""A campaign of which nothing is known but its config: it is queued at once, and prepared by whoever runs it."""

from __future__ import annotations

import hashlib
import json
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import UnreachableError
from engine.faults.fault_list import FaultList
from engine.store.records import UNPREPARED, NewCampaign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.config.campaign_config import CampaignConfig
    from engine.store import CampaignStatus
    from engine.store.read.reading import StoreReader


def unprepared(config: CampaignConfig, again: bool = False) -> NewCampaign:
    """What the store keeps of it: no faults, no images, and the config itself as its fingerprint.

    Args:
        config: that was read, and whose files were seen; nothing is loaded.
        again: whether it is to be a new campaign in any case, and not the one that an equal config has queued.
    """
    said = config.to_json()
    which = uuid.uuid4().hex if again else hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    nothing = np.zeros(0, np.int64)
    return NewCampaign(
        fingerprint=f"{UNPREPARED}{'again:' if again else ''}{which}",
        identity={},
        name=config.name,
        network=config.model.arch,
        dataset=config.dataset.name,
        select=config.workload.select,
        metric=config.workload.column,
        method=config.run.method,
        goal=config.run.goal,
        config=said,
        numerics={"device": config.run.device},
        faults=_no_faults(config),
        golden_values=nothing.astype(np.float32),
        faulty_values=nothing.astype(np.float32),
        labels=nothing,
        golden_class=nothing,
        metrics={config.workload.column: nothing.astype(np.float64)},
        workload=nothing,
    )


def last_of_config(store: StoreReader, config: Mapping[str, Any]) -> CampaignStatus | None:
    """The newest campaign of the very same config, how it is computed included; None where there is none."""
    for status in store.campaigns():
        if status.name == config["name"]:
            with suppress(UnreachableError):  # damaged: no reason not to queue another one
                if store.description(status.id)["config"] == config:
                    return status
    return None


def is_wanted_again(fingerprint: str) -> bool:
    """Whether an unprepared campaign is to be a new one in any case."""
    return fingerprint.startswith(f"{UNPREPARED}again:")


def _no_faults(config: CampaignConfig) -> FaultList:
    nothing = np.zeros(0, np.int64)
    return FaultList(
        layers=(),
        fault_id=nothing.astype(np.uint32),
        layer=nothing.astype(np.int32),
        weight_index=nothing,
        bit=nothing.astype(np.uint8),
        stuck=nothing.astype(np.int8),
        model=config.faults.model,
        strata=(),
        stratum=nothing.astype(np.int32),
        wave=nothing.astype(np.uint8),
    )
