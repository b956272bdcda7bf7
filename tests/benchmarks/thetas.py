"""What screening leaves and misses at several thetas, beside `fast`: `python -m tests.benchmarks.thetas FOLDER DATA`.

The table of docs/screening.md: for each network the same pairs by `fast` and, without an audit, by `screened` at each
theta (both thetas at once). Half of the images are the hardest by EL2N, the others spread over all. DATA holds
weights/ and cifar10/; FOLDER gets seeded weights. Wants an idle machine, for the ratios, and ten minutes.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from engine.config.campaign_config import parse_config
from engine.injection.exact.naive import naive_logits
from engine.running.preparation import prepare
from engine.severity import CRITICAL
from tests.benchmarks.seeded_config import save_seeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from engine.injection.injection import Injection
    from engine.injection.outcomes import WeightFaults
    from engine.running.preparation import PreparedCampaign

THETAS = (0.1, 0.3, 1.0, 3.0)
NAIVE_FAULTS, NAIVE_BATCH = 6, 32


@dataclass(frozen=True)
class Case:
    """A network, and how many of its faults and images are looked at."""

    name: str
    tables: dict[str, Any]
    faults: int
    images: int


@dataclass(frozen=True, eq=False)
class Found:
    """What one method found."""

    critical: NDArray[np.bool_]
    """[faults, images]"""
    run: int
    """pairs that were not screened"""
    seconds: float


def cases(folder: Path, data: Path) -> Iterator[Case]:
    cifar10 = {"name": "cifar10", "path": str(data / "cifar10")}
    own = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    trained = data / "weights"
    yield Case("LeNet-5, real", {"model": {"arch": "lenet5"}, "dataset": {"name": "mnist"}}, 16_501, 2_000)
    resnet20 = {"arch": "resnet20", "weights": str(trained / "resnet20-cifar10.th")}
    yield Case("ResNet-20, real", {"model": resnet20, "dataset": cifar10 | own}, 4_000, 256)
    mobilenet = {"arch": "mobilenetv2", "width": 0.5, "weights": str(trained / "mobilenetv2x0.5-cifar10.pt")}
    yield Case("MobileNetV2 x0.5, real", {"model": mobilenet, "dataset": cifar10}, 4_000, 256)
    for arch, images, dataset, faults, count in (
        ("lenet5", (1, 28, 28), {"name": "mnist"}, 16_501, 500),
        ("resnet20", (3, 32, 32), cifar10, 4_000, 256),
    ):
        weights = folder / f"{arch}-untrained.safetensors"
        save_seeded(arch, weights, torch.rand(256, *images, generator=torch.Generator().manual_seed(0)))
        model = {"arch": arch, "weights": str(weights)}
        yield Case(f"{arch}, untrained", {"model": model, "dataset": dataset}, faults, count)


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    folder, data = (Path(argument).resolve() for argument in sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases(folder, data):
        measure(case)


def measure(case: Case) -> None:
    """Print a line for `fast` and one for each theta."""
    config = parse_config(case.tables | {"name": case.name, "faults": {"count": case.faults}}, case.name)
    prepared = prepare(config)
    half = case.images // 2
    ranks = np.concatenate([np.arange(half), np.linspace(half, len(prepared.workload) - 1, half, dtype=np.int64)])
    images, faults = prepared.images_at(ranks), prepared.faults_in_execution_order()
    naive = _naive_rate(prepared, images, faults)
    fast = _found(prepared.injection, images, faults)
    pairs = fast.critical.size
    print(
        f"{case.name}: {pairs:,} pairs, {100 * fast.critical.mean():.3f} % critical, "
        f"fast {pairs / fast.seconds:,.0f}/s, {pairs / fast.seconds / naive:.1f} x naive",
        flush=True,
    )
    for theta in THETAS:
        run = config.run.model_copy(update={"theta": theta, "theta2": theta})
        other = replace(prepared, config=config.model_copy(update={"run": run}))
        found = _found(other.injected_by("screened"), images, faults)
        missed = fast.critical & ~found.critical
        more = int(np.count_nonzero(found.critical & ~fast.critical))
        print(
            f"  theta {theta}: left {100 * found.run / pairs:.2f} %, missed {np.count_nonzero(missed):,} pairs, "
            f"{np.count_nonzero(fast.critical.any(1) & ~found.critical.any(1)):,} faults, {more} more than fast, "
            f"{fast.seconds / found.seconds:.1f} x fast, {pairs / found.seconds / naive:.0f} x naive",
            flush=True,
        )


def _found(injection: Injection, images: torch.Tensor, faults: WeightFaults) -> Found:
    """Of all pairs, nothing of which is audited."""
    parts, run, started = [], 0, time.perf_counter()
    for block in torch.split(images, injection.block_rows):
        outcomes = list(injection.inject(injection.load(block), faults))
        parts.append(np.concatenate([group.severity == CRITICAL for group in outcomes]))
        run += sum(int(np.count_nonzero(group.severity <= CRITICAL)) for group in outcomes)
    return Found(np.concatenate(parts, axis=1), run, time.perf_counter() - started)


def _naive_rate(prepared: PreparedCampaign, images: torch.Tensor, faults: WeightFaults) -> float:
    """Pairs per second of the plain loop."""
    some = faults.take(np.linspace(0, len(faults) - 1, NAIVE_FAULTS, dtype=np.int64))
    started = time.perf_counter()
    for logits in naive_logits(prepared.plain, some, images[:256], NAIVE_BATCH):
        logits.argmax(1)
    return NAIVE_FAULTS * len(images[:256]) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
