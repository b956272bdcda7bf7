"""From a config to everything a campaign runs on: network, images, faults, workload."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.analysis.audit import faults_to_draw, pairs_to_draw
from engine.datasets import load_dataset
from engine.faults.draw import draw_faults, notes_on
from engine.faults.waves import in_waves, wave_stops
from engine.injection.injection import Injection
from engine.injection.methods import quicker
from engine.injection.network.layers import flat_weight, injectable_layers, injectable_modules
from engine.injection.network.weight_reads import untouched_copy
from engine.injection.numerics import Numerics, choose_numerics
from engine.injection.outcomes import WeightFaults
from engine.injection.screened.audit import AuditPlan
from engine.metrics.kept_logits import kept_logits
from engine.metrics.registry import compute_metrics, metrics_for
from engine.metrics.selection import known_size, select_images
from engine.models import load_model
from engine.running.fingerprint import fingerprint, identify, identify_network
from engine.running.memory_budget import batch_memory, host_memory
from engine.running.metric_input import metric_input
from engine.running.networks import Networks, PreparedNetwork
from engine.running.out_of_memory import (
    explained_memory,
    halve_batches,
    halved_note,
    halved_until_it_fits,
    until_it_fits,
)
from engine.running.own_metric import ranking_metric
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from torch import nn

    from engine.config.campaign_config import CampaignConfig, RunConfig
    from engine.datasets import Dataset
    from engine.faults.fault_list import FaultList
    from engine.faults.population import Layer
    from engine.injection.network.golden import GoldenBlock
    from engine.models import LoadedModel

_MOST_PROBED = 4096
"""images that batch sizes are tried out with, at most"""

_COPIED = 3
"""images that a copy of the network is tried out with"""

_PROBED_SHARE = 8
"""of the memory that they may take: one part in so many"""


@dataclass(frozen=True)
class PreparedCampaign:
    """A config with everything it names loaded, drawn and ranked. F faults, N images, W of them in the workload."""

    config: CampaignConfig
    dataset: Dataset
    injection: Injection
    """of its network, by the config's method, or by the one that is quicker for so few pairs"""
    plain: nn.Module
    """an untouched copy of the network, which judges the injection; the network itself where no copy is all its own"""
    notes: tuple[str, ...]
    """sentences the user should read: what loading had to say"""
    numerics: Numerics
    faults: FaultList
    golden_values: NDArray[np.float32]
    """[F] the weights without fault"""
    faulty_values: NDArray[np.float32]
    """[F]"""
    golden_class: NDArray[np.int64]
    """[N] top-1 of the fault-free network, in the injection's own arithmetic"""
    metrics: dict[str, NDArray[np.float64]]
    """name -> [N]"""
    workload: NDArray[np.int64]
    """[W] image ids in rank order"""
    identity: dict[str, str]
    """all that a result depends on, see `engine.running.fingerprint`"""
    seconds: float
    """that it took, most of it for ranking the images"""
    drawn: FaultList
    """the faults that the config asks for: more than `faults` where the campaign has stopped early"""

    @property
    def fingerprint(self) -> str:
        """Two campaigns with the same one are the same campaign."""
        return fingerprint(self.identity)

    @property
    def pairs(self) -> int:
        """Faulty inferences of the whole campaign."""
        return len(self.faults) * len(self.workload)

    def faults_in_execution_order(self) -> WeightFaults:
        """The faults as the engine runs them, made once: sorted by wave, those of a wave by layer."""
        return self._in_order

    @cached_property
    def _in_order(self) -> WeightFaults:
        order = self.faults.execution_order()
        faults, golden, faulty = self.faults.take(order), self.golden_values[order], self.faulty_values[order]
        return WeightFaults(order, faults.layer, faults.weight_index, faulty, ~faults.format.same(golden, faulty))

    @cached_property
    def faults_by_layer(self) -> WeightFaults:
        """The faults as one wave would run them, from which samples are taken."""
        if not self.faults.wave.any():
            return self._in_order
        return self._in_order.take(np.argsort(self._in_order.layer, kind="stable"))

    @cached_property
    def wave_stops(self) -> list[int]:
        """How many faults are run, in execution order, when each wave ends."""
        return wave_stops(self.faults.wave)

    def first(self, faults: int) -> PreparedCampaign:
        """The campaign as it is when it has stopped after so many faults, in execution order."""
        if faults == len(self.faults):
            return self
        rows = np.sort(self.faults.execution_order()[:faults])
        return replace(
            self,
            faults=self.faults.take(rows),
            golden_values=self.golden_values[rows],
            faulty_values=self.faulty_values[rows],
        )

    @cached_property
    def audit(self) -> AuditPlan:
        """What is run although a bound calls it safe, where the method leaves anything out.

        It is drawn from all faults, so that it stays what it is where the campaign stops early.
        """
        run, drawn, images = self.config.run, self.drawn, len(self.workload)
        pairs, faults = pairs_to_draw(run.audit, len(drawn) * images), faults_to_draw(run.audit_faults, len(drawn))
        places = None if len(self.faults) == len(drawn) else np.searchsorted(drawn.fault_id, self.faults.fault_id)
        return AuditPlan(drawn.layer, images, pairs, faults, self.config.faults.seed, places)

    def load(self, rank_start: int, rank_stop: int, injection: Injection | None = None) -> GoldenBlock:
        """The golden values of these ranks, with what is audited of them; `injection`: another one than its own."""
        images, audit = self.images(rank_start, rank_stop), self.audit.of_ranks(rank_start, rank_stop)
        return (injection or self.injection).load(images, audit)

    def injected_by(self, method: str, on_step: OnStep = nobody_waits) -> Injection:
        """The injection of this campaign's network by another method, or by its own."""
        if method in (self.config.run.method, self.injection.method):
            return self.injection
        run, device = self.config.run.model_copy(update={"method": method}), self.numerics.device
        return _injection(run, self.plain, self.dataset, self.injection.memory, device, on_step)

    def halve_batches(self, keeps_fall_backs: bool = False, on_step: OnStep = nobody_waits) -> str:
        """Have the injection go on with less memory, see `engine.running.out_of_memory.halve_batches`."""
        return _halve(self.injection, self.dataset, self.numerics.device, keeps_fall_backs, on_step)

    def images(self, rank_start: int, rank_stop: int) -> torch.Tensor:
        """The network's input for these ranks, float32 [n, C, H, W] on the device."""
        return self.images_at(slice(rank_start, rank_stop))

    def spread_images(self, count: int) -> torch.Tensor:
        """The input [n, C, H, W] for so many ranks, evenly spread, or for all: the first ones would all be hard."""
        return self.images_at(np.unique(np.linspace(0, len(self.workload) - 1, count, dtype=np.int64)))

    def images_at(self, ranks: slice | NDArray[np.int64]) -> torch.Tensor:
        """The network's input for any ranks, [n] or a slice, float32 [n, C, H, W] on the device."""
        return torch.from_numpy(self.dataset.batch(self.workload[ranks])).to(self.numerics.device)


def prepare(
    config: CampaignConfig,
    threads: int | None = None,
    on_step: OnStep = nobody_waits,
    networks: Networks | None = None,
) -> PreparedCampaign:
    """Load, draw and rank; seconds of work, nothing written.

    Args:
        config: what to load.
        threads: of the CPU, where a campaign must go on as it was begun.
        on_step: told what is being done.
        networks: of earlier campaigns of this process, of which one may serve; None: everything is loaded.

    Raises:
        InputError, UnreachableError: a sentence each, from whatever is loaded.
    """
    with explained_memory(config.run):
        return _prepare(config, threads, on_step, networks or Networks())


def _prepare(config: CampaignConfig, threads: int | None, on_step: OnStep, networks: Networks) -> PreparedCampaign:
    started = time.monotonic()
    numerics = choose_numerics(config.run.device, config.run.tf32, threads)
    on_step(Step("loading network, images and faults"))
    metric = ranking_metric(config.workload)
    draw = cache(partial(draw_faults, config.faults))  # a long list is read once

    def serves(known: PreparedNetwork) -> bool:
        quickest = quicker(config.run.method, _pairs(config, draw, known.plain, known.dataset))
        return known.injection.method in (config.run.method, quickest)

    network = networks.get(config, threads, lambda: _load(config, numerics, draw, on_step), serves)
    dataset, loaded, plain, injection, logits = (
        network.dataset,
        network.loaded,
        network.plain,
        network.injection,
        network.logits,
    )
    faults = draw(injectable_layers(plain))
    if config.run.precision is not None:
        faults = in_waves(faults, config.faults.seed)
    golden_values = _golden_values(plain, faults)
    given = until_it_fits(
        lambda: metric_input(metric, logits, plain, dataset, numerics.device, injection.block_rows, on_step),
        lambda: _halve(injection, dataset, numerics.device, on_step=on_step),
    )
    metrics = compute_metrics(given, metrics_for(metric))
    workload = select_images(config.workload, metrics[metric.name])
    notes = (*loaded.notes, *dataset.notes, *notes_on(faults, config.faults))
    if injection.method != config.run.method:
        notes += (
            f"{injection.method} runs the {len(faults) * len(workload):,} pairs: they are so few that it is done "
            f"before {config.run.method} has measured its rounding",
        )
    return PreparedCampaign(
        config=config,
        dataset=dataset,
        injection=injection,
        plain=plain,
        notes=notes,
        numerics=numerics,
        faults=faults,
        golden_values=golden_values,
        faulty_values=faults.format.faulty_values(golden_values, faults.bit, faults.stuck),
        golden_class=logits.argmax(axis=1),
        metrics=metrics,
        workload=workload,
        identity=identify(config, dataset, loaded, numerics, faults, workload),
        seconds=time.monotonic() - started,
        drawn=faults,
    )


def _load(
    config: CampaignConfig,
    numerics: Numerics,
    draw: Callable[[tuple[Layer, ...]], FaultList],
    on_step: OnStep,
) -> PreparedNetwork:
    device = numerics.device
    dataset = load_dataset(config.dataset, on_step=on_step, memory=host_memory(config.run))
    loaded = load_model(config.model, dataset)
    model = loaded.model.to(device)
    plain = untouched_copy(model, _some_images(dataset, _COPIED, device))
    pairs = _pairs(config, draw, model, dataset)  # may refuse, and that comes before anything slow
    run = config.run.model_copy(update={"method": quicker(config.run.method, pairs)})
    injection = _injection(run, model, dataset, batch_memory(run, dataset.kept_bytes), device, on_step)
    logits = until_it_fits(
        lambda: kept_logits(
            _logits_depend_on(config, loaded, numerics, dataset, injection),
            lambda: golden_logits(injection, dataset, device, on_step),
            len(dataset),
        ),
        lambda: _halve(injection, dataset, device, on_step=on_step),
    )
    return PreparedNetwork(dataset, loaded, plain, injection, numerics, logits)


def _logits_depend_on(
    config: CampaignConfig, loaded: LoadedModel, numerics: Numerics, dataset: Dataset, injection: Injection
) -> dict[str, str]:
    """All that golden logits depend on, to the bit: what a result does but for faults, and the sizes of batches."""
    network = identify_network(config, dataset, loaded, numerics)
    batches = (injection.method, injection.rows, injection.block_rows, injection.workers.count)
    return network | {"batches": repr(batches)}


def _pairs(
    config: CampaignConfig, draw: Callable[[tuple[Layer, ...]], FaultList], model: nn.Module, dataset: Dataset
) -> int:
    """The pairs of a campaign; the most it can have where its images depend on the network's answers."""
    images = known_size(config.workload, len(dataset))
    return len(draw(injectable_layers(model))) * (len(dataset) if images is None else images)


def _injection(
    run: RunConfig, model: nn.Module, dataset: Dataset, memory: int, device: str, on_step: OnStep
) -> Injection:
    """The network traced, its batch sizes probed on the first images, for so many bytes or as many as there are."""
    injection = halved_until_it_fits(
        lambda tried: Injection(model, _probing_images(dataset, device, tried), tried, run.method, on_step, run.thetas),
        memory,
        device,
    )
    if injection.memory < memory:
        injection.notes.append(halved_note(injection.memory))
    return injection


def _halve(
    injection: Injection,
    dataset: Dataset,
    device: str,
    keeps_fall_backs: bool = False,
    on_step: OnStep = nobody_waits,
) -> str:
    draw_images = partial(_probing_images, dataset, device)
    return halve_batches(injection, draw_images, device, keeps_fall_backs, on_step)


def _probing_images(dataset: Dataset, device: str, memory: int) -> torch.Tensor:
    """The first images, as many as a part of the memory holds, [n, C, H, W]."""
    image_bytes = 4 * math.prod(dataset.images.shape[1:])
    return _some_images(dataset, min(_MOST_PROBED, max(1, memory // _PROBED_SHARE // image_bytes)), device)


def _some_images(dataset: Dataset, count: int, device: str) -> torch.Tensor:
    """The first ones, [count, C, H, W]; all where there are not so many."""
    return torch.from_numpy(dataset.batch(slice(0, min(count, len(dataset))))).to(device)


def golden_logits(
    injection: Injection, dataset: Dataset, device: str, on_step: OnStep = nobody_waits
) -> Iterator[NDArray[np.float32]]:
    """Logits of the fault-free network for every image, [n, classes] of one batch after the other.

    They are the ones that faulty logits are compared with.
    """
    for start in range(0, len(dataset), injection.block_rows):
        on_step(Step("ranking the images", start, len(dataset)))
        batch = torch.from_numpy(dataset.batch(slice(start, start + injection.block_rows)))
        yield injection.golden_logits(batch.to(device)).float().cpu().numpy()  # numpy has no bfloat16


def _golden_values(model: nn.Module, faults: FaultList) -> NDArray[np.float32]:
    values = np.empty(len(faults), dtype=np.float32)
    for layer, (_, module) in enumerate(injectable_modules(model)):
        rows = faults.layer == layer
        values[rows] = flat_weight(module.weight)[faults.weight_index[rows]]
    return values
