"""The methods against the naive loop, pair by pair, on a config's own network, images and faults.

python -m tests.benchmarks.against_naive CONFIG [--pairs N] [--images 256] [--methods exact fast] [--answers FOLDER]

Faults of every bit, evenly spread over the config's own; half of the images are the hardest, half spread over all.
Prints after every chunk of faults, so that a run can be cut short: pairs whose critical label, prediction or finiteness
differ, and for each bit the share of pairs that only one calls masked.

The naive loop takes an hour for a million pairs of a deep network. `--answers` keeps what it said, chunk by chunk, and
reads what is there already; with `--methods` alone (no names) that is all that is done. `cuda.py` is this on a GPU.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.config.campaign_config import load_config
from engine.injection.exact.naive import naive_logits
from engine.injection.methods import METHODS
from engine.injection.outcomes import Outcomes, WeightFaults
from engine.injection.recording import SeverityMatrix
from engine.injection.workers import Workers
from engine.running.blocks.image_slices import join
from engine.running.preparation import PreparedCampaign, prepare
from engine.severity import CRITICAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

NAIVE_BATCH = 64
CHUNK_FAULTS = 64
KEPT = tuple(each.name for each in fields(Outcomes) if each.name != "audit")
"""The arrays of outcomes that a file of answers holds; naive audits nothing."""


@dataclass
class Tally:
    """What differs from naive so far, over all pairs."""

    pairs: int = 0
    critical: int = 0
    critical_differs: int = 0
    prediction_differs: int = 0
    nonfinite_differs: int = 0
    masked_differs: np.ndarray = field(default_factory=lambda: np.zeros(32, dtype=np.int64))
    by_bit: np.ndarray = field(default_factory=lambda: np.zeros(32, dtype=np.int64))

    def add(self, ours: Outcomes, naive: Outcomes, bits: np.ndarray) -> None:
        """Count one chunk; `bits` [faults]."""
        self.pairs += naive.severity.size
        self.critical += len(naive.critical_fault)
        self.critical_differs += int(((ours.severity == CRITICAL) != (naive.severity == CRITICAL)).sum())
        ours_of, naive_of = by_pair(ours), by_pair(naive)
        common = ours_of.keys() & naive_of.keys()
        self.prediction_differs += sum(ours_of[pair][0] != naive_of[pair][0] for pair in common)
        self.nonfinite_differs += sum(ours_of[pair][1] != naive_of[pair][1] for pair in common)
        differs = ((ours.severity == 0) != (naive.severity == 0)).sum(1)
        self.masked_differs += np.bincount(bits, weights=differs, minlength=32).astype(np.int64)
        self.by_bit += np.bincount(bits, minlength=32) * naive.severity.shape[1]


def by_pair(outcomes: Outcomes) -> dict[tuple[int, int], tuple[int, bool]]:
    """Prediction and finiteness of each critical pair."""
    pairs = zip(outcomes.critical_fault.tolist(), outcomes.critical_image.tolist(), strict=True)
    return dict(zip(pairs, zip(outcomes.prediction.tolist(), outcomes.nonfinite.tolist(), strict=True), strict=True))


def spread_over_bits(prepared: PreparedCampaign, count: int) -> tuple[WeightFaults, np.ndarray]:
    """At least `count` faults, as many of every bit, and the bit of each; in execution order."""
    faults = prepared.faults_in_execution_order()
    bits = prepared.faults.bit[faults.positions].astype(np.int64)
    present = np.unique(bits)
    each = -(-count // len(present))
    rows = [np.flatnonzero(bits == bit) for bit in present]
    chosen = np.sort(np.concatenate([r[np.linspace(0, len(r) - 1, min(each, len(r)), dtype=int)] for r in rows]))
    return faults.take(chosen), bits[chosen]


def naive_outcomes(model: nn.Module, images: torch.Tensor, faults: WeightFaults) -> Outcomes:
    """By the judge, on as many threads as the methods' operations have."""
    with Workers.of(images.device).rounding(), torch.inference_mode():
        golden = torch.cat([model(images[i : i + NAIVE_BATCH]) for i in range(0, len(images), NAIVE_BATCH)])
        matrix = SeverityMatrix(len(faults), golden)
        every = torch.arange(len(images), device=images.device)
        for row, logits in enumerate(naive_logits(model, faults, images, NAIVE_BATCH)):
            matrix.record(torch.full_like(every, row), every, logits)
        return matrix.outcomes(faults.positions)


def _judged(model: nn.Module, images: torch.Tensor, faults: WeightFaults, kept: Path | None) -> Outcomes:
    """What naive says of a chunk; read from `kept` where it was asked about the same faults before."""
    if kept is not None and kept.exists():
        with np.load(kept) as file:
            answers = Outcomes(**{name: file[name] for name in KEPT})
        if np.array_equal(answers.positions, faults.positions) and answers.severity.shape[1] == len(images):
            return answers
    answers = naive_outcomes(model, images, faults)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(kept, **{name: getattr(answers, name) for name in KEPT})
    return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--methods", nargs="*", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--answers", type=Path)
    options = parser.parse_args()
    judge(prepare(load_config(options.config)), options.pairs, options.images, options.methods, options.answers)


def judge(
    prepared: PreparedCampaign, pairs: int, images: int, methods: Sequence[str], answers: Path | None = None
) -> None:
    """Compare methods with naive on about so many pairs, and print what differs.

    Args:
        prepared: whose network, faults and images are used.
        pairs: at least, where the config has faults enough.
        images: that every fault is injected for.
        methods: names of those to compare; none: naive is asked alone.
        answers: folder where what naive said is kept.
    """
    ranked = len(prepared.workload)
    half = images // 2
    ranks = np.unique(np.concatenate([np.arange(half), np.linspace(half, ranked - 1, half, dtype=int)]))
    batch = torch.from_numpy(prepared.dataset.batch(prepared.workload[ranks])).to(prepared.numerics.device)
    faults, bits = spread_over_bits(prepared, -(-pairs // len(ranks)))
    injections = {name: prepared.injected_by(name) for name in methods}
    tallies = {name: Tally() for name in injections}
    # the chunks take turns over all faults, so that any number of them is a fair sample
    chunks = -(-len(faults) // CHUNK_FAULTS)
    turns = [np.arange(first, len(faults), chunks) for first in range(chunks)]
    started = time.monotonic()
    for turn, rows in enumerate(turns):
        chunk = faults.take(rows)
        judged = _judged(prepared.plain, batch, chunk, answers and answers / f"{turn:05}.npz")
        for name, injection in injections.items():
            for start in range(0, len(batch), injection.block_rows):
                block = slice(start, start + injection.block_rows)
                outcomes = join([list(injection.inject(injection.load(batch[block]), chunk))])
                tallies[name].add(outcomes, _images(judged, block), bits[rows])
        print(
            f"\n{time.monotonic() - started:.0f} s", *(_line(*item) for item in tallies.items()), sep="\n", flush=True
        )
    for name, tally in tallies.items():
        print(f"\n{name}: share of pairs that only one of the two calls masked, by bit")
        for bit in np.flatnonzero(tally.by_bit):
            share = tally.masked_differs[bit] / tally.by_bit[bit]
            print(f"{bit:>4} {tally.by_bit[bit]:>10,} {tally.masked_differs[bit]:>8,} {100 * share:7.3f} %")


def _images(outcomes: Outcomes, block: slice) -> Outcomes:
    inside = (outcomes.critical_image >= block.start) & (outcomes.critical_image < block.stop)
    return Outcomes(
        outcomes.positions,
        outcomes.severity[:, block],
        outcomes.critical_fault[inside],
        outcomes.critical_image[inside] - block.start,
        outcomes.prediction[inside],
        outcomes.nonfinite[inside],
        outcomes.golden_in_top5[inside],
        outcomes.softmax_lost[inside],
    )


def _line(name: str, tally: Tally) -> str:
    return (
        f"{name:>6}: {tally.pairs:,} pairs, {tally.critical:,} critical; differ from naive: critical "
        f"{tally.critical_differs}, prediction {tally.prediction_differs}, not finite {tally.nonfinite_differs}, "
        f"masked {int(tally.masked_differs.sum()):,}"
    )


if __name__ == "__main__":
    main()
