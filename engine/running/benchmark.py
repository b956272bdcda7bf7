"""The methods side by side on one machine, in one run: alternating rounds, medians, ratios to the naive loop."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.analysis.result_table import Column, Kind, Table
from engine.injection.exact.naive import naive_logits
from engine.injection.methods import METHODS
from engine.injection.recording import Recorder
from engine.running.blocks.dropped_faults import not_critical_on
from engine.running.out_of_memory import explained_memory, until_it_fits
from engine.running.part_timing import injection_seconds
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from torch import Tensor

    from engine.injection.injection import Injection
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.outcomes import WeightFaults
    from engine.injection.screened.audit import BlockAudit
    from engine.running.preparation import PreparedCampaign

ROUNDS = 3
NAIVE_BATCHES = (1, 4, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
"""images at once, as far as a block of the methods goes; the large ones are the best on a GPU"""

SECONDS_PER_MEASUREMENT = 10.0
"""of a method; few faults would share few runs and look slower than a campaign is"""

NAIVE_SECONDS = 1.0
"""of the naive loop at each batch size"""

FIRST_RANKS = 128
"""images on which faults are seen to be critical, with the goal "critical_faults", before the others are run"""

_MATRIX = 2048


@dataclass(frozen=True)
class MethodSpeed:
    """How fast one method is."""

    pairs_per_s: float
    """median over the rounds; what is made once per block is shared by all faults of the config"""
    ratio: float
    """to the naive loop at its best batch"""
    goal_ratio: float | None
    """to the naive loop, with the goal "critical_faults", which drops faults that were seen critical; None for naive"""
    batch: int
    """images at once for naive, images per block for the others"""
    run: float
    """share of pairs that are run through the rest of the network: neither masked before nor settled without"""
    multiplications: float
    """left per pair, of all pairs, in direct convolutions"""
    of_floor: float
    """share of the speed at which those multiplications alone would run at the machine's matrix rate"""


@dataclass(frozen=True)
class Benchmark:
    """The methods on the network, faults and images of one config."""

    network: str
    dataset: str
    device: str
    threads: int
    faults: int
    """in the sample of the slowest method, spread over the config's faults; quicker ones are timed on more"""
    images: int
    masked_early: float
    """share of pairs that are masked before channels mix, and never run further"""
    matrix_rate: float
    """multiplications per second of a large float32 matrix product"""
    methods: dict[str, MethodSpeed]

    def table(self) -> Table:
        """A row for each method."""
        naive = self.methods["naive"].multiplications
        return Table(
            "",
            (
                Column("method", priority=3),
                Column("pairs_per_s", Kind.AMOUNT, "pairs/s", priority=3),
                Column("us_per_pair", Kind.NUMBER, "us/pair", priority=1),
                Column("ratio", Kind.NUMBER, "x naive", priority=3, term="x naive"),
                Column("goal_ratio", Kind.NUMBER, "x naive, goal", priority=2, term="x naive, goal"),
                Column("batch", Kind.COUNT, priority=1, term="batch"),
                Column("percent_run", Kind.PERCENT, "pairs run", priority=2, term="pairs run"),
                Column("multiplications", Kind.AMOUNT, priority=2, term="multiplications"),
                Column("times_fewer", Kind.NUMBER, "x fewer", priority=2, term="multiplications"),
                Column("percent_of_matrix_rate", Kind.PERCENT, "of matrix rate", priority=2, term="of matrix rate"),
            ),
            tuple(
                (name, speed.pairs_per_s, 1e6 / speed.pairs_per_s, speed.ratio, speed.goal_ratio, speed.batch,
                 100 * speed.run, speed.multiplications, naive / max(1, speed.multiplications), 100 * speed.of_floor)
                for name, speed in self.methods.items()
            ),
            ("pair", "naive"),
        )  # fmt: skip


def benchmark(prepared: PreparedCampaign, on_step: OnStep = nobody_waits) -> Benchmark:
    """Time naive and every method on the same faults and images.

    Args:
        prepared: the campaign whose network, faults and images are used; nothing is stored.
        on_step: told what is being done.
    """
    with explained_memory(prepared.config.run):
        return until_it_fits(lambda: _benchmark(prepared, on_step), lambda: prepared.halve_batches(on_step=on_step))


@dataclass
class _Timed:
    """A method, on a block of its own size and as many faults as take it the time of a measurement."""

    injection: Injection
    images: Tensor
    audit: BlockAudit
    block: GoldenBlock
    faults: WeightFaults
    left: WeightFaults
    """of these, the ones that are not critical on the images of the first ranks"""
    seconds: list[float] = field(default_factory=list)
    """per pair, a round each"""
    goal_seconds: list[float] = field(default_factory=list)
    """the same where critical faults are all that is asked for"""

    @classmethod
    def of(cls, prepared: PreparedCampaign, injection: Injection) -> _Timed:
        """Ready to be timed."""
        images = prepared.spread_images(injection.block_rows)
        audit = prepared.audit.of_ranks(0, len(images))
        block = injection.load(images, audit)
        faults = _sample(injection, block, prepared.faults_by_layer)
        first = prepared.load(0, _first_ranks(prepared, injection), injection)
        return cls(injection, images, audit, block, faults, not_critical_on(injection, first, faults))

    def measure(self, prepared: PreparedCampaign) -> None:
        """Time it on a new block, for each fault of a campaign.

        What is made once per block, its golden values and what `fast` prepares of each layer, is for all faults
        together.
        """
        started = time.perf_counter()
        self.block = self.injection.load(self.images, self.audit)
        seconds = injection_seconds(self.injection, self.block, self.faults)
        with_block = time.perf_counter() - started
        if len(self.faults) < len(prepared.faults):
            seconds = min(injection_seconds(self.injection, self.block, self.faults), with_block)
        of_block = (with_block - seconds) / len(prepared.faults)
        all_left = seconds / len(self.faults) + of_block
        some_left = injection_seconds(self.injection, self.block, self.left) / len(self.faults) + of_block
        first = _first_ranks(prepared, self.injection) / len(prepared.workload)
        self.seconds.append(all_left / len(self.images))
        self.goal_seconds.append((first * all_left + (1 - first) * some_left) / len(self.images))


def _first_ranks(prepared: PreparedCampaign, injection: Injection) -> int:
    """How many images tell which faults the goal "critical_faults" drops on the others."""
    return min(FIRST_RANKS, injection.block_rows, len(prepared.workload))


def _benchmark(prepared: PreparedCampaign, on_step: OnStep) -> Benchmark:
    injections = {name: prepared.injected_by(name, on_step) for name in METHODS}
    timed = {}
    for place, (name, injection) in enumerate(injections.items()):
        on_step(Step("choosing samples", place, len(injections)))
        timed[name] = _Timed.of(prepared, injection)
    judge = next(name for name, entry in METHODS.items() if entry.is_bit_equal)
    images, faults = timed[judge].images, timed[judge].faults
    some = faults.take(np.unique(np.linspace(0, len(faults) - 1, _naive_faults(prepared, images), dtype=np.int64)))
    naive: dict[int, list[float]] = {batch: [] for batch in NAIVE_BATCHES if batch <= len(images)}
    each_round = len(timed) + len(naive)
    for round_number in range(ROUNDS):
        for place, method in enumerate(timed.values(), start=round_number * each_round):
            on_step(Step("measuring", place, ROUNDS * each_round))
            method.measure(prepared)
        for place, batch in enumerate(naive, start=round_number * each_round + len(timed)):
            on_step(Step("measuring", place, ROUNDS * each_round))
            seconds_taken = _timed_naive(prepared, some, images, batch)
            naive[batch].append(seconds_taken / (len(some) * len(images)))
    on_step(Step("counting multiplications"))
    matrix_rate = _matrix_rate(images.device)
    best = min(naive, key=lambda batch: median(naive[batch]))
    everything = Work(1.0, timed[judge].injection.whole_macs)
    methods = {"naive": _speed(naive[best], None, naive[best], best, everything, matrix_rate)}
    for name, method in timed.items():
        work = _work(method.injection, method.block, method.faults)
        methods[name] = _speed(method.seconds, method.goal_seconds, naive[best], len(method.images), work, matrix_rate)
    return Benchmark(
        network=prepared.config.model.arch,
        dataset=prepared.config.dataset.name,
        device=prepared.numerics.device,
        threads=prepared.numerics.threads,
        faults=len(faults),
        images=len(images),
        masked_early=1 - methods[judge].run,
        matrix_rate=matrix_rate,
        methods=methods,
    )


@dataclass(frozen=True)
class Work:
    """What is left to do per pair, of all pairs."""

    run: float
    multiplications: float


def _speed(
    seconds: list[float],
    goal_seconds: list[float] | None,
    naive: list[float],
    batch: int,
    work: Work,
    matrix_rate: float,
) -> MethodSpeed:
    rate = 1 / median(seconds)
    of_floor = rate * work.multiplications / matrix_rate
    goal_ratio = median(naive) / median(goal_seconds) if goal_seconds else None
    return MethodSpeed(rate, rate * median(naive), goal_ratio, batch, work.run, work.multiplications, of_floor)


def _sample(injection: Injection, block: GoldenBlock, faults: WeightFaults) -> WeightFaults:
    """As many faults, evenly spread, as take about the time of one measurement."""
    count = 32
    while True:
        rows = np.unique(np.linspace(0, len(faults) - 1, min(count, len(faults)), dtype=np.int64))
        sample = faults.take(rows)
        if len(sample) == len(faults) or injection_seconds(injection, block, sample) >= SECONDS_PER_MEASUREMENT / 2:
            return sample
        count *= 2


def _naive_faults(prepared: PreparedCampaign, images: Tensor) -> int:
    """Faults that the naive loop runs in about the time of one measurement."""
    started = time.perf_counter()
    with torch.inference_mode():
        prepared.plain(images)
    return max(1, int(NAIVE_SECONDS / (time.perf_counter() - started)))


def _timed_naive(prepared: PreparedCampaign, faults: WeightFaults, images: Tensor, batch: int) -> float:
    started = time.perf_counter()
    for logits in naive_logits(prepared.plain, faults, images, batch):
        logits.argmax(1).cpu()
    return time.perf_counter() - started


def _work(injection: Injection, block: GoldenBlock, faults: WeightFaults) -> Work:
    run, multiplications = 0, 0
    for layer in np.unique(faults.layer):
        of_layer = faults.take(np.flatnonzero(faults.layer == layer))
        recorder = RunPairs(len(of_layer), block.count, block.logits.device)
        injection.replay(block, int(layer), of_layer, recorder)
        pairs = int(recorder.is_run.count_nonzero())
        run += pairs
        multiplications += pairs * injection.dense_macs(int(layer))
    pairs = len(faults) * block.count
    return Work(run / pairs, multiplications / pairs)


class RunPairs(Recorder):
    """Which pairs are run; those that are audited are recorded as they are."""

    def __init__(self, faults: int, images: int, device: torch.device) -> None:
        self.is_run = torch.zeros(faults, images, dtype=torch.bool, device=device)
        """[faults, images] whether each pair was run"""

    def record(self, faults: Tensor, images: Tensor, logits: Tensor) -> None:  # noqa: ARG002 - called as a Recorder
        """Note pairs as run, by rows `faults` and columns `images`, [pairs] each."""
        self.is_run[faults, images] = True

    def record_certain(self, faults: Tensor, images: Tensor, severity: Tensor, doubt: Tensor | None) -> None:  # noqa: ARG002 - as a Recorder
        """Note pairs as run, [pairs] rows and columns, although their logits were not looked at."""
        self.is_run[faults, images] = True


def _matrix_rate(device: torch.device) -> float:
    """Multiplications per second of a square matrix product, the best of some."""
    a, b = torch.randn(2, _MATRIX, _MATRIX, device=device)
    rates = []
    for _ in range(5):
        started = time.perf_counter()
        (a @ b).sum().item()
        rates.append(_MATRIX**3 / (time.perf_counter() - started))
    return max(rates)
