"""What a campaign would take, before it runs: counted where it can be, measured for two seconds where it cannot."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from engine.injection.exact import ExactInjection

if TYPE_CHECKING:
    from engine.injection.golden import GoldenBlock
    from engine.injection.outcomes import WeightFaults
    from engine.preparation import PreparedCampaign

CALIBRATION_SECONDS = 2.0
FIRST_SAMPLE = 4

STORING_SECONDS_PER_PAIR = 2.5e-7
"""measured on full campaigns, parts and seal together"""

DISK_BYTES_PER_PAIR = 0.65
"""measured on full campaigns: Parquet parts and the sealed file together"""


@dataclass(frozen=True)
class Estimate:
    """The size of a campaign on this machine."""

    faults: int
    population: int
    images: int
    pairs: int
    flops: int
    """of the naive loop: every fault through the whole network, two per multiplication"""
    disk_bytes: int
    seconds: float
    """computing time on this machine"""
    method: str
    device: str


def estimate(prepared: PreparedCampaign) -> Estimate:
    """Count faults, pairs and operations; time a small stratified sample of them on this machine."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        prepared.model(prepared.images(0, 1))
    pairs = prepared.pairs
    return Estimate(
        faults=len(prepared.faults),
        population=prepared.faults.population,
        images=len(prepared.workload),
        pairs=pairs,
        flops=counter.get_total_flops() * pairs,
        disk_bytes=round(DISK_BYTES_PER_PAIR * pairs),
        seconds=_computing_seconds(prepared) + STORING_SECONDS_PER_PAIR * pairs,
        method=prepared.config.run.method,
        device=prepared.numerics.device,
    )


def _computing_seconds(prepared: PreparedCampaign) -> float:
    """Time some faults of every layer on images from all ranks, more of them each round, and scale the last round."""
    images = len(prepared.workload)
    injection = ExactInjection(prepared.model, prepared.images(0, min(images, 4096)), prepared.config.run.memory)
    ranks = np.unique(np.linspace(0, images - 1, min(images, injection.block_rows), dtype=np.int64))
    batch = prepared.dataset.batch(prepared.workload[ranks])
    block = injection.load(torch.from_numpy(batch).to(prepared.numerics.device))
    faults = prepared.faults_in_execution_order()
    started, sample = time.monotonic(), FIRST_SAMPLE
    while True:
        seconds = sum(
            _layer_seconds(injection, block, faults.take(np.flatnonzero(faults.layer == layer)), sample)
            for layer in np.unique(faults.layer)
        )
        is_all = sample >= np.bincount(faults.layer).max()
        if is_all or time.monotonic() - started >= CALIBRATION_SECONDS / 2:
            return float(seconds * images / len(ranks))
        sample *= 2


def _layer_seconds(injection: ExactInjection, block: GoldenBlock, faults: WeightFaults, sample: int) -> float:
    """Time for all faults of one layer on the block, from `sample` of them, evenly spread."""
    rows = np.unique(np.linspace(0, len(faults) - 1, min(sample, len(faults)), dtype=np.int64))
    started = time.monotonic()
    for _ in injection.inject(block, faults.take(rows)):
        pass
    return (time.monotonic() - started) * len(faults) / len(rows)
