"""The store with every fault of ResNet-20 on 100 images: `python -m tests.benchmarks.exhaustive_store`, by hand.

The outcomes are made up, with the shares of a screened campaign whose goal is which faults are critical: all pairs of
bits 0 to 18 are screened, of the others some are run, and a critical fault is dropped from the next block on. Each
figure is of a process of its own, whose peak memory it has. Wants one idle core, 4 GB of memory and a few minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.config.campaign_config import CRITICAL_FAULTS, FaultsConfig
from engine.faults.draw import draw_faults
from engine.faults.group import FaultGroup
from engine.faults.population import Layer
from engine.injection.outcomes import Outcomes
from engine.running.blocks.part_cutting import PART_PAIRS
from engine.severity import CRITICAL, DROPPED, MASKED, NON_CRITICAL, SCREENED
from engine.store import NewCampaign, Store
from engine.store.sql.sql import SqlSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

RANKS = (0, 16, 48, 100)
GROUP_PAIRS = 500_000
CAMPAIGN = 1
LAST_SCREENED_BIT = 18
QUERIES = (
    "select bit, sum(critical) from faults join fault_summary using (campaign, fault_id) group by 1",
    "select count(*) from fault_summary where critical > 0",
    "select severity, count(*) from severity group by 1",
    "select * from faults where fault_id = 4000000",
    "select * from faults",
    "select * from curve",
)


def resnet20(channels: int = 16) -> tuple[Layer, ...]:
    """Its injectable layers."""
    shapes = [("conv1", (channels, 3, 3, 3))]
    width = channels
    for stage in (1, 2, 3):
        wide = channels << stage - 1
        for block in range(3):
            for name in ("conv1", "conv2"):
                shapes.append((f"layer{stage}.{block}.{name}", (wide, width, 3, 3)))
                width = wide
    return tuple(Layer(index, *each) for index, each in enumerate([*shapes, ("linear", (10, width))]))


def new_campaign(channels: int) -> NewCampaign:
    """Every flip of random weights."""
    random = np.random.default_rng(1)
    layers = resnet20(channels)
    faults = draw_faults(FaultsConfig(sampling="exhaustive"), layers)
    weights = [random.normal(0, 0.1, layer.size).astype(np.float32) for layer in layers]
    starts = np.cumsum([0, *(layer.size for layer in layers)])
    golden = np.concatenate(weights)[starts[faults.layer] + faults.weight_index]
    labels, metric = random.integers(0, 10, RANKS[-1]), random.random(RANKS[-1])
    return NewCampaign(
        fingerprint="benchmark",
        identity={},
        name="benchmark",
        network="resnet20",
        dataset="cifar10",
        select="all",
        metric="el2n",
        method="screened",
        goal=CRITICAL_FAULTS,
        config={"faults": {"sampling": "exhaustive"}},
        numerics={},
        faults=faults,
        golden_values=golden,
        faulty_values=faults.format.faulty_values(golden, faults.bit, faults.stuck),
        labels=labels,
        golden_class=labels,
        metrics={"el2n": metric},
        workload=np.argsort(-metric),
    )


def cell(store: Store) -> object:
    """The faults of one cell of the map."""
    return store.faults(CAMPAIGN, FaultGroup("layer3.2.conv2", 30), "critical")


def create(path: Path, channels: int) -> None:
    with Store.open(path) as store:
        store.create(new_campaign(channels))


def write(path: Path, channels: int) -> None:
    """Commit all pairs in parts as a campaign does, without sealing it."""
    faults = draw_faults(FaultsConfig(sampling="exhaustive"), resnet20(channels))
    order = faults.execution_order()
    bit = faults.bit[order]
    random = np.random.default_rng(2)
    is_critical = np.zeros(len(order), bool)
    with Store.open(path) as store, store.lock():
        started = time.monotonic()
        writer = store.writer(CAMPAIGN)
        print(f"   of these {time.monotonic() - started:.1f} s until the first part", flush=True)
        inside = 0.0
        for rank_start, rank_stop in pairwise(RANKS):
            pairs, group = 0, GROUP_PAIRS // (rank_stop - rank_start)
            dropped = is_critical.copy()
            for start in range(0, len(order), group):
                some = slice(start, start + group)
                outcomes = _outcomes(order[some], bit[some], dropped[some], rank_stop - rank_start, random)
                is_critical[start + outcomes.critical_fault] = True
                started = time.monotonic()
                writer.add(rank_start, start, outcomes)
                pairs += outcomes.severity.size
                if pairs >= PART_PAIRS or some.stop >= len(order):
                    writer.commit(1.0)
                    pairs = 0
                inside += time.monotonic() - started
        print(f"   of these {inside:.1f} s in the writer, {len(writer.done)} parts", flush=True)
    store_size(path)


def _outcomes(
    positions: NDArray[np.int64],
    bit: NDArray[np.uint8],
    dropped: NDArray[np.bool_],
    images: int,
    random: np.random.Generator,
) -> Outcomes:
    severity = np.full((len(positions), images), SCREENED, np.uint8)
    run = np.flatnonzero((bit > LAST_SCREENED_BIT) & (random.random(len(bit)) < 0.2))
    chance = random.random((len(run), images), np.float32)
    limits = np.array([0.5, 0.8, 0.99], np.float32)
    severity[run] = np.array([SCREENED, MASKED, NON_CRITICAL, CRITICAL], np.uint8)[np.digitize(chance, limits)]
    severity[dropped] = DROPPED
    fault, image = np.nonzero(severity == CRITICAL)
    prediction = (fault % 10).astype(np.uint16)
    lost = np.linspace(0, 1, len(fault), dtype=np.float32)
    return Outcomes(positions, severity, fault, image, prediction, prediction > 8, prediction > 4, lost)


def seal(path: Path) -> None:
    with Store.open(path) as store, store.lock():
        store.writer(CAMPAIGN).seal()
    store_size(path)


def store_size(path: Path) -> None:
    folder = path / "campaigns" / f"campaign={CAMPAIGN:06d}"
    sizes = {each.name: _size(each) for each in folder.iterdir()}
    print("   " + ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items() if size > 1e4), flush=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.iterdir())


def verify(path: Path) -> None:
    with Store.open(path) as store, store.lock():
        assert store.verify(CAMPAIGN, lambda _done, _parts: None) == []


def restore(path: Path, channels: int) -> None:
    with Store.open(path) as store:
        store.restore(CAMPAIGN, new_campaign(channels))


def reading(ask: Callable[[Store], object]) -> Callable[[Path], None]:
    def read(path: Path) -> None:
        with Store.open(path, read_only=True) as store:
            for time_of in ("", "again: "):
                started = time.monotonic()
                ask(store)
                print(f"   {time_of}{time.monotonic() - started:.2f} s", flush=True)

    return read


def sql(path: Path) -> None:
    with SqlSession(path) as session:
        for query in QUERIES:
            started = time.monotonic()
            rows = 0
            for _ in session.query(query):
                rows += 1
                if rows == 100_000:
                    break
            print(f"   {time.monotonic() - started:.2f} s: {query} ({rows} rows)", flush=True)


def _report(store: Store) -> object:
    from engine.analysis.campaign_results import campaign_results

    return campaign_results(store.summary(CAMPAIGN), store.description(CAMPAIGN))


STEPS: dict[str, Callable[[Path], object]] = {
    "map": reading(lambda store: store.rates(CAMPAIGN)),
    "faults by critical": reading(lambda store: store.faults(CAMPAIGN, FaultGroup(), "critical")),
    "faults of a cell": reading(cell),
    "one fault": reading(lambda store: store.faults(CAMPAIGN, FaultGroup(fault_id=4_000_000), "fault_id")),
    "its images": reading(lambda store: store.critical_images(CAMPAIGN, 4_000_000)),
    "curve": reading(lambda store: store.curve(CAMPAIGN)),
    "layers": reading(lambda store: store.layers(CAMPAIGN)),
    "image counts": reading(lambda store: store.image_counts(CAMPAIGN)),
    "critical faults": reading(lambda store: store.critical_fault_ids(CAMPAIGN)),
    "table I": reading(lambda store: store.table_one(CAMPAIGN)),
    "audit": reading(lambda store: store.audit(CAMPAIGN)),
    "images": reading(lambda store: store.images(CAMPAIGN, "critical")),
    "show and report": reading(_report),
    "sql": sql,
    "verify": verify,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, default=16, help="of the first layer: 4 for a sixteenth of the faults")
    parser.add_argument("--store", type=Path, help="a store that an earlier run has made, or is to make")
    parser.add_argument("--only", help="names of figures, separated by commas")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    steps: dict[str, Callable[[Path], object]] = {
        "draw": lambda _path: new_campaign(options.channels),
        "create": lambda path: create(path, options.channels),
        "restore": lambda path: restore(path, options.channels),
        "write": lambda path: write(path, options.channels),
        "seal": seal,
        **STEPS,
    }
    if options.step:
        steps[options.step](options.store)
        return
    with tempfile.TemporaryDirectory() as folder:
        wanted = options.only.split(",") if options.only else list(steps)
        for name in wanted:
            _measure(name, options.store or Path(folder) / "store", options.channels)


def _measure(name: str, path: Path, channels: int) -> None:
    """In a process of its own: seconds and peak memory, without what importing takes."""
    command = [sys.executable, "-m", "tests.benchmarks.exhaustive_store", "--step", name, "--store", str(path)]
    started = time.monotonic()
    process = subprocess.Popen([*command, "--channels", str(channels)])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6
    failed = " FAILED" if status else ""
    print(f"{name}: {seconds:.1f} s, {cpu:.1f} s of processors, {memory:.2f} GB{failed}", flush=True)


if __name__ == "__main__":
    main()
