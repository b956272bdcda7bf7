"""Faults whose value leaves the golden range, put back into it: against the plain loop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from engine.config.campaign_config import load_config
from engine.injection.exact.naive import naive_logits
from engine.injection.network.layers import flat_weight, injectable_modules
from engine.running.preparation import PreparedCampaign, prepare
from engine.running.range_restriction import restrict_ranges
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path


def campaign(folder: Path, method: str) -> PreparedCampaign:
    faults = {"count": 60, "bits": [3, 29, 30]}
    return prepare(load_config(write_config(folder, faults=faults, run={"method": method})))


def plainly(prepared: PreparedCampaign, values: np.ndarray) -> np.ndarray:
    """Images that each fault is critical for with these values, by the plain loop, in the order of the list."""
    faults = prepared.faults_in_execution_order()
    images = prepared.images(0, len(prepared.workload))
    faults = replace(faults, value=values[faults.positions])
    golden = prepared.plain(images).argmax(1)
    counts = np.zeros(len(faults), np.int64)
    for position, logits in zip(faults.positions, naive_logits(prepared.plain, faults, images, 40), strict=True):
        lost = (logits.argmax(1) != golden) | ~torch.isfinite(logits).all(1)
        counts[position] = int(lost.sum())
    return counts


@pytest.mark.parametrize("method", ["exact", "fast", "screened"])
def test_what_is_put_back_is_what_the_plain_loop_gives(tmp_path: Path, method: str) -> None:
    prepared = campaign(tmp_path, method)
    found = restrict_ranges(prepared, plainly(prepared, prepared.faulty_values))
    weights = [flat_weight(module.weight) for _, module in injectable_modules(prepared.plain)]
    low, high = (np.array([end(weight) for weight in weights])[prepared.faults.layer] for end in (np.min, np.max))
    faulty = prepared.faulty_values
    outside = ~((faulty >= low) & (faulty <= high))
    assert found.outside.tolist() == outside.tolist()
    assert 0 < outside.sum() < len(faulty)
    clamped = np.where(np.isnan(faulty), 0, np.clip(faulty, low, high))
    assert found.clamped.tolist() == plainly(prepared, np.where(outside, clamped, faulty)).tolist()
    assert found.zeroed.tolist() == plainly(prepared, np.where(outside, 0, faulty).astype(np.float32)).tolist()
    assert found.zeroed.sum() < plainly(prepared, faulty).sum()


def test_where_nothing_leaves_the_range_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare(load_config(write_config(tmp_path, faults={"count": 20, "bits": [0]})))
    critical = np.arange(20)
    monkeypatch.setattr(prepared.injection, "inject", lambda *_: pytest.fail("it was run"))
    monkeypatch.setattr("engine.running.range_restriction.prove", lambda *_args, **_options: None)
    found = restrict_ranges(prepared, critical)
    assert not found.outside.any()
    assert found.clamped.tolist() == found.zeroed.tolist() == critical.tolist()
