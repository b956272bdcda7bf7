"""What a campaign would take, before it runs: counted where it can be, measured for some seconds where it cannot."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import psutil
import torch
from torch.utils.flop_counter import FlopCounterMode

from engine.config.campaign_config import CRITICAL_FAULTS, screens
from engine.datasets import load_dataset
from engine.injection.check.self_check import LEAST_SECONDS
from engine.injection.network.coverage import NotInjected, coverage
from engine.injection.network.layers import injectable_layers
from engine.models import load_model
from engine.running.blocks.dropped_faults import not_critical_on
from engine.running.campaign_size import MEMORY_BYTES_PER_FAULT, Material, disk_bytes
from engine.running.memory_budget import memory_in_words
from engine.running.out_of_memory import explained_memory, until_it_fits
from engine.running.part_timing import injection_seconds
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from engine.config.campaign_config import CampaignConfig
    from engine.injection.outcomes import WeightFaults
    from engine.running.preparation import PreparedCampaign

PATIENCE = 0.02
"""of the campaign's time, for measuring it: the longer it takes, the more is worth knowing it well"""

LEAST_PATIENCE, MOST_PATIENCE = 2.0, 6.0
"""seconds"""

SPREAD = 0.2
"""by which part an estimate may be wrong at least: campaigns that were run took up to a fifth more or less"""

SPREAD_OF_ONE = 0.5
"""where there was no second sample to compare with"""

FIRST_FAULTS, FIRST_IMAGES = 128, 16
"""of the sample"""

FIRST_OF_LAYER = 4
"""faults for each layer at least"""

FEW_IMAGES = 2
"""whose operations are counted: some networks cannot run a single one"""

STORING_SECONDS_PER_PAIR = 5e-8
"""measured on full campaigns, parts and seal together"""

STORING_SECONDS_PER_PAIR_SCREENED = 1e-8
"""of a method that leaves pairs out, of all pairs"""

STORING_SECONDS_PER_FAULT = 3e-6
"""measured on every fault of ResNet-20, the list and the seal together"""


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
    """from the start to the finished campaign, on this machine: the three below together"""
    setup_seconds: float
    """to load, to rank and to compare with the plain loop, before the first pair"""
    injection_seconds: float
    storing_seconds: float
    least_seconds: float
    """`seconds` if injection goes better than the sample, by as much as two samples differed or by `SPREAD`"""
    most_seconds: float
    """`seconds` if it goes as much worse"""
    others_share: float
    """of the machine's processors, 0..1, that other programs used meanwhile; they may leave more or less later"""
    method: str
    device: str
    memory: int
    """bytes for golden values and batches"""
    list_memory: int
    """bytes for the faults themselves, beside it"""
    memory_in_words: str
    """`memory` in words, with where it is, and why so much where the config names no number"""
    injected: str
    """how many of the network's parameters faults are put into, and what is left out, in words"""
    not_injected: tuple[NotInjected, ...]
    """what is left out, part by part"""
    first_look: int | None = None
    """faults after which it may stop first, where it has a precision"""


def load_material(config: CampaignConfig) -> Material:
    """Load network and images, and count what they offer.

    Raises:
        InputError, UnreachableError: a sentence each, from whatever is loaded.
    """
    dataset = load_dataset(config.dataset)
    model = load_model(config.model, dataset).model
    covered = coverage(model)
    injected = covered.summary if covered.leaves_out_more_than_norms_and_biases else ""
    return Material(injectable_layers(model), len(dataset), injected)


def estimate(prepared: PreparedCampaign, on_step: OnStep = nobody_waits) -> Estimate:
    """Count faults, pairs and operations; time a small stratified sample of them on this machine."""
    with explained_memory(prepared.config.run):
        return until_it_fits(lambda: _estimate(prepared, on_step), lambda: prepared.halve_batches(on_step=on_step))


def _estimate(prepared: PreparedCampaign, on_step: OnStep) -> Estimate:
    images = prepared.images(0, 1).expand(FEW_IMAGES, -1, -1, -1)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        prepared.plain(images.clone())
    pairs, covered = prepared.pairs, coverage(prepared.plain)
    with _Others() as others:
        injection, spread = _injection_seconds(prepared, on_step)
    setup = prepared.seconds + max(LEAST_SECONDS, prepared.config.run.check_share * injection)
    rest = setup + _storing_seconds(prepared)
    return Estimate(
        faults=len(prepared.faults),
        population=prepared.faults.population,
        images=len(prepared.workload),
        pairs=pairs,
        flops=counter.get_total_flops() // FEW_IMAGES * pairs,
        disk_bytes=disk_bytes(prepared.config, len(prepared.faults), len(prepared.workload)),
        seconds=rest + injection,
        setup_seconds=setup,
        injection_seconds=injection,
        storing_seconds=rest - setup,
        least_seconds=rest + injection / (1 + spread),
        most_seconds=rest + injection * (1 + spread),
        others_share=others.share,
        method=prepared.config.run.method,
        device=prepared.numerics.device,
        memory=prepared.injection.memory,
        list_memory=MEMORY_BYTES_PER_FAULT * len(prepared.faults),
        memory_in_words=memory_in_words(prepared.config.run, prepared.injection.memory),
        injected=covered.summary,
        not_injected=covered.not_injected,
        first_look=None if prepared.config.run.precision is None else prepared.wave_stops[0],
    )


def _storing_seconds(prepared: PreparedCampaign) -> float:
    """What writing all of it takes."""
    is_screened = screens(prepared.config.run.method)
    per_pair = STORING_SECONDS_PER_PAIR_SCREENED if is_screened else STORING_SECONDS_PER_PAIR
    return per_pair * prepared.pairs + STORING_SECONDS_PER_FAULT * len(prepared.faults)


class _Others:
    """Watches how much of the machine's processors other programs use while something is measured."""

    def __init__(self) -> None:
        self.share = 0.0

    def __enter__(self) -> Self:
        self._before = self._times()
        return self

    def __exit__(self, *_: object) -> None:
        used, own, passed = (now - before for now, before in zip(self._times(), self._before, strict=True))
        self.share = min(1.0, max(0.0, (used - own) / (passed * (psutil.cpu_count() or 1)))) if passed else 0.0

    @staticmethod
    def _times() -> tuple[float, float, float]:
        """Seconds that all programs used, that this one did, and of the clock."""
        all_of_them, own = psutil.cpu_times(), psutil.Process().cpu_times()
        waiting = all_of_them.idle + getattr(all_of_them, "iowait", 0.0)
        return sum(all_of_them) - waiting, own.user + own.system, time.monotonic()


def _injection_seconds(prepared: PreparedCampaign, on_step: OnStep) -> tuple[float, float]:
    """Time some faults on some images, more of both each round.

    Returns:
        The campaign's seconds by the last round, and by which part it may be wrong: by which the last two differ.
    """
    on_step(Step("measuring some faults"))
    sample = Sample(prepared)
    sample.seconds()  # the first run of anything is slow
    started, before = time.monotonic(), None
    while True:
        seconds = sample.seconds()
        spread = SPREAD_OF_ONE if before is None else max(SPREAD, abs(math.log(seconds / before)))
        patience = min(max(LEAST_PATIENCE, PATIENCE * seconds), MOST_PATIENCE)
        waited = time.monotonic() - started
        if not sample.can_grow() or waited >= patience / 2:
            return seconds, spread
        before = seconds
        on_step(Step("measuring some faults, seconds", int(waited), int(patience)))
        sample.grow()


class Sample:
    """Faults of a campaign, drawn from all of them, on images from all ranks."""

    def __init__(self, prepared: PreparedCampaign) -> None:
        """Start small."""
        self._prepared = prepared
        self._injection = prepared.injection
        self._all = prepared.faults_by_layer
        self._shuffled = np.random.default_rng(0).permutation(len(self._all))
        self._one_of_each_layer = self._all.take(np.unique(self._all.layer, return_index=True)[1])
        self._most_images = min(len(prepared.workload), self._injection.block_rows)
        self._faults = min(max(FIRST_FAULTS, FIRST_OF_LAYER * len(self._one_of_each_layer)), len(self._all))
        self._images = min(FIRST_IMAGES, self._most_images)

    def can_grow(self) -> bool:
        """Whether there are faults or images to add."""
        return self._faults < len(self._all) or self._images < self._most_images

    def grow(self) -> None:
        """Four times the pairs: the more of either, the fuller the batches, as in the campaign."""
        self._faults = min(2 * self._faults, len(self._all))
        self._images = min(2 * self._images, self._most_images)

    def seconds(self) -> float:
        """Run the sample, scaled to all faults and images. What a block takes but for its faults is not scaled."""
        images, audit = self._prepared.spread_images(self._images), self._prepared.audit.of_ranks(0, self._images)
        started = time.perf_counter()
        block = self._injection.load(images, audit)
        of_block = time.perf_counter() - started
        of_layers = injection_seconds(self._injection, block, self._one_of_each_layer)
        faults = self._all.take(np.sort(self._shuffled[: self._faults]))
        of_faults = injection_seconds(self._injection, block, self._left(faults))
        layers = len(self._one_of_each_layer)  # whose first faults take what a layer takes in any case
        of_others = max(0.0, of_faults - of_layers) * (len(self._all) - layers) / max(1, self._faults - layers)
        return (of_block + of_layers + of_others) * len(self._prepared.workload) / self._images

    def _left(self, faults: WeightFaults) -> WeightFaults:
        """The faults of a sample that are run on most images: where critical ones are dropped, the others.

        Most of the critical ones show on the first images, which are the most challenging ones.
        """
        if self._prepared.config.run.goal != CRITICAL_FAULTS:
            return faults
        hardest = self._prepared.images(0, self._images)
        return not_critical_on(self._injection, self._injection.load(hardest), faults)
