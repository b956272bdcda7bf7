"""From a config to everything a campaign runs on: network, images, faults, workload."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.datasets import Dataset, load_dataset
from engine.faults.bits import faulty_values, same_bits
from engine.faults.draw import draw_faults
from engine.fingerprint import fingerprint, identify
from engine.injection.layers import injectable_layers, injectable_modules
from engine.injection.numerics import Numerics, choose_numerics
from engine.injection.outcomes import WeightFaults
from engine.metrics import compute_metrics
from engine.models import load_model
from engine.selection import select_images
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from engine.config import CampaignConfig
    from engine.faults.fault_list import FaultList

_METRIC_BATCH = 256


@dataclass(frozen=True)
class PreparedCampaign:
    """A config with everything it names loaded, drawn and ranked. F faults, N images, W of them in the workload."""

    config: CampaignConfig
    dataset: Dataset
    model: nn.Module
    """in eval mode, on its device"""
    numerics: Numerics
    faults: FaultList
    golden_values: NDArray[np.float32]
    """[F] the weights without fault"""
    faulty_values: NDArray[np.float32]
    """[F]"""
    golden_class: NDArray[np.int64]
    """[N] top-1 of the fault-free network"""
    metrics: dict[str, NDArray[np.float64]]
    """name -> [N]"""
    workload: NDArray[np.int64]
    """[W] image ids in rank order"""
    identity: dict[str, str]
    """all that a result depends on, see `engine.fingerprint`"""
    seconds: float
    """that it took, most of it for ranking the images"""

    @property
    def fingerprint(self) -> str:
        """Two campaigns with the same one are the same campaign."""
        return fingerprint(self.identity)

    @property
    def pairs(self) -> int:
        """Faulty inferences of the whole campaign."""
        return len(self.faults) * len(self.workload)

    def faults_in_execution_order(self) -> WeightFaults:
        """The faults as the engine runs them."""
        order = self.faults.execution_order()
        faults, golden, faulty = self.faults.take(order), self.golden_values[order], self.faulty_values[order]
        return WeightFaults(order, faults.layer, faults.weight_index, faulty, ~same_bits(golden, faulty))

    def images(self, rank_start: int, rank_stop: int) -> torch.Tensor:
        """The network's input for these ranks, [n, C, H, W] on the device."""
        batch = self.dataset.batch(self.workload[rank_start:rank_stop])
        return torch.from_numpy(batch).to(self.numerics.device)


def prepare(config: CampaignConfig, threads: int | None = None, on_step: OnStep = nobody_waits) -> PreparedCampaign:
    """Load, draw and rank; seconds of work, nothing written.

    Args:
        config: what to load.
        threads: of the CPU, where a campaign must go on as it was begun.
        on_step: told what is being done.

    Raises:
        InputError, UnreachableError: a sentence each, from whatever is loaded.
    """
    started = time.monotonic()
    numerics = choose_numerics(config.run.device, config.run.tf32, threads)
    on_step(Step("loading network, images and faults"))
    dataset = load_dataset(config.dataset)
    loaded = load_model(config.model, dataset)
    model = loaded.model.to(numerics.device)
    faults = draw_faults(config.faults, injectable_layers(model))
    golden_values = _golden_values(model, faults)
    logits = golden_logits(model, dataset, numerics.device, on_step)
    metrics = compute_metrics(logits, dataset.labels)
    workload = select_images(config.workload, metrics[config.workload.metric])
    return PreparedCampaign(
        config=config,
        dataset=dataset,
        model=model,
        numerics=numerics,
        faults=faults,
        golden_values=golden_values,
        faulty_values=faulty_values(golden_values, faults.bit, faults.stuck),
        golden_class=logits.argmax(axis=1),
        metrics=metrics,
        workload=workload,
        identity=identify(config, dataset, loaded, numerics, faults, workload),
        seconds=time.monotonic() - started,
    )


def golden_logits(
    model: nn.Module, dataset: Dataset, device: str, on_step: OnStep = nobody_waits
) -> NDArray[np.float32]:
    """Logits of the fault-free network for every image, [N, classes]."""
    parts = []
    with torch.inference_mode():
        for start in range(0, len(dataset), _METRIC_BATCH):
            on_step(Step("ranking the images", start, len(dataset)))
            batch = torch.from_numpy(dataset.batch(slice(start, start + _METRIC_BATCH)))
            parts.append(model(batch.to(device)).cpu())
    return np.asarray(torch.cat(parts).numpy())


def _golden_values(model: nn.Module, faults: FaultList) -> NDArray[np.float32]:
    values = np.empty(len(faults), dtype=np.float32)
    for layer, (_, module) in enumerate(injectable_modules(model)):
        rows = faults.layer == layer
        values[rows] = module.weight.detach().cpu().contiguous().numpy().reshape(-1)[faults.weight_index[rows]]
    return values
