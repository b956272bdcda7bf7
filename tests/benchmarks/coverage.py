"""How often intervals hold the truth: `python -m tests.benchmarks.coverage FOLDER DATA`.

Every fault of ResNet-20's conv1 and linear is run on 1,000 images, and every fault of LeNet-5's conv2 on all; then each
design draws 1,000 samples of these faults, and its intervals of 99 % are compared with what all faults show, per layer
and over the layers together. DATA holds weights/resnet20-cifar10.th and cifar10/test_batch.bin. FOLDER gets the store,
and is gone on with where a run was stopped. What was run comes from the store, so that no sample is injected.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.estimate import estimate_mean, estimate_share
from engine.config.campaign_config import FaultsConfig, parse_config
from engine.faults.designs.registry import DESIGNS
from engine.faults.draw import draw_faults, population_of
from engine.faults.population import FaultSites
from engine.injection.network.layers import injectable_layers
from engine.running.execution import execute
from engine.running.preparation import prepare
from engine.store import Store
from tests.test_sample_configs import Silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engine.analysis.estimate import Share
    from engine.faults.fault_list import FaultList
    from engine.faults.population import Layer
    from engine.running.preparation import PreparedCampaign
    from engine.store import CampaignSummary

DRAWS = 1000
MARGINS = (0.01, 0.05)
CONFIDENCE = 0.99
QUANTITIES = ("critical faults", "critical pairs", "faulty accuracy")


@dataclass(frozen=True)
class Known:
    """What every fault of some layers shows."""

    layers: tuple[Layer, ...]
    chosen: tuple[str, ...]
    images: int
    critical: NDArray[np.int64]
    """[population] images that each fault is critical for, by its index in the population"""
    correct: NDArray[np.int64]


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    folder, data = (Path(argument).resolve() for argument in sys.argv[1:])
    for config in (lenet5(), resnet20(data)):
        known = run(config, folder / "store")
        for sampling in DESIGNS:
            for margin in MARGINS if sampling != "exhaustive" else ():
                print_coverage(known, sampling, margin)


def lenet5() -> dict[str, Any]:
    return {
        "name": "lenet5",
        "model": {"arch": "lenet5"},
        "dataset": {"name": "mnist"},
        "faults": {"sampling": "exhaustive", "layers": ["conv2"]},
    }


def resnet20(data: Path) -> dict[str, Any]:
    return {
        "name": "resnet20",
        "model": {"arch": "resnet20", "weights": str(data / "weights" / "resnet20-cifar10.th")},
        "dataset": {"name": "cifar10", "path": str(data / "cifar10"), "mean": [0.485, 0.456, 0.406],
                    "std": [0.229, 0.224, 0.225]},
        "faults": {"sampling": "exhaustive", "layers": ["conv1", "linear"]},
        "workload": {"select": "random", "n": 1000},
        "run": {"method": "screened"},
    }  # fmt: skip


def run(tables: dict[str, Any], store: Path) -> Known:
    """Run every fault, or read what was found of them."""
    prepared = prepare(parse_config(tables, tables["name"]))
    campaign = execute(prepared, store, Silent(), lambda: False).id
    with Store.open(store, read_only=True) as opened:
        return _known(prepared, opened.summary(campaign))


def _known(prepared: PreparedCampaign, summary: CampaignSummary) -> Known:
    """The exhaustive design numbers its faults as the population does."""
    layers, faults = injectable_layers(prepared.plain), prepared.config.faults
    return Known(layers, tuple(faults.layers or ()), len(summary.workload), summary.critical, summary.correct)


def print_coverage(known: Known, sampling: str, margin: float) -> None:
    """A line for each group of layers: of how many samples each interval holds the truth, in percent."""
    population = population_of(FaultsConfig(layers=known.chosen), known.layers)
    layer_of = population.decode(np.arange(len(population))).layer
    groups = [(known.layers[layer].name, [layer]) for layer in population.chosen]
    groups += [("together", list(population.chosen))] if len(groups) > 1 else []
    held = np.zeros((len(groups), len(QUANTITIES)))
    for seed in range(DRAWS):
        config = FaultsConfig(sampling=sampling, error_margin=margin, layers=known.chosen, seed=seed)
        drawn = draw_faults(config, known.layers)
        index = population.encode(FaultSites(drawn.layer, drawn.weight_index, drawn.bit, drawn.stuck))
        for row, (_, layers) in enumerate(groups):
            members = np.isin(layer_of, layers)
            held[row] += holds(known, index[members[index]], *parts_of(drawn, layers), members)
    for (name, _), counts in zip(groups, held, strict=True):
        shares = ", ".join(
            f"{what} {100 * count / DRAWS:.1f} %" for what, count in zip(QUANTITIES, counts, strict=True)
        )
        print(f"{sampling:13} {margin:<5} {name:9} {len(drawn):>7,} faults: {shares}", flush=True)


def parts_of(drawn: FaultList, layers: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of faults in some layers: which part of a stratum each is of, a layer's own, [F]; and how large the parts are."""
    parts = [(number, layer) for number, each in enumerate(drawn.strata) for layer in each.layers if layer in layers]
    place = np.full((len(drawn.strata), len(drawn.layers)), -1)
    place[tuple(np.array(parts).T)] = np.arange(len(parts))
    of_fault = place[drawn.stratum, drawn.layer]
    sizes = [drawn.layers[layer].size * len(drawn.strata[number].bits) for number, layer in parts]
    return of_fault[of_fault >= 0], np.array(sizes)


def holds(
    known: Known,
    index: NDArray[np.int64],
    strata: NDArray[np.int64],
    sizes: NDArray[np.int64],
    members: NDArray[np.bool_],
) -> list[bool]:
    """Whether the interval of each quantity holds what all members show."""
    critical, correct = known.critical[index], known.correct[index]
    hits = np.bincount(strata, critical > 0, len(sizes)).astype(np.int64)
    drawn = np.bincount(strata, minlength=len(sizes))
    shares: list[tuple[Share, float]] = [
        (estimate_share(hits, drawn, sizes, CONFIDENCE), float((known.critical[members] > 0).mean())),
        (
            estimate_mean(critical, known.images, strata, sizes, CONFIDENCE),
            float(known.critical[members].mean()) / known.images,
        ),
        (
            estimate_mean(correct, known.images, strata, sizes, CONFIDENCE),
            float(known.correct[members].mean()) / known.images,
        ),
    ]
    return [share.low - 1e-12 <= truth <= share.high + 1e-12 for share, truth in shares]


if __name__ == "__main__":
    main()
