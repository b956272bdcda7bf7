"""What a campaign found, seen from its faults: rates by layer and bit, lists of faults, the critical images of one."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.analysis.accuracy_cost import COSTS, CRITICAL, CRITICAL_RIGHT, HELPS, MASKED, NONFINITE
from engine.analysis.estimate import Confidence, estimate_mean, estimate_rate, estimate_share
from engine.conditions import Field, Kind
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

    from engine.analysis.accuracy_cost import Effect
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

FAULT_FIELDS = (
    Field("layer", Kind.TEXT, ("layer",), "part of its name"),
    Field("bit", Kind.NUMBER, ("bit",), "0 is the lowest"),
    Field("critical", Kind.NUMBER, ("coalesce(critical, 0)",), "images whose answer changes"),
    Field("cost", Kind.NUMBER, ("points",), "points of accuracy lost"),
    Field("lost", Kind.FLAG, ("lost > 0",), "makes a right answer wrong"),
    Field(
        "nonfinite",
        Kind.FLAG,
        (
            "EXISTS (FROM critical AS pairs WHERE pairs.campaign = faults.campaign "
            "AND pairs.fault_id = faults.fault_id AND nonfinite)",
        ),
        "some output is not finite",
    ),
)
"""What faults can be filtered by."""
PAIR_FIELDS = frozenset({"lost", "nonfinite"})
"""those of them that only critical pairs tell"""

FaultOrder = Literal["critical", "cost", "first_critical", "fault_id", "prediction"]
ORDERS: dict[FaultOrder, str] = {
    "critical": "critical DESC NULLS LAST, fault_id",
    "cost": "cost DESC, fault_id",
    "first_critical": "first_critical NULLS LAST, fault_id",
    "fault_id": "fault_id",
    "prediction": "prediction, fault_id",
}
"""How a list of faults can be sorted; by the prediction only faults that are critical for one image."""


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
    costing_a_point: int | None
    """faults that lower it by more than a point; None as `costly`"""
    accuracy: Share | None
    """mean accuracy under a fault, of all faults that could have been drawn; None as `costly`, while images of some
    fault are open, and where the faults stand for no others"""
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
    golden_right: int
    """images of the workload that golden has right"""
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
    flips: Flips | None = None
    """what the faults, [F], make of the one image that they were asked for with"""

    def __len__(self) -> int:
        return len(self.fault_id)

    def with_flips(self, flips: Flips) -> FaultRows:
        """The same faults with what they, among others, make of an image."""
        return replace(self, flips=flips.of(self.fault_id))


@dataclass(frozen=True, eq=False)
class Flips:
    """The n faults that are critical for one image, by ascending id, and what they make of it."""

    fault_id: NDArray[np.int64]
    """[n]"""
    prediction: NDArray[np.int64]
    """[n] top-1 under the fault"""
    nonfinite: NDArray[np.bool_]
    """[n] whether some logit was not finite"""
    label: int
    """of the image"""
    golden_class: int
    """top-1 of the golden network"""

    def of(self, fault_id: NDArray[np.int64]) -> Flips:
        """Those of some of the faults, in the order of these."""
        place = np.searchsorted(self.fault_id, fault_id)
        return replace(self, fault_id=fault_id, prediction=self.prediction[place], nonfinite=self.nonfinite[place])


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

    @property
    def is_right_lost(self) -> NDArray[np.bool_]:
        """[n] whether golden has the image right, so that it is wrong under the fault."""
        return np.asarray(self.golden_class == self.label)

    @property
    def is_corrected(self) -> NDArray[np.bool_]:
        """[n] whether golden has the image wrong, and it is right under the fault."""
        return np.asarray(~self.is_right_lost & (self.prediction == self.label) & ~self.nonfinite)


CONDITIONS = {
    CRITICAL.name: "critical > 0",
    CRITICAL_RIGHT.name: "lost > 0",
    **{effect.name: f"points > {effect.points}" for effect in COSTS},
    HELPS.name: "cost < 0",
    NONFINITE.name: FAULT_FIELDS[-1].columns[0],
    MASKED.name: f"masked = {' + '.join(COUNTS)}",
}
"""Effects, in SQL"""


WITH_COUNTS = (
    "FROM faults LEFT JOIN fault_summary USING (campaign, fault_id) JOIN accuracy_cost USING (campaign, fault_id)"
)
FLIPS = " JOIN critical AS flips USING (campaign, fault_id)"


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
{WITH_COUNTS}
WHERE campaign = {campaign}
GROUP BY ALL
ORDER BY layer_index, bit"""


def members_sql(campaign: int, group: FaultGroup) -> str:
    """The ids of the faults of a group, as a SELECT within another one."""
    image = "" if group.image_id is None else FLIPS
    source = WITH_COUNTS if group.having else "FROM faults"
    return f"SELECT fault_id {source}{image} WHERE campaign = {campaign}{_of(group)}"


def faults_sql(campaign: int, group: FaultGroup, order: FaultOrder) -> str:
    """The faults of a group."""
    flips = "" if group.image_id is None else FLIPS
    return f"""\
SELECT fault_id, layer, tensor_index, bit, model, golden_value, faulty_value,
    {", ".join(COUNTS)}, first_critical, cost{flips and ", prediction, nonfinite"}
{WITH_COUNTS}{flips}
WHERE campaign = {campaign}{_of(group)}
ORDER BY {ORDERS[order]}
LIMIT {MOST_ROWS}"""


def flips_sql(campaign: int, image_id: int) -> str:
    """The faults that are critical for an image."""
    return f"""\
SELECT fault_id, prediction, nonfinite, label, golden_class
FROM critical JOIN images USING (campaign, image_id)
WHERE campaign = {campaign} AND image_id = {image_id}
ORDER BY fault_id"""


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
        totals: of the campaign, up to date; with its pairs where the effect is one that only these tell.
        description: the content of its campaign.json.
        effect: of the faults, that is counted beside whether they are critical.
    """
    layers, weight_format = description["layers"], stored_format(description)
    cells = {}
    counts = vars(totals.by_layer_and_bit()) | {"having": totals.by_cell(totals.have(effect))}
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

    def found(faults: NDArray[np.int64], share: Callable[[Confidence], Share]) -> Found:
        return Found(int(faults.sum()), share(rates.confidence) if is_sample else None)

    return FaultFindings(
        run=int(rates.run.sum()),
        critical=found(rates.critical_faults, strata.share_critical),
        costly=None if dropped else found(rates.having, strata.share_having),
        costing_a_point=None if dropped else int(np.count_nonzero(totals.have(COSTS[1]))),
        accuracy=_mean_accuracy(totals, rates, description) if is_sample and not dropped else None,
        pair_rate=strata.pair_rate,
        golden_right=totals.golden_right,
        images=totals.never,
        data_set=totals.data_set,
        confidence=rates.confidence.stated,
    )


def _mean_accuracy(totals: FaultTotals, rates: FaultRates, description: Mapping[str, Any]) -> Share | None:
    """See `FaultFindings.accuracy`."""
    population, images = population_of_strata(description), totals.never
    if population is None or rates.stratum is None or rates.pairs.sum() < rates.run.sum() * images:
        return None
    right = totals.golden_right - totals.effects().cost[totals.is_run]
    stratum = totals.of_its_cell(rates.stratum)[totals.is_run]
    return estimate_mean(right, images, stratum, population, rates.confidence.of_interval)


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
    totals: FaultTotals,
    description: Mapping[str, Any],
    group: FaultGroup,
    order: FaultOrder,
    flips: Flips | None = None,
) -> tuple[NDArray[np.int64], int]:
    """The ids of the first `MOST_ROWS` faults of a group in this order, [n], and how many faults it has.

    Args:
        totals: of the campaign, up to date.
        description: the content of its campaign.json, which has the names of its layers.
        group: which faults.
        order: of the faults; of equal ones the lower id comes first.
        flips: all faults that are critical for the image of the group, where it is of one.
    """
    ids = _members(totals, [layer["name"] for layer in description["layers"]], group, flips)
    if order == "fault_id" or not len(ids):
        return ids[:MOST_ROWS], len(ids)
    if order == "prediction" and flips is not None:
        worst_first = flips.of(ids).prediction
    else:
        worst_first = {
            "critical": -np.where(totals.is_run, totals.critical, -1),
            "cost": -totals.effects().cost,
            "first_critical": totals.first_critical,
        }[order][ids]
    step = int(ids[-1]) + 1
    key = worst_first.astype(np.int64) * step + ids
    if len(key) > MOST_ROWS:
        key = np.partition(key, MOST_ROWS)[:MOST_ROWS]
    return np.sort(key) % step, len(ids)


def _members(totals: FaultTotals, layers: Sequence[str], group: FaultGroup, flips: Flips | None) -> NDArray[np.int64]:
    """The ids of all faults of a group, [n] ascending."""
    if group.layer is not None and group.layer not in layers:
        return np.zeros(0, np.int64)
    ids = totals.members(None if group.layer is None else layers.index(group.layer), group.bit)
    if flips is not None:
        ids = np.intersect1d(ids, flips.fault_id, assume_unique=True)
    for condition in group.having:
        ids = ids[totals.meet(condition, layers)[ids]]
    return ids


def read_faults(
    connection: duckdb.DuckDBPyConnection,
    campaign: CampaignLayout,
    receipts: Sequence[Receipt],
    chosen: NDArray[np.int64],
    total: int | None,
    totals: FaultTotals,
) -> FaultRows:
    """Some faults, in the order in which they were chosen; the same as `faults_sql` has.

    Args:
        connection: to read with.
        campaign: whose faults they are.
        receipts: of its parts.
        chosen: [n] ids of faults.
        total: how many faults there are, of which `chosen` are the first; None: there are no more.
        totals: of the campaign, up to date.
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
    effects = totals.effects()
    return FaultRows(
        total=len(rows["fault_id"]) if total is None else total,
        images=effects.images,
        golden_right=totals.golden_right,
        flips=None,
        cost=effects.cost[rows["fault_id"]].astype(np.int64),
        **rows,
    )


def read_flips(read: Read, campaign: int, image_id: int) -> Flips:
    """The faults that are critical for an image."""
    rows = read(flips_sql(campaign, image_id))
    label, golden_class = (int(whole(rows.pop(name))[:1].sum()) for name in ("label", "golden_class"))
    nonfinite = rows.pop("nonfinite").astype(np.bool_)
    columns = {name: whole(column) for name, column in rows.items()}
    return Flips(nonfinite=nonfinite, label=label, golden_class=golden_class, **columns)


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
    layer = None if group.layer is None else sql_text(group.layer)
    values = {"layer": layer, "bit": group.bit, "fault_id": group.fault_id, "image_id": group.image_id}
    texts = [f"{name} = {value}" for name, value in values.items() if value is not None]
    return "".join(f" AND {text}" for text in (*texts, *(condition.sql for condition in group.having)))
