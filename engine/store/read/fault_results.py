"""What a campaign found, seen from its faults: rates by layer and bit, lists of faults, the critical images of one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.analysis.accuracy_cost import COSTS, CRITICAL, CRITICAL_RIGHT, HELPS
from engine.analysis.estimate import Confidence, estimate_rate, estimate_share
from engine.faults.designs.registry import LIST
from engine.formats.float32 import FLOAT32
from engine.formats.registry import format_named
from engine.severity import COUNTS
from engine.store.parquet import of_any_format, read_arrays, sql_text, stored, stored_rows
from engine.store.records import CountArrays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import duckdb
    from numpy.typing import NDArray

    from engine.analysis.accuracy_cost import Effect, FaultEffects
    from engine.analysis.estimate import Share
    from engine.faults.group import FaultGroup
    from engine.formats.weight_format import WeightFormat
    from engine.store.layout import CampaignLayout
    from engine.store.read.fault_totals import FaultTotals
    from engine.store.records import Receipt

    Read = Callable[[str], dict[str, NDArray[Any]]]
    """runs one query over the store's views"""

NEVER = -1
"""the rank of an event that did not happen"""
MOST_ROWS = 100_000
"""rows that a list of faults holds at most"""

FaultOrder = Literal["critical", "cost", "first_critical", "fault_id"]
ORDERS: dict[FaultOrder, str] = {
    "critical": "critical DESC NULLS LAST, fault_id",
    "cost": "cost DESC, fault_id",
    "first_critical": "first_critical NULLS LAST, fault_id",
    "fault_id": "fault_id",
}
"""How a list of faults can be sorted."""


@dataclass(frozen=True, eq=False)
class FaultCounts:
    """Counts of groups of faults, a number for each group in each array: [L, B] by layer and bit, or [H] by stratum."""

    population: NDArray[np.int64]
    """faults that could be drawn"""
    run: NDArray[np.int64]
    """faults drawn that some image has been run with"""
    critical_faults: NDArray[np.int64]
    """faults that are critical for at least one image, of those that were run"""
    having: NDArray[np.int64]
    """faults that have the effect that is asked for, of those that were run"""
    pairs: NDArray[np.int64]
    """pairs that are settled so far: run, screened or dropped"""
    critical: NDArray[np.int64]
    """critical pairs"""


@dataclass(frozen=True, eq=False)
class FaultRates(FaultCounts):
    """A campaign's faults by layer and bit, over the pairs so far: [L, B], all injectable layers x bits of a weight.

    No fault can be drawn in bits that are filtered out, nor in layers that seem to be.
    """

    layers: tuple[str, ...]
    faults: NDArray[np.int64]
    """[L, B] faults drawn"""
    screened: NDArray[np.int64]
    """[L, B] pairs that were not run, because a bound calls them safe"""
    confidence: Confidence
    """with which the campaign states its estimates"""
    format: WeightFormat = FLOAT32
    """of the weights, whose bits these are"""
    effect: Effect = CRITICAL
    """that is asked for, see `having`"""
    stratum: NDArray[np.int32] | None = None
    """[L, B] of which stratum of the sample the faults are, -1 = of none; None: all of one"""
    repeats: int = 1
    """how often the population counts each fault: a flip twice under the x64 convention"""
    is_sample: bool = True
    """whether the faults that were run stand for others that could have been drawn, as those of a list do not"""

    def by_stratum(self, layers: slice, bits: slice) -> StratumCounts:
        """The counts of some layers and bits, added up within each stratum."""
        cells = (layers, bits)
        stratum = np.zeros(self.faults[cells].shape, np.int32) if self.stratum is None else self.stratum[cells]
        known = stratum >= 0
        numbers, place = np.unique(stratum[known], return_inverse=True)

        def added(grid: NDArray[np.int64]) -> NDArray[np.int64]:
            total = np.zeros(len(numbers), np.int64)
            np.add.at(total, place.reshape(-1), grid[cells][known])
            return total

        counts = {field.name: added(getattr(self, field.name)) for field in fields(FaultCounts)}
        counts["population"] //= self.repeats
        return StratumCounts(**counts)


@dataclass(frozen=True, eq=False)
class StratumCounts(FaultCounts):
    """Counts of a group of faults, by the H strata that they are of: [H]; the population is of different faults."""

    def share_critical(self, confidence: Confidence) -> Share:
        """The share of critical faults among all that could have been drawn; some must have run."""
        return estimate_share(self.critical_faults, self.run, self.population, confidence.of_interval)

    def share_having(self, confidence: Confidence) -> Share:
        """The share that has the effect among all faults that could have been drawn; some must have run."""
        return estimate_share(self.having, self.run, self.population, confidence.of_interval)

    @property
    def rate_having(self) -> float:
        """The same share without its interval, 0 where none was run."""
        return estimate_rate(self.having, self.run, self.population)

    @property
    def pair_rate(self) -> float:
        """The share of critical pairs, 0 where there are none."""
        return estimate_rate(self.critical, self.pairs, self.population)


@dataclass(frozen=True)
class Found:
    """How many of the faults run so far have an effect."""

    faults: int
    share: Share | None
    """of all faults that could have been drawn, with its interval; None where those that were run stand for no others,
    as those of a list"""


@dataclass(frozen=True)
class FaultFindings:
    """What a campaign knows of all its faults so far, in a few numbers."""

    run: int
    """faults that some image has been run with"""
    critical: Found
    """faults that change an answer"""
    costly: Found | None
    """faults that lower the accuracy; None where pairs were dropped: it is not known then"""
    pair_rate: float
    """share of critical pairs, 0..1, strata weighted as in the population"""
    golden_right: int
    """images of the workload that golden has right"""
    images: int
    """of the workload"""
    data_set: int
    """images that the workload was selected from"""
    confidence: float
    """with which the shares are stated"""


@dataclass(frozen=True, eq=False)
class FaultRows(CountArrays):
    """F faults of a campaign, a column [F] each; counts are images, over the pairs stored so far."""

    total: int
    """how many there are; the columns hold the first `MOST_ROWS`"""
    images: int
    """of the workload"""
    fault_id: NDArray[np.int64]
    """[F]"""
    layer: NDArray[np.object_]
    """[F] its name"""
    tensor_index: NDArray[np.object_]
    """[F] place in the layer's weight, as text such as `(3, 0, 2, 1)`"""
    bit: NDArray[np.int64]
    """[F]"""
    model: NDArray[np.object_]
    """[F] such as `bit_flip`; of a stuck-at the polarity that was drawn"""
    golden_value: NDArray[np.float32]
    """[F] the weight without fault"""
    faulty_value: NDArray[np.float32]
    """[F] the weight with it"""
    first_critical: NDArray[np.int64]
    """[F] rank of the first image that the fault is critical for, NEVER if there is none"""
    cost: NDArray[np.int64]
    """[F] images of the workload that golden has right, fewer those that are right under the fault"""

    def __len__(self) -> int:
        return len(self.fault_id)


@dataclass(frozen=True, eq=False)
class CriticalImages:
    """The n images that one fault is critical for, in rank order, a column each."""

    rank: NDArray[np.int64]
    """[n]"""
    image_id: NDArray[np.int64]
    """[n]"""
    label: NDArray[np.int64]
    """[n]"""
    golden_class: NDArray[np.int64]
    """[n] top-1 of the golden network"""
    prediction: NDArray[np.int64]
    """[n] top-1 under the fault"""
    nonfinite: NDArray[np.bool_]
    """[n] whether some logit was not finite"""

    def __len__(self) -> int:
        return len(self.image_id)


CONDITIONS = {
    CRITICAL.name: "critical > 0",
    CRITICAL_RIGHT.name: "lost > 0",
    **{effect.name: f"points > {effect.points}" for effect in COSTS},
    HELPS.name: "cost < 0",
}
"""Effects, in SQL"""


def rates_sql(campaign: int, effect: Effect = CRITICAL) -> str:
    """Faults and pairs by layer and bit."""
    pairs = f"sum({' + '.join(COUNTS)})"
    return f"""\
SELECT layer_index, layer, bit, count(*) AS faults, count(critical) AS run,
    count(*) FILTER (critical > 0) AS critical_faults,
    count(*) FILTER ({CONDITIONS[effect.name]}) AS "{effect.words}",
    coalesce({pairs}, 0)::BIGINT AS pairs,
    coalesce(sum(critical), 0)::BIGINT AS critical,
    coalesce(sum(screened), 0)::BIGINT AS screened,
    100 * sum(critical) / {pairs} AS percent
FROM faults LEFT JOIN fault_summary USING (campaign, fault_id) JOIN accuracy_cost USING (campaign, fault_id)
WHERE campaign = {campaign}
GROUP BY ALL
ORDER BY layer_index, bit"""


def faults_sql(campaign: int, group: FaultGroup, order: FaultOrder) -> str:
    """The faults of a group."""
    return f"""\
SELECT fault_id, layer, tensor_index, bit, model, golden_value, faulty_value,
    {", ".join(COUNTS)}, first_critical, cost
FROM faults LEFT JOIN fault_summary USING (campaign, fault_id) JOIN accuracy_cost USING (campaign, fault_id)
WHERE campaign = {campaign}{_of(group)}
ORDER BY {ORDERS[order]}
LIMIT {MOST_ROWS}"""


def critical_images_sql(campaign: int, fault_id: int) -> str:
    """The images that a fault is critical for."""
    return f"""\
SELECT rank, image_id, label, golden_class, prediction, nonfinite
FROM critical JOIN images USING (campaign, image_id)
WHERE campaign = {campaign} AND fault_id = {fault_id}
ORDER BY rank"""


def read_rates(totals: FaultTotals, description: Mapping[str, Any], effect: Effect = CRITICAL) -> FaultRates:
    """The rates by layer and bit, the same as `rates_sql` has.

    Args:
        totals: of the campaign, up to date; where lost answers are asked for, with these.
        description: the content of its campaign.json.
        effect: of the faults, that is counted beside whether they are critical.
    """
    layers, weight_format = description["layers"], stored_format(description)
    cells = {}
    counts = vars(totals.by_layer_and_bit()) | {"having": totals.by_cell(totals.effects().have(effect))}
    for name, counted in counts.items():
        cells[name] = np.zeros((len(layers), weight_format.bits), np.int64)
        cells[name][: totals.layers] = counted[:, : weight_format.bits]
    population, stratum = _populations(description, weight_format, cells["faults"])
    return FaultRates(
        layers=tuple(layer["name"] for layer in layers),
        population=population,
        stratum=stratum,
        repeats=_repeats(description),
        is_sample=population_of_strata(description) is not None,
        confidence=Confidence.of(description["config"]),
        format=weight_format,
        effect=effect,
        **cells,
    )


def read_findings(totals: FaultTotals, description: Mapping[str, Any], dropped: int) -> FaultFindings:
    """How many faults are critical, and how many lower the accuracy.

    Args:
        totals: of the campaign, up to date.
        description: the content of its campaign.json.
        dropped: pairs that were dropped.
    """
    rates = read_rates(totals, description, COSTS[0])
    strata = rates.by_stratum(slice(None), slice(None))
    is_sample = rates.is_sample and bool(strata.run.sum())
    critical, costly = (
        Found(
            int(getattr(rates, name).sum()),
            estimate_share(getattr(strata, name), strata.run, strata.population, rates.confidence.of_interval)
            if is_sample
            else None,
        )
        for name in ("critical_faults", "having")
    )
    return FaultFindings(
        run=int(rates.run.sum()),
        critical=critical,
        costly=None if dropped else costly,
        pair_rate=strata.pair_rate,
        golden_right=totals.golden_right,
        images=totals.never,
        data_set=totals.data_set,
        confidence=rates.confidence.stated,
    )


def _populations(
    description: Mapping[str, Any], weight_format: WeightFormat, drawn: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """By layer and bit, [L, B]: the faults that could be drawn, and the stratum, -1 where there are none."""
    layers = description["layers"]
    weights = np.array([np.prod(layer["shape"], dtype=np.int64) for layer in layers], dtype=np.int64)
    population = np.zeros((len(layers), weight_format.bits), np.int64)
    stratum = np.full(population.shape, -1, np.int32)
    strata = description.get("strata") or [_guessed_stratum(description, weight_format, drawn)]
    for number, each in enumerate(strata):
        cells = np.ix_(each["layers"], each["bits"])
        population[cells] = weights[each["layers"]][:, None] * each["copies"]
        stratum[cells] = number
    return population, stratum


def _repeats(description: Mapping[str, Any]) -> int:
    """See `FaultRates.repeats`; a stuck-at counts twice because there are two of them."""
    counts_twice = description["config"].get("faults", {}).get("population") == "x64"
    return 2 if counts_twice and description["fault_model"] == "bit_flip" else 1


def population_of_strata(description: Mapping[str, Any]) -> NDArray[np.int64] | None:
    """Different faults of each stratum, [H]; None where the faults were given, or their population was not kept."""
    strata = description.get("strata")
    if not strata or description["config"].get("faults", {}).get("sampling") == LIST:
        return None
    return np.array([each["population"] for each in strata], np.int64) // _repeats(description)


def _guessed_stratum(
    description: Mapping[str, Any], weight_format: WeightFormat, drawn: NDArray[np.int64]
) -> dict[str, Any]:
    """The population of a campaign of before strata were kept: layers without a fault seem to be filtered out."""
    config = description["config"].get("faults", {})
    layers = np.flatnonzero(drawn.sum(axis=1)) if config.get("layers") else np.arange(len(drawn))
    copies = 2 if description["fault_model"] == "stuck_at" or config.get("population") == "x64" else 1
    return {"layers": layers.tolist(), "bits": config.get("bits") or list(weight_format.all_bits), "copies": copies}


def stored_format(description: Mapping[str, Any]) -> WeightFormat:
    """The format of a campaign's weights.

    Raises:
        InputError: this version has no such format.
    """
    return format_named(description.get("weight_format", FLOAT32.name))  # older campaigns do not say it


def choose_faults(
    totals: FaultTotals, description: Mapping[str, Any], group: FaultGroup, order: FaultOrder
) -> tuple[NDArray[np.int64], int]:
    """The ids of the first `MOST_ROWS` faults of a group in this order, [n], and how many faults it has.

    Args:
        totals: of the campaign, up to date.
        description: the content of its campaign.json, which has the names of its layers.
        group: which faults.
        order: of the faults; of equal ones the lower id comes first.
    """
    names = [layer["name"] for layer in description["layers"]]
    if group.layer is not None and group.layer not in names:
        return np.zeros(0, np.int64), 0
    ids = totals.members(None if group.layer is None else names.index(group.layer), group.bit)
    if order == "fault_id" or not len(ids):
        return ids[:MOST_ROWS], len(ids)
    worst_first = {
        "critical": -np.where(totals.is_run, totals.critical, -1),
        "cost": -totals.effects().cost,
        "first_critical": totals.first_critical,
    }[order]
    step = int(ids[-1]) + 1
    key = worst_first[ids].astype(np.int64) * step + ids
    if len(key) > MOST_ROWS:
        key = np.partition(key, MOST_ROWS)[:MOST_ROWS]
    return np.sort(key) % step, len(ids)


def read_faults(
    connection: duckdb.DuckDBPyConnection,
    campaign: CampaignLayout,
    receipts: Sequence[Receipt],
    chosen: NDArray[np.int64],
    total: int | None,
    effects: FaultEffects,
) -> FaultRows:
    """Some faults, in the order in which they were chosen; the same as `faults_sql` has.

    Args:
        connection: to read with.
        campaign: whose faults they are.
        receipts: of its parts.
        chosen: [n] ids of faults.
        total: how many faults there are, of which `chosen` are the first; None: there are no more.
        effects: of all faults, by their ids.
    """
    summaries = stored_rows("fault_summary", *(campaign.part("fault_summary", receipt.part) for receipt in receipts))
    sums = ", ".join(f"sum({name}) AS {name}" for name in COUNTS)
    connection.register("chosen", {"fault_id": chosen.astype(np.uint32), "place": np.arange(len(chosen))})
    try:
        rows = read_arrays(
            connection,
            f"SELECT fault_id, layer, tensor_index, bit, model, golden_value, faulty_value, {', '.join(COUNTS)}, "
            f"first_critical FROM chosen JOIN {of_any_format('faults', {}, f'FROM {stored(campaign.faults)}')} "
            f"USING (fault_id) LEFT JOIN (SELECT fault_id, {sums}, min(first_critical) AS first_critical "
            f"FROM {summaries} WHERE fault_id IN (SELECT fault_id FROM chosen) GROUP BY fault_id) USING (fault_id) "
            "ORDER BY place",
        )
    finally:
        connection.unregister("chosen")
    rows["first_critical"] = whole(rows["first_critical"], NEVER)
    for name in ("fault_id", "bit", *COUNTS):
        rows[name] = whole(rows[name])
    cost = effects.cost[rows["fault_id"]].astype(np.int64)
    return FaultRows(total=len(rows["fault_id"]) if total is None else total, images=effects.images, cost=cost, **rows)


def read_critical_images(read: Read, campaign: int, fault_id: int) -> CriticalImages:
    """The images that a fault is critical for."""
    rows = read(critical_images_sql(campaign, fault_id))
    nonfinite = rows.pop("nonfinite").astype(np.bool_)
    return CriticalImages(nonfinite=nonfinite, **{name: whole(column) for name, column in rows.items()})


def whole(column: NDArray[Any], null: int = 0) -> NDArray[np.int64]:
    """A column [n] of whole numbers with `null` in place of each NULL, [n]."""
    return np.ma.filled(column, null).astype(np.int64)


def _of(group: FaultGroup) -> str:
    """The group as conditions."""
    values = {"layer": group.layer and sql_text(group.layer), "bit": group.bit, "fault_id": group.fault_id}
    return "".join(f" AND {name} = {value}" for name, value in values.items() if value is not None)
