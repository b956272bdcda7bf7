"""Whether a GPU gives what the naive loop gives, and how fast: everything that proves a new GPU, in one run.

python -m tests.benchmarks.cuda [--data FOLDER] [--device cuda] [--networks lenet5 ...] [--pairs N] [--share N]
    [--methods exact fast screened] [--timed fast screened] [--no-counts] [--out FILE]

LeNet-5 on MNIST is bundled. With `--data` (a folder with cifar10/, weights/ and truth/) also ResNet-20 with its
published list and MobileNetV2 x0.5, both with their real weights, and ResNet-18 and VGG-11 with seeded ones on the same
images; without it, the last two on seeded noise. For each network, in this order:

1. pairs against the naive loop on the same device, in the same batch shape: every critical label, prediction and flag;
   of `exact` every severity;
2. naive at its best batch size, and each method on one pair in `--share` (all of LeNet-5's, and all of the published
   list's by `screened`), of all ranks and layers: seconds, with golden values and results on the host;
3. launches, and waits of the host, per million pairs; on a CPU, operator calls; the most memory that was allocated; the
   share of the card's arithmetic in the dense part.

Prints a table; writes all as JSON after each network.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch._C._profiler import _ExperimentalConfig
from torch.profiler import ProfilerActivity, profile

from dear_tui.cli.printing.terminal_table import print_table
from engine.analysis.result_table import Cell, Column, Kind, Table
from engine.config.campaign_config import CampaignConfig
from engine.datasets import load_dataset
from engine.errors import DearError
from engine.injection.exact.naive import naive_logits
from engine.injection.fast.block import FastBlock
from engine.injection.fast.method import FastMethod
from engine.injection.methods import METHODS
from engine.injection.pairs import Pairs
from engine.injection.recording import SeverityMatrix
from engine.running.blocks.image_slices import join
from engine.running.preparation import PreparedCampaign, prepare
from engine.severity import CRITICAL, SCREENED
from tests.benchmarks.against_naive import by_pair, spread_over_bits
from tests.benchmarks.seeded_config import save_seeded

if TYPE_CHECKING:
    from engine.injection.injection import Injection
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.outcomes import Outcomes, WeightFaults

SEEDED = ("resnet18", "vgg11")
NAIVE_BATCHES = (64, 256, 1024, 2048, 4096)
NAIVE_SECONDS = 1.0
FULL = {("lenet5", "exact"), ("lenet5", "fast"), ("lenet5", "screened"), ("resnet20", "screened")}
"""network and method: run on all faults"""
FULL_ENOUGH = 0.9
"""of the largest block, that some images are to be timed as one"""
FLOPS_PER_CORE = 2
CORES = 128
"""float32 units of a multiprocessor of NVIDIA's data-centre GPUs since Ampere's GA10x and Hopper"""


@dataclass
class Agreement:
    """Pairs that differ from the naive loop."""

    pairs: int = 0
    critical: int = 0
    critical_differs: int = 0
    prediction_differs: int = 0
    nonfinite_differs: int = 0
    severity_differs: int = 0
    """masked against non-critical among them"""
    screened: int = 0
    missed: int = 0
    """screened although critical"""


@dataclass
class Speed:
    """How one method ran over the images."""

    pairs: int
    seconds: float
    loading: float
    """of those seconds, for golden values, gradients and tables"""
    faults: int
    critical: int
    critical_faults: int
    screened: float
    """share of the pairs"""
    most_memory: int
    launches_per_million: float | None
    """None: not counted"""
    waits_per_million: float | None

    @property
    def pairs_per_s(self) -> float:
        return self.pairs / self.seconds


@dataclass
class Result:
    """All figures of one network."""

    network: str
    device: str
    torch: str
    memory: int
    batch_floor: int
    block_rows: int
    naive_pairs_per_s: float = 0
    naive_batch: int = 0
    agreement: dict[str, Agreement] = field(default_factory=dict)
    speed: dict[str, Speed] = field(default_factory=dict)
    repeats: bool | None = None
    """whether a second run gave the same bits; None: there was none"""
    dense_of_peak: float = 0.0
    notes: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--networks", nargs="*")
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--timed", nargs="*", help="of the methods; all if absent")
    parser.add_argument("--pairs", type=int, default=100_000, help="to compare; 0: only times are wanted")
    parser.add_argument("--share", type=int, default=8, help="one pair in so many")
    parser.add_argument("--images", type=int, help="of the workload, the first ones; all if absent")
    parser.add_argument("--memory", type=int, help="bytes; 80 %% of what is free on the GPU, or 2 GB, if absent")
    parser.add_argument("--no-counts", action="store_true", help="of launches and waits, which take a while")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.device != "cpu":
        print(tf32_report(options.device))
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        found = configs(options.data, Path(folder), options)
        for name in options.networks or found:
            config = found[name]
            try:
                results.append(measure(name, config, options))
            except DearError as error:
                print(f"{name}: {error}")
            if options.out:
                options.out.write_text(json.dumps([asdict(result) for result in results], indent=1))
            torch.cuda.empty_cache()
    print_results(results)


def configs(data: Path | None, folder: Path, options: argparse.Namespace) -> dict[str, CampaignConfig]:
    """The campaigns, by network."""
    memory = options.memory
    if memory is None:
        memory = int(0.8 * torch.cuda.mem_get_info()[0]) if options.device != "cpu" else 2 * 10**9
    run = {"device": options.device, "memory": memory, "method": options.methods[0]}
    workload = {"select": "top_n", "n": options.images} if options.images else {}
    found: dict[str, dict[str, Any]] = {"lenet5": {"model": {"arch": "lenet5"}, "dataset": {"name": "mnist"}}}
    images: dict[str, Any] = {"name": "npz", "path": str(folder / "noise.npz")}
    if data is not None:
        images = {"name": "cifar10", "path": str(data / "cifar10")}
        weights = data / "weights"
        found["resnet20"] = {
            "model": {"arch": "resnet20", "weights": str(weights / "resnet20-cifar10.th")},
            "dataset": images,
            "faults": {"sampling": "list", "list": str(data / "truth" / "ResNet20_FL.csv"), "population": "x64"},
        }
        found["mobilenetv2"] = {
            "model": {"arch": "mobilenetv2", "width": 0.5, "weights": str(weights / "mobilenetv2x0.5-cifar10.pt")},
            "dataset": images,
        }
    else:
        noise = np.random.default_rng(0).random((2048, 3, 32, 32), dtype=np.float32)
        np.savez(folder / "noise.npz", images=noise, labels=np.arange(2048) % 10)
    for arch in SEEDED:
        found[arch] = {"model": {"arch": arch, "weights": str(folder / f"{arch}.safetensors")}, "dataset": images}
    return {
        name: CampaignConfig.model_validate({"name": name, "run": run, "workload": workload, **tables})
        for name, tables in found.items()
    }


def measure(name: str, config: CampaignConfig, options: argparse.Namespace) -> Result:
    weights = config.model.weights
    if name in SEEDED and weights is not None and not weights.exists():
        save_seeded(name, weights, torch.from_numpy(load_dataset(config.dataset).batch(np.arange(256))))
    started = time.perf_counter()
    prepared = prepare(config)
    say(started, name, "prepared", prepared.numerics)
    own = prepared.injection
    result = Result(name, prepared.numerics.device_name, torch.__version__, own.memory, own.rows.floor, own.block_rows)
    naive(prepared, result)
    say(started, f"naive {result.naive_pairs_per_s:,.0f} pairs/s at {result.naive_batch}")
    for method in options.methods:
        injection = prepared.injected_by(method)
        result.notes += injection.notes
        if options.pairs:
            result.agreement[method] = agree(prepared, injection, options.pairs)
            say(started, method, result.agreement[method])
        is_timed = options.timed is None or method in options.timed
        if is_timed and (method != "exact" or (name, method) in FULL):
            share = 1 if (name, method) in FULL else options.share
            result.speed[method] = speed(prepared, injection, share, options.no_counts)
            say(started, method, result.speed[method], f"{result.speed[method].pairs_per_s:,.0f} pairs/s")
        if options.pairs:
            result.repeats = result.repeats is not False and repeats(prepared, injection)
        if method == "fast":
            result.dense_of_peak = dense_of_peak(prepared, injection)
            say(started, f"dense part: {100 * result.dense_of_peak:.0f} % of the card's arithmetic")
    return result


def say(started: float, *words: object) -> None:
    print(f"[{time.perf_counter() - started:6.1f}]", *words, flush=True)


def tf32_report(device: str) -> str:
    """A product of random matrices against float64: TF32 errs a thousand times more."""
    a, b = torch.randn(2, 1024, 1024, device=device, generator=torch.Generator(device).manual_seed(0))
    errors = []
    for allowed in (False, True):
        torch.backends.cuda.matmul.allow_tf32 = allowed
        errors.append(float((a @ b - a.double() @ b.double()).abs().max() / (a.double() @ b.double()).abs().max()))
    torch.backends.cuda.matmul.allow_tf32 = False
    return f"largest relative error of a matrix product: {errors[0]:.1e} as it is run here, {errors[1]:.1e} with TF32"


def naive(prepared: PreparedCampaign, result: Result) -> None:
    """The naive loop at each batch size for a second, after a warm-up; the best is kept."""
    faults = spread_over_bits(prepared, 32)[0]
    most = len(prepared.workload)
    for batch in [size for size in NAIVE_BATCHES if size <= most] or [most]:
        images = prepared.images(0, batch)
        pairs, started = 0, 0.0
        for number, logits in enumerate(naive_logits(prepared.plain, faults, images, batch)):
            logits.argmax(1).cpu()
            if number == 2:
                pairs, started = 0, time.perf_counter()
            pairs += batch
            if number > 4 and time.perf_counter() - started > NAIVE_SECONDS:
                break
        rate = (pairs - batch) / (time.perf_counter() - started)
        if rate > result.naive_pairs_per_s:
            result.naive_pairs_per_s, result.naive_batch = rate, batch


def agree(prepared: PreparedCampaign, injection: Injection, pairs: int) -> Agreement:
    """Faults of all bits on a block of the hardest and of other images, in the batch shape of the block."""
    rows = min(injection.block_rows, len(prepared.workload))
    ranks = np.unique(
        np.concatenate([np.arange(rows // 2), np.linspace(rows // 2, len(prepared.workload) - 1, rows // 2)])
    )
    block = injection.load(prepared.images_at(ranks.astype(np.int64)))
    faults, _ = spread_over_bits(prepared, -(-pairs // block.count))
    ours = join([list(injection.inject(block, faults))])
    with torch.inference_mode(), injection.workers.rounding():
        matrix = SeverityMatrix(len(faults), prepared.plain(block.images.clone())[: block.count])
        every = torch.arange(block.count, device=block.logits.device)
        judge = naive_logits(prepared.plain, faults, block.images, len(block.images))
        for row, logits in enumerate(judge):
            matrix.record(torch.full_like(every, row), every, logits[: block.count])
    return compared(ours, matrix.outcomes(faults.positions))


def compared(ours: Outcomes, judge: Outcomes) -> Agreement:
    """Two answers about the same pairs."""
    known = ours.severity != SCREENED
    is_critical, should_be = ours.severity == CRITICAL, judge.severity == CRITICAL
    told, asked = by_pair(ours), by_pair(judge)
    both = told.keys() & asked.keys()
    return Agreement(
        pairs=judge.severity.size,
        critical=int(should_be.sum()),
        critical_differs=int((known & (is_critical != should_be)).sum()),
        prediction_differs=sum(told[pair][0] != asked[pair][0] and not asked[pair][1] for pair in both),
        nonfinite_differs=sum(told[pair][1] != asked[pair][1] for pair in both),
        severity_differs=int((known & (ours.severity != judge.severity)).sum()),
        screened=int((~known).sum()),
        missed=int((~known & should_be).sum()),
    )


def speed(prepared: PreparedCampaign, injection: Injection, share: int, is_uncounted: bool) -> Speed:
    """One pair in `share`, block by block: of the images where they fill a block, as in a campaign, else of faults."""
    faults, ranks = prepared.faults_in_execution_order(), np.arange(len(prepared.workload))
    if len(ranks) >= share * injection.block_rows * FULL_ENOUGH:
        ranks = ranks[::share]
    else:
        faults = faults.take(np.arange(0, len(faults), share))
    is_gpu = prepared.numerics.device != "cpu"
    warm_up(prepared, injection, faults)
    if is_gpu:
        torch.cuda.reset_peak_memory_stats()
    counts: Counter[str] = Counter()
    critical = np.zeros(len(faults), dtype=bool)
    loading, started = 0.0, time.perf_counter()
    block = None
    for start in range(0, len(ranks), injection.block_rows):
        before, block = time.perf_counter(), None  # two do not fit
        block = injection.load(prepared.images_at(ranks[start : start + injection.block_rows]))
        if is_gpu:
            torch.cuda.synchronize()
        loading += time.perf_counter() - before
        place = 0
        for outcomes in injection.inject(block, faults):
            counts["pairs"] += outcomes.severity.size
            counts["screened"] += int(np.count_nonzero(outcomes.severity == SCREENED))
            counts["critical"] += len(outcomes.critical_fault)
            critical[place + outcomes.critical_fault] = True
            place += len(outcomes.positions)
    seconds, block = time.perf_counter() - started, None
    most = torch.cuda.max_memory_allocated() if is_gpu else 0
    launches, waits = (None, None) if is_uncounted else calls(prepared, injection, faults)
    return Speed(
        counts["pairs"], seconds, loading, len(faults), counts["critical"], int(critical.sum()),
        counts["screened"] / max(1, counts["pairs"]), most, launches, waits,
    )  # fmt: skip


def warm_up(prepared: PreparedCampaign, injection: Injection, faults: WeightFaults) -> None:
    """Libraries choose and load their kernels when they are first asked."""
    block = injection.load(prepared.images(0, min(256, injection.block_rows)))
    for _ in injection.inject(block, faults.take(np.arange(0, len(faults), 64))):
        pass


def calls(prepared: PreparedCampaign, injection: Injection, faults: WeightFaults) -> tuple[float, float]:
    """Kernel launches (on a CPU: operator calls) and waits of the host, per million pairs of one block."""
    some = faults.take(np.arange(0, len(faults), 4))
    block = injection.load(prepared.images(0, injection.block_rows))
    activities = [ProfilerActivity.CPU]
    if prepared.numerics.device != "cpu":
        activities.append(ProfilerActivity.CUDA)
    everywhere = _ExperimentalConfig(profile_all_threads=True)  # workers are threads
    with profile(activities=activities, experimental_config=everywhere) as watch:
        pairs = sum(outcomes.severity.size for outcomes in injection.inject(block, some))
    events = watch.key_averages()
    if prepared.numerics.device == "cpu":
        launches = sum(event.count for event in events if event.key.startswith("aten::"))
    else:
        launches = sum(event.count for event in events if "LaunchKernel" in event.key)
    waits = sum(event.count for event in events if "Synchronize" in event.key)
    return 1e6 * launches / pairs, 1e6 * waits / pairs


def repeats(prepared: PreparedCampaign, injection: Injection) -> bool:
    """Whether a second run of some faults gives the same severities and predictions."""
    faults, _ = spread_over_bits(prepared, 64)
    block = injection.load(prepared.images(0, injection.block_rows))
    one, other = (join([list(injection.inject(block, faults))]) for _ in range(2))
    return np.array_equal(one.severity, other.severity) and np.array_equal(one.prediction, other.prediction)


def dense_of_peak(prepared: PreparedCampaign, injection: Injection) -> float:
    """Multiplications of the dense part, as direct convolutions, over what the card could do in the same time.

    Random pairs after each layer, weighted by how many faults each layer has.
    """
    if prepared.numerics.device == "cpu":
        return 0.0
    properties = torch.cuda.get_device_properties(prepared.numerics.device)
    clock = 1e3 * getattr(properties, "clock_rate", 1_980_000)
    peak = FLOPS_PER_CORE * CORES * properties.multi_processor_count * clock
    block = injection.load(prepared.images(0, injection.block_rows))
    work = seconds = 0.0
    of_layer = np.bincount(prepared.faults.layer, minlength=len(injection.names))
    for layer, weight in enumerate(of_layer):
        timed = dense_seconds(injection, block, layer)
        if timed is not None:
            work += weight * 2 * injection.dense_macs(layer)
            seconds += weight * timed
    return work / seconds / peak if seconds else 0.0


def dense_seconds(injection: Injection, block: GoldenBlock, layer: int) -> float | None:
    """Seconds for a pair after a fault in a layer, of full batches; None where `fast` has no dense part there."""
    method = injection._method(layer)
    if not isinstance(method, FastMethod) or not isinstance(block, FastBlock) or method.macs(layer) == 0:
        return None
    batches = method._batches(block, layer)
    size = method._plan.sizes.dense[layer]
    count = 8 * size
    device = batches.block.logits.device
    image = torch.arange(count, device=device) % batches.block.count
    channels = batches.suffix.suffix.channels
    channel = (torch.arange(count, device=device) * channels // count).to(torch.int64)
    frontier = batches.suffix.suffix.frontier.items()
    changed = {
        node: 0.1 * torch.randn_like(where.apart(batches.block.values[node][:1])[0, :1]).expand(count, -1, -1)
        for node, where in frontier
    }
    pairs = Pairs(torch.zeros_like(image), image, channel, changed)
    with torch.inference_mode():
        batches.run(pairs, size)
        torch.cuda.synchronize()
        started = time.perf_counter()
        batches.run(pairs, size)
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / count


def table_of(results: list[Result]) -> Table:
    """A row for each network and method."""
    columns = (
        Column("network"),
        Column("method"),
        Column("pairs_per_s", Kind.AMOUNT, "pairs/s"),
        Column("ratio", Kind.NUMBER, "x naive"),
        Column("pairs", Kind.COUNT),
        Column("seconds", Kind.NUMBER, "s"),
        Column("loading", Kind.NUMBER, "s loading"),
        Column("screened", Kind.PERCENT),
        Column("critical", Kind.COUNT),
        Column("compared", Kind.COUNT),
        Column("differ", Kind.COUNT),
        Column("missed", Kind.COUNT),
        Column("launches", Kind.NUMBER, "launches/M"),
        Column("waits", Kind.NUMBER, "waits/M"),
        Column("gigabytes", Kind.NUMBER, "GB"),
    )
    rows = [_naive_row(result, len(columns)) for result in results]
    rows += [_row(result, method) for result in results for method in {**result.agreement, **result.speed}]
    return Table("", columns, tuple(sorted(rows, key=lambda row: str(row[0]))))


def _naive_row(result: Result, columns: int) -> tuple[Cell, ...]:
    return (result.network, f"naive, batch {result.naive_batch}", result.naive_pairs_per_s, 1, *[None] * (columns - 4))


def _row(result: Result, method: str) -> tuple[Cell, ...]:
    one, timed = result.agreement.get(method), result.speed.get(method)
    compared = (None, None, None) if one is None else (one.pairs, one.critical_differs, one.missed)
    if timed is None:
        return (result.network, method, *[None] * 7, *compared, None, None, None)
    return (
        *(result.network, method, timed.pairs_per_s, timed.pairs_per_s / result.naive_pairs_per_s, timed.pairs),
        *(timed.seconds, timed.loading, 100 * timed.screened, timed.critical, *compared),
        *(timed.launches_per_million, timed.waits_per_million, timed.most_memory / 1e9),
    )


def print_results(results: list[Result]) -> None:
    """The table, and what else is to be said of each network."""
    print()
    print_table(table_of(results))
    for result in results:
        again = {None: "no second run", True: "the same bits in a second run", False: "OTHER BITS in a second run"}
        dense = f"dense part {100 * result.dense_of_peak:.0f} % of the card's arithmetic"
        print(f"{result.network}: {again[result.repeats]}; {dense}")
        for note in dict.fromkeys(result.notes):
            print(f"{result.network}: {note}")


if __name__ == "__main__":
    main()
