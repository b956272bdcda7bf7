"""The store's figures at full size, 16,640 faults x 10,000 images: `python -m tests.benchmarks.store`, by hand.

The outcomes are made up, with the shares of a real campaign (LeNet-5 on MNIST): 80 % masked, 19 % non-critical, 0.6 %
critical, each fault with rates of its own. Wants two idle cores, 3 GB of memory and 0.2 GB of disk for two minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dear_tui.cli.printing.terminal_table import print_table
from engine.analysis.result_table import Column, Kind, Table
from engine.faults.fault_list import FaultList
from engine.faults.population import Layer
from engine.faults.strata import Stratum
from engine.injection.outcomes import Outcomes
from engine.running.blocks.block_jobs import FIRST_BLOCK
from engine.running.blocks.part_cutting import PART_PAIRS
from engine.store import CampaignWriter, NewCampaign, Store
from engine.store.schema import PART_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

FAULTS, IMAGES = 16_640, 10_000
BLOCK, GROUP = 1024, 500
"""images in a block, faults that are added at once"""
LAYERS = (Layer(0, "conv1", (6, 1, 5, 5)), Layer(1, "conv2", (16, 6, 5, 5)), Layer(2, "fc1", (120, 400)))
QUESTION = "select severity, count(*) from severity group by 1"
READS, READERS = 50, 2
ANSWERS_PER_PART = 4

READER = """
import sys, time
from pathlib import Path
import duckdb
from engine.store import Store
from engine.store.sql.sql import SqlSession

path, reads = Path(sys.argv[1]), int(sys.argv[2])
for read in range(reads):
    assert [status.id for status in Store.open(path, read_only=True).campaigns()] == [1]
    with SqlSession(path) as session:
        guarded = dict(session.query("select severity, count(*) from severity group by 1"))
    with duckdb.connect(str(path / "dear.duckdb"), read_only=True) as client:
        plain = dict(client.sql("select severity, count(*) from severity group by 1").fetchall())
    assert sum(plain.values()) >= sum(guarded.values()), (plain, guarded)
    sys.stdout.write(f"{sum(plain.values())}\\n")  # in one piece: the readers share a pipe
    sys.stdout.flush()
"""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    measured: str
    goal: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=FAULTS)
    options = parser.parse_args()
    severity = made_up_severities(options.faults)
    with tempfile.TemporaryDirectory() as folder:
        figures = list(measure(Path(folder) / "store", severity))
    columns = (Column("figure"), Column("measured", Kind.NUMBER), Column("goal"))
    print_table(Table("", columns, tuple((one.name, one.measured, one.goal) for one in figures)))


def measure(path: Path, severity: NDArray[np.uint8]) -> Iterator[Figure]:
    """Write a campaign twice: alone, with a stopwatch, and with readers."""
    shares = ", ".join(f"{100 * share:.2f} %" for share in np.bincount(severity.ravel(), minlength=3) / severity.size)
    yield Figure("pairs (masked, non-critical, critical)", f"{severity.size / 1e6:.1f} M ({shares})", "")
    store, new = Store.open(path), new_campaign(len(severity))
    with store.lock():
        campaign = store.create(new)
        writer = store.writer(campaign)
        seconds = write(writer, new, severity)
        yield Figure("ingested by the writer alone", f"{severity.size / seconds / 1e6:.1f} M/s", ">= 8 M/s")
        folder = store.layout.campaign(campaign).folder
        sizes = {table: size(folder / table) for table in PART_TABLES}
        yield Figure("severity parts", f"{sizes['severity'] / 1e6:.1f} MB", "< 25 MB")
        yield Figure("all parts", f"{sum(sizes.values()) / 1e6:.1f} MB", "< 35 MB")
        started = time.monotonic()
        writer.seal()
        yield Figure("seal", f"{time.monotonic() - started:.1f} s", "< 30 s")
        yield Figure("sealed file", f"{size(store.layout.campaign(campaign).sealed) / 1e6:.1f} MB", "")
        started = time.monotonic()
        assert store.verify(campaign, lambda _done, _parts: None) == []
        yield Figure("verify", f"{time.monotonic() - started:.1f} s", "")
    yield Figure("first answer of a fresh dear-tui sql", f"{first_answer(path):.2f} s", "< 1.5 s")
    store.close()
    yield from read_while_writing(path.with_name("second"), severity[: len(severity) // 4])


def read_while_writing(path: Path, severity: NDArray[np.uint8]) -> Iterator[Figure]:
    """Readers in other processes, from before the first part until they have read enough."""
    seen: list[str] = []
    store, new = Store.open(path), new_campaign(len(severity))
    reading, writing = os.pipe()
    with store.lock(), os.fdopen(reading) as answers:
        campaign = store.create(new)
        command = [sys.executable, "-c", READER, str(path), str(READS)]
        readers = [subprocess.Popen(command, stdout=writing) for _ in range(READERS)]
        os.close(writing)
        writer = store.writer(campaign)
        # as long as there are readers: a part after every few answers
        write(writer, new, severity, before_commit=lambda: seen.extend(islice(answers, ANSWERS_PER_PART)))
        parts = len(writer.done)
        seen += answers
    failed = sum(reader.wait() != 0 for reader in readers)
    during = sum(int(pairs) < severity.size for pairs in seen)
    said = f"{len(seen)}, {during} of them during {parts} parts; {failed} readers failed"
    yield Figure(f"reads by {READERS} processes that succeed", said, f"{READS * READERS}")


def made_up_severities(faults: int) -> NDArray[np.uint8]:
    """[faults, IMAGES]; a sixth of the faults are always masked, an eighth are critical for some images."""
    random = np.random.default_rng(0)
    masked = random.beta(3.1, 0.8, faults).astype(np.float32)
    masked[random.random(faults) < 1 / 6] = 1
    masked[random.random(faults) < 1 / 30] = 0
    critical = np.where(random.random(faults) < 1 / 8, random.random(faults) ** 4, 0).astype(np.float32)
    severity = np.empty((faults, IMAGES), np.uint8)
    for fault in range(faults):
        chance = random.random(IMAGES, np.float32)
        severity[fault] = np.digitize(chance, [masked[fault], 1 - (1 - masked[fault]) * critical[fault]])
    return severity


def new_campaign(faults: int) -> NewCampaign:
    random = np.random.default_rng(1)
    layer = random.choice(len(LAYERS), faults, p=[0.01, 0.04, 0.95]).astype(np.int32)
    values = random.standard_normal(faults).astype(np.float32)
    labels, metric = random.integers(0, 10, IMAGES), random.random(IMAGES)
    return NewCampaign(
        fingerprint="benchmark",
        identity={},
        name="benchmark",
        network="lenet5",
        dataset="mnist",
        select="all",
        metric="el2n",
        method="fast",
        config={},
        numerics={},
        faults=FaultList(
            layers=LAYERS,
            fault_id=np.arange(faults, dtype=np.uint32),
            layer=layer,
            weight_index=random.integers(0, np.array([layer.size for layer in LAYERS])[layer]),
            bit=random.integers(0, 32, faults).astype(np.uint8),
            stuck=np.full(faults, -1, np.int8),
            model="bit_flip",
            strata=(Stratum("network", (0, 1), tuple(range(32)), 1, 10**6, faults),),
            stratum=np.zeros(faults, np.int32),
            wave=np.zeros(faults, np.uint8),
        ),
        golden_values=values,
        faulty_values=-values,
        labels=labels,
        golden_class=labels,
        metrics={"el2n": metric},
        workload=np.argsort(-metric),
    )


def write(
    writer: CampaignWriter, new: NewCampaign, severity: NDArray[np.uint8], before_commit: Callable[[], object] = int
) -> float:
    """Commit all pairs in parts as a campaign does; seconds inside the writer."""
    order = new.faults.execution_order()
    seconds, start, length = 0.0, 0, FIRST_BLOCK
    while start < IMAGES:
        stop, pairs = min(start + length, IMAGES), 0
        for fault in range(0, len(severity), GROUP):
            group = outcomes(order[fault : fault + GROUP], severity[fault : fault + GROUP, start:stop])
            started = time.monotonic()
            writer.add(start, fault, group)
            seconds += time.monotonic() - started
            pairs += group.severity.size
            if pairs >= PART_PAIRS or fault + GROUP >= len(severity):
                before_commit()
                pairs = 0
                started = time.monotonic()
                writer.commit(1.0)
                seconds += time.monotonic() - started
        start, length = stop, min(2 * length, BLOCK)
    return seconds


def outcomes(positions: NDArray[np.int64], severity: NDArray[np.uint8]) -> Outcomes:
    fault, image = np.nonzero(severity == 2)
    prediction = (fault % 10).astype(np.uint16)
    lost = np.linspace(0, 1, len(fault), dtype=np.float32)
    return Outcomes(
        positions, np.ascontiguousarray(severity), fault, image, prediction, prediction > 8, prediction > 4, lost
    )


def first_answer(path: Path) -> float:
    """Seconds of the whole command, from its start to its last line; the middle of three."""
    command = [str(Path(sys.executable).with_name("dear-tui")), "sql", QUESTION, "--store", str(path)]
    times = []
    for _ in range(3):
        started = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.monotonic() - started)
    return sorted(times)[1]


def size(path: Path) -> int:
    """Bytes of a file, or of the files in a folder."""
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.iterdir())


if __name__ == "__main__":
    main()
