"""What protecting some bits of some layers costs in memory, and what it leaves of the criticality."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.estimate import Share, estimate_mean, percents
from engine.analysis.result_table import Column, Kind, Table, interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from engine.analysis.estimate import Confidence
    from engine.analysis.result_table import Cell
    from engine.store.read.fault_results import FaultRates


@dataclass(frozen=True)
class Scheme:
    """A way to protect stored weights, and what it adds to them."""

    name: str
    bits_per_bit: float = 0.0
    """stored beside each bit that is protected; 0: whole words are"""
    bits_per_word: int = 0
    """stored beside each weight that is protected, whatever its width up to 32 bits"""
    needs_reload: bool = False
    """whether it only detects a fault, which is gone where the weight is then loaded again from elsewhere"""


SCHEMES = (
    Scheme("triplication", bits_per_bit=2),
    Scheme("duplication, reloaded", bits_per_bit=1, needs_reload=True),
    Scheme("word parity, reloaded", bits_per_word=1, needs_reload=True),
    Scheme("SEC-DED", bits_per_word=7),
)
"""Duplication and parity detect one flipped bit; three copies outvote one, SEC-DED corrects it (Hamming 1950)."""

MOST_NAMED = 5
"""layers, in a cell"""

_ROUNDING = 1e-9
"""of a sum of costs"""


@dataclass(frozen=True, eq=False)
class CriticalSample:
    """F faults, and what each is critical for."""

    critical: NDArray[np.int64]
    """[F] images"""
    images: int
    layer: NDArray[np.int64]
    """[F] index"""
    bit: NDArray[np.int64]
    """[F]"""
    stratum: NDArray[np.int64]
    """[F] place in `population`"""
    population: NDArray[np.int64]
    """[H] different faults that each stratum holds"""
    weight: NDArray[np.float64]
    """[F] faults of the population that each one stands for"""
    names: tuple[str, ...]
    """[L] of the layers"""
    weights: NDArray[np.int64]
    """[L] how many each layer has"""
    bits: int
    """of a weight"""
    confidence: Confidence


@dataclass(frozen=True)
class CellGroup:
    """Bits that are protected together."""

    layer: int
    bit: int | None
    """None: all of its words"""
    cost: float
    """bits that are added, as a share of those of all weights"""
    removed: float
    """share of all pairs that is not critical any more"""


@dataclass(frozen=True)
class ProtectionPlan:
    """What a scheme does within a budget."""

    scheme: Scheme
    groups: tuple[CellGroup, ...]
    """the one first that removes most for what it costs"""
    residual: Share
    """share of pairs that stay critical"""

    @property
    def overhead(self) -> float:
        """Bits that are added, as a share of those of all weights."""
        return sum(group.cost for group in self.groups)


def frontier(sample: CriticalSample, scheme: Scheme) -> list[CellGroup]:
    """The groups of bits in the order in which protecting them removes most criticality for each bit that is stored.

    A group is one bit of one layer, or all words of a layer where the scheme protects whole words. Groups do not
    depend on each other, so that no set that stores as little as a start of the order removes more. Groups in which no
    fault of the sample is critical are left out.
    """
    layers, whole = len(sample.names), scheme.bits_per_word > 0
    groups = layers if whole else layers * sample.bits
    group = sample.layer if whole else sample.layer * sample.bits + sample.bit
    removed = np.bincount(group, sample.weight * sample.critical, groups) / (sample.weight.sum() * sample.images)
    per_weight = scheme.bits_per_word if whole else scheme.bits_per_bit
    cost = per_weight * (sample.weights if whole else np.repeat(sample.weights, sample.bits))
    cost = cost / (sample.weights.sum() * sample.bits)
    order = np.argsort(-removed / cost, kind="stable")
    places = order[removed[order] > 0].tolist()
    named = [(place, None) if whole else divmod(place, sample.bits) for place in places]
    return [
        CellGroup(layer, bit, float(cost[place]), float(removed[place]))
        for (layer, bit), place in zip(named, places, strict=True)
    ]


def plan_within(sample: CriticalSample, scheme: Scheme, budget: float) -> ProtectionPlan:
    """The groups of the frontier that fit into a budget, the first ones first, and what they leave, with its interval.

    The interval is that of the faults which chose the groups: of the same groups on other faults it is a little too
    favourable.

    Args:
        sample: of the faults.
        scheme: what protects.
        budget: bits that may be added, as a share of those of all weights.
    """
    chosen: list[CellGroup] = []
    for group in frontier(sample, scheme):
        if sum(each.cost for each in chosen) + group.cost <= budget * (1 + _ROUNDING):
            chosen.append(group)
    return _plan(sample, scheme, chosen)


def plan_until(sample: CriticalSample, scheme: Scheme, left: float) -> ProtectionPlan:
    """The first groups of the frontier that leave no more than a share of what is critical without any.

    Args:
        sample: of the faults.
        scheme: what protects.
        left: 0..1.
    """
    chosen: list[CellGroup] = []
    whole = residual = _share(sample, sample.critical).value
    for group in frontier(sample, scheme):
        if residual <= left * whole * (1 + _ROUNDING):
            break
        chosen.append(group)
        residual -= group.removed
    return _plan(sample, scheme, chosen)


def _plan(sample: CriticalSample, scheme: Scheme, chosen: Sequence[CellGroup]) -> ProtectionPlan:
    is_left = np.ones((len(sample.names), sample.bits), np.bool_)
    for group in chosen:
        is_left[group.layer, slice(None) if group.bit is None else group.bit] = False
    left = np.where(is_left[sample.layer, sample.bit], sample.critical, 0)
    return ProtectionPlan(scheme, tuple(chosen), _share(sample, left))


def _share(sample: CriticalSample, critical: NDArray[np.int64]) -> Share:
    return estimate_mean(critical, sample.images, sample.stratum, sample.population, sample.confidence.of_interval)


def _rows(sample: CriticalSample, groups: Iterable[CellGroup]) -> Iterator[tuple[str, int | None, float, float]]:
    """Layer and bit of each group, what all up to it cost, and what they leave; both in percent."""
    overhead, residual = 0.0, _share(sample, sample.critical).value
    for group in groups:
        overhead, residual = overhead + group.cost, max(0.0, residual - group.removed)
        yield sample.names[group.layer], group.bit, 100 * overhead, 100 * residual


@dataclass(frozen=True)
class Repair:
    """What is left where faulty values are replaced when they are loaded, which stores next to nothing."""

    name: str
    faults: int
    """whose values are replaced"""
    residual: Share
    """share of pairs that stay critical"""


def repair(sample: CriticalSample, name: str, faults: int, critical: NDArray[np.int64]) -> Repair:
    """What is left of the criticality of a sample.

    Args:
        sample: of the faults.
        name: of the repair.
        faults: whose values it replaces.
        critical: [F] images that each fault is critical for under it.
    """
    return Repair(name, faults, _share(sample, critical))


def plans_table(
    sample: CriticalSample, plans: Sequence[ProtectionPlan], budget: float, repairs: Sequence[Repair] = ()
) -> Table:
    """A row for each scheme and each repair, and before them what is critical without any."""
    nothing = _share(sample, sample.critical)
    return Table(
        f"What protection within {100 * budget:g} % more memory leaves",
        (
            Column("scheme", priority=4),
            Column("layers", heading="first", priority=0, term="first"),
            Column("groups", Kind.COUNT, "bits or layers", priority=1, term="bits or layers"),
            Column("overhead_percent", Kind.PERCENT, "more memory", priority=3, term="more memory"),
            Column("residual_percent", Kind.PERCENT, "still critical", priority=4, term="still critical"),
            *interval(sample.confidence.stated, priority=2),
        ),
        (
            ("nothing", None, 0, 0.0, *percents(nothing)),
            *(
                (
                    each.scheme.name,
                    _first_layers(sample, each),
                    len(each.groups),
                    100 * each.overhead,
                    *percents(each.residual),
                )
                for each in plans
            ),
            *((each.name, None, None, 0.0, *percents(each.residual)) for each in repairs),
        ),
        (*(each.scheme.name for each in plans), *(("range restriction",) if repairs else ()), "critical"),
    )


def _first_layers(sample: CriticalSample, plan: ProtectionPlan) -> str | None:
    """The layers that a plan protects bits of, the one first where that removes most for its cost."""
    names = list(dict.fromkeys(sample.names[group.layer] for group in plan.groups))
    return " ".join(names[:MOST_NAMED]) + (" ..." if len(names) > MOST_NAMED else "") or None


def layers_table(rates: FaultRates) -> Table:
    """A row for each layer that faults were drawn in: how critical its faults are, and how much of all that is."""
    layers = [layer for layer in range(len(rates.layers)) if rates.faults[layer].any()]
    found = [rates.by_stratum(slice(layer, layer + 1), slice(None)) for layer in layers]
    population = np.array([float(each.population.sum()) for each in found])
    if not rates.is_sample:  # the faults of a list stand for no others
        population = np.array([float(each.run.sum()) for each in found])
    critical = np.array([each.pair_rate for each in found]) * population
    rows: list[tuple[Cell, ...]] = []
    for layer, each, drawn, own in zip(layers, found, population, critical, strict=True):
        share = each.share_critical(rates.confidence)
        faults = percents(share if rates.is_sample else Share.known(share.value))
        rows.append(
            (rates.layers[layer], 100 * drawn / population.sum(), int(each.run.sum()), *faults, 100 * each.pair_rate,
             100 * own / max(critical.sum(), np.finfo(float).tiny))
        )  # fmt: skip
    return Table(
        "Where faults are critical, layer by layer",
        (
            Column("layer", priority=9),
            Column("of_faults_percent", Kind.PERCENT, "of all faults", priority=5),
            Column("faults", Kind.COUNT, "faults run", priority=1),
            Column("critical_faults_percent", Kind.PERCENT, "critical faults", priority=8, term="critical fault"),
            *interval(rates.confidence.stated, priority=7),
            Column("critical_pairs_percent", Kind.PERCENT, "critical pairs", priority=4, term="critical"),
            Column("of_critical_pairs_percent", Kind.PERCENT, "of all critical pairs", priority=8),
        ),
        tuple(rows),
        ("pair",),
    )


def groups_table(sample: CriticalSample, plan: ProtectionPlan) -> Table:
    """A row for each group of bits that a plan protects, the first one first."""
    return Table(
        f"What {plan.scheme.name} protects, in this order",
        (
            Column("layer"),
            Column("bit", Kind.ID),
            Column("overhead_percent", Kind.PERCENT, "more memory, so far", term="more memory"),
            Column("residual_percent", Kind.PERCENT, "still critical", term="still critical"),
        ),
        tuple(_rows(sample, plan.groups)),
        ("critical",),
    )


def write_frontiers(path: Path, sample: CriticalSample, schemes: Iterable[Scheme] = SCHEMES) -> None:
    """Write a CSV with a row for each group of each scheme's frontier."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["scheme", "layer", "bit", "overhead_percent", "residual_percent"])
        for scheme in schemes:
            rows.writerows((scheme.name, *row) for row in _rows(sample, frontier(sample, scheme)))
