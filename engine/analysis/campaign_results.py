"""What a finished campaign found, as the paper's tables."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.accuracy_cost import CRITICAL, EFFECTS, FaultEffects, cost_table
from engine.analysis.compaction import CriticalWeights
from engine.analysis.cover import Incidence
from engine.analysis.estimate import Confidence, estimate_mean, estimate_share, percents
from engine.analysis.glossary import metrics_in
from engine.analysis.precision import Look
from engine.analysis.ranking import ranking_quality, spearman
from engine.analysis.result_table import Column, Kind, Table, interval
from engine.analysis.tables import CriticalDraw, Detections, table_four, table_one
from engine.config.campaign_config import WorkloadConfig
from engine.severity import NOT_RUN_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from engine.analysis.audit import AuditResults
    from engine.analysis.estimate import Share
    from engine.analysis.ranking import RankingQuality
    from engine.analysis.result_table import Cell
    from engine.analysis.tables import TableFourRow, TableOneRow
    from engine.store import CampaignStatus, CampaignSummary

SELECTIONS = {"central": "central", "random": "random (mean of 5)", "pre_plateau": "pre-plateau", "all": "all"}


@dataclass(frozen=True)
class CampaignResults:
    """Tables I and IV of one campaign, and how far they can be trusted."""

    table_one: TableOneRow
    shares: dict[str, Share]
    """of the population, 0..1, by the name that Table I has for each, with their intervals; empty where the faults are
    no sample of one"""
    confidence: float
    """of these intervals"""
    table_four: list[TableFourRow] | None
    """None where pairs were dropped: which images would have detected a fault is not known then"""
    effects: dict[str, int] | None
    """faults by what they do to answers and accuracy; None where pairs were dropped: it is not known then"""
    nonfinite_pairs: int
    """critical pairs with a NaN or infinite logit"""
    seconds: float | None
    """what computing took, over all runs; None = not known"""
    unverified_parts: int
    """parts whose receipts were rebuilt"""
    self_check: str | None
    """what comparing the method with the plain loop found; None = it was not compared"""
    audit: AuditResults | None = None
    """what the screened pairs hide at most; None where none were screened"""
    precision: str | None = None
    """after how many faults it stopped, and how well it knows what it was to find out; None where all were to run"""

    def to_json(self) -> dict[str, Any]:
        """The results as `show --json` prints them."""
        found = asdict(self)
        found["table_one"]["not_critical"] = self.table_one.not_critical
        return found

    def tables(self, status: CampaignStatus) -> tuple[Table, ...]:
        """Tables I and IV with their titles, and between them what faults cost, and the audit of screened pairs.

        What is not known is left out.

        Args:
            status: has the counts that the shares are of.
        """
        audits = () if self.audit is None else (audit_table(status, self.audit),)
        costs = () if self.effects is None else (cost_table(status.faults, self.effects, self.shares, self.confidence),)
        selections = () if self.table_four is None else (selection_table(self.table_four, self.confidence),)
        return accuracy_table(status, self), *costs, *audits, *selections


def campaign_results(summary: CampaignSummary, description: Mapping[str, Any]) -> CampaignResults:
    """Work the tables out from what the store holds of a campaign.

    Args:
        summary: the committed results, from `Store.summary`.
        description: all that is fixed of the campaign, from `Store.description`.
    """
    asked = WorkloadConfig.model_validate(description["config"].get("workload", {}))
    confidence = Confidence.of(description["config"])
    effects, faults = None if summary.status.dropped else FaultEffects.of(summary), summary.status.faults
    shares = population_shares(summary, confidence, effects)
    look = Look.at(shares, description["config"], faults, description.get("drawn") or faults)
    detections = Detections(
        fault=summary.critical_fault,
        image=summary.critical_image,
        workload=summary.workload,
        faults=summary.status.faults,
        seconds=summary.seconds,
        sample=_critical_draw(summary, confidence),
    )
    return CampaignResults(
        table_one=table_one(
            summary.non_critical,
            summary.critical,
            summary.correct,
            summary.golden_correct[summary.workload],
            summary.weight,
            summary.screened,
            summary.dropped,
        ),
        shares=shares,
        confidence=confidence.stated,
        table_four=(
            None
            if summary.status.dropped
            else table_four(summary.metric, asked.boundary, detections, asked.eps, asked.threshold)
        ),
        effects=None if effects is None else effects.counts(),
        nonfinite_pairs=int(summary.nonfinite.sum()),
        seconds=summary.seconds,
        unverified_parts=summary.unverified_parts,
        self_check=description["numerics"].get("check"),
        audit=summary.audit,
        precision=None if look is None else look.sentence,
    )


def _critical_draw(summary: CampaignSummary, confidence: Confidence) -> CriticalDraw | None:
    """None where the faults were given, or are all that there are."""
    population = summary.population
    if population is None or np.array_equal(np.bincount(summary.stratum, minlength=len(population)), population):
        return None
    return CriticalDraw(CriticalWeights.of(summary), confidence)


@dataclass(frozen=True)
class MetricResults:
    """How well the metrics of one campaign rank its images."""

    rankings: list[RankingQuality]
    """how early each shows the critical faults; empty where no fault is critical, or not all pairs are known"""
    spearman: dict[str, dict[str, float | None]]
    """Table II: the rank correlation of each metric with each; None where one of them is the same for all images"""

    def tables(self) -> tuple[Table, ...]:
        """Table II, and how early each order of the images shows the critical faults, where that is known."""
        correlations = (correlation_table(self.spearman),) if self.spearman else ()
        return *correlations, *((ranking_table(self.rankings),) if self.rankings else ())


def metric_results(summary: CampaignSummary) -> MetricResults:
    """Work out what the store's metrics of a campaign are worth."""
    return MetricResults([] if summary.status.dropped else _rankings(summary), _spearman(summary))


def _rankings(summary: CampaignSummary) -> list[RankingQuality]:
    incidence = Incidence.of(summary.critical_fault, summary.critical_image, summary.workload)
    return ranking_quality({name: each[summary.workload] for name, each in summary.metrics.items()}, incidence)


def _spearman(summary: CampaignSummary) -> dict[str, dict[str, float | None]]:
    names, found = list(summary.metrics), spearman(summary.metrics)
    return {
        name: {other: None if math.isnan(value) else value for other, value in zip(names, row, strict=True)}
        for name, row in zip(names, found.tolist(), strict=True)
    }


def population_shares(
    summary: CampaignSummary, confidence: Confidence, effects: FaultEffects | None = None
) -> dict[str, Share]:
    """What the tables tell of the population; of pairs nothing where some were dropped, because theirs is not known.

    Args:
        summary: of all faults of a campaign, or of those that are run.
        confidence: of the intervals.
        effects: of the same faults; None: only whether they are critical is told of faults.
    """
    level = confidence.of_interval
    population, images = summary.population, summary.status.images
    if population is None:
        return {}
    drawn = np.bincount(summary.stratum, minlength=len(population))

    def of_faults(is_hit: NDArray[np.bool_]) -> Share:
        hits = np.bincount(summary.stratum, is_hit, len(population)).astype(np.int64)
        return estimate_share(hits, drawn, population, level)

    faults = {CRITICAL.name: of_faults(summary.critical > 0)}
    if effects is not None:
        faults |= {effect.name: of_faults(effects.have(effect)) for effect in EFFECTS}
    if summary.status.dropped:
        return faults
    counts = {
        "faulty_accuracy": summary.correct,
        "masked": summary.masked,
        "non_critical": summary.non_critical,
        "critical": summary.critical,
        "critical_nonfinite": summary.nonfinite,
    }
    return {
        name: estimate_mean(each, images, summary.stratum, population, level) for name, each in counts.items()
    } | faults


def accuracy_table(status: CampaignStatus, results: CampaignResults) -> Table:
    """Table I: a row for each quantity, with its share and interval, its count, and what both are of."""
    row, nonfinite = results.table_one, results.nonfinite_pairs
    of_images = (status.images, "images")
    accuracy = f"faulty accuracy{', dropped as golden' if status.dropped else ''}"
    return Table(
        "Accuracy and severities",
        (
            Column("quantity", heading="", priority=4),
            Column("percent", Kind.PERCENT, heading="share", priority=4),
            *interval(results.confidence, priority=3),
            Column("count", Kind.COUNT, priority=2),
            Column("of", Kind.COUNT, priority=1),
            Column("unit", heading="", priority=1),
        ),
        (
            ("clean accuracy", row.clean_accuracy, None, None, round(row.clean_accuracy * status.images / 100),
             *of_images),
            (accuracy, *_share(results, "faulty_accuracy", row.faulty_accuracy), None, status.faults,
             "faults, the mean"),
            *_not_critical(status, results),
            (f"critical{', at least' if status.dropped else ''}", *_share(results, "critical", row.critical),
             status.critical, *_of_pairs(status)),
            ("critical, not finite", *_share(results, "critical_nonfinite", 100 * nonfinite / max(status.pairs, 1)),
             nonfinite, *_of_pairs(status)),
            ("critical faults",
             *_share(results, CRITICAL.name, 100 * row.critical_faults / max(status.faults, 1)),
             row.critical_faults, status.faults, "faults"),
        ),
        (
            *("clean accuracy", "faulty accuracy", "pair", "masked", "non-critical", "critical", "not finite"),
            *("critical fault", *(name for name in NOT_RUN_NAMES if getattr(status, name))),
        ),
    )  # fmt: skip


def _share(results: CampaignResults, name: str, of_faults_run: float) -> tuple[float | None, ...]:
    """Percent of the population with its interval; where there is no population, of what was run."""
    return percents(results.shares.get(name), of_faults_run)


def _of_pairs(status: CampaignStatus) -> tuple[int, str]:
    return status.pairs, "pairs"


def _not_critical(status: CampaignStatus, results: CampaignResults) -> Iterator[tuple[Cell, ...]]:
    """Masked and non-critical pairs; where some were not run, these too, and the paper's own column."""
    row, audit, pairs = results.table_one, results.audit, _of_pairs(status)
    is_whole = status.screened == status.dropped == 0
    if is_whole:
        yield ("masked", *_share(results, "masked", row.masked), status.masked, *pairs)
        yield ("non-critical", *_share(results, "non_critical", row.non_critical), status.non_critical, *pairs)
        return
    yield ("masked, at least", row.masked, None, None, status.masked, *pairs)
    yield ("non-critical, at least", row.non_critical, None, None, status.non_critical, *pairs)
    if status.screened:
        yield ("screened: called safe, not run", row.screened, None, None, status.screened, *pairs)
        if audit and audit.by_change:
            stages = (("bound alone", status.screened - audit.by_change), ("exact change", audit.by_change))
            for stage, count in stages:
                yield (f"- by the {stage}", 100 * count / max(status.pairs, 1), None, None, count, *pairs)
    yield ("not critical: these together", row.not_critical, None, None, status.not_critical, *pairs)
    if status.dropped:
        yield ("dropped: fault known critical", row.dropped, None, None, status.dropped, *pairs)


def audit_table(status: CampaignStatus, audit: AuditResults) -> Table:
    """What screening skipped, how much of it was run all the same, and how much it misses at most."""
    return Table(
        f"What screening misses ({100 * audit.confidence:g} % upper bounds, one-sided)",
        (
            Column("unit", heading="", priority=4),
            Column("skipped", Kind.COUNT, priority=3),
            Column("skipped_percent", Kind.PERCENT, heading="of all", priority=1),
            Column("audited", Kind.COUNT, priority=3),
            Column("missed", Kind.COUNT, priority=4),
            Column("missed_at_most", Kind.COUNT, heading="at most missed", priority=4),
            Column("missed_at_most_percent", Kind.PERCENT, heading="of all", priority=2),
        ),
        tuple(
            (unit, bound.skipped, 100 * bound.skipped / max(total, 1), bound.audited, bound.missed,
             math.ceil(bound.missed_at_most), 100 * bound.missed_at_most / max(total, 1))
            for unit, bound, total in (("pairs", audit.pairs, status.pairs), ("faults", audit.faults, status.faults))
        ),
        ("skipped", "audited", "missed", "at most missed"),
    )  # fmt: skip


def correlation_table(correlations: Mapping[str, Mapping[str, float | None]]) -> Table:
    """Table II: a row for each metric, with its rank correlation with each."""
    return Table(
        "How alike the metrics rank the images (Spearman's rank correlation)",
        (
            Column("metric", priority=2),
            *(Column(name, Kind.NUMBER, heading=name.replace("_", " "), priority=1) for name in correlations),
        ),
        tuple((name, *row.values()) for name, row in correlations.items()),
        ("correlation", *metrics_in(correlations)),
    )


def ranking_table(rankings: Sequence[RankingQuality]) -> Table:
    """How early each order of the images shows the critical faults: a row for each, the best first."""
    return Table(
        "How early an order of the images shows the critical faults",
        (
            Column("order", priority=4),
            Column("area_percent", Kind.PERCENT, "area under the curve", priority=3, term="area under the curve"),
            Column("images_for_all", Kind.COUNT, heading="images for all", priority=2, term="images for all"),
        ),
        tuple((each.order, 100 * each.area, each.images_for_all) for each in rankings),
        ("greedy", "random", *metrics_in(each.order for each in rankings)),
    )


def selection_table(rows: list[TableFourRow], confidence: float) -> Table:
    """Table IV: a row for each selection of images, with what it detects and what it costs.

    Args:
        rows: of the selections.
        confidence: of the intervals, 0..1.
    """
    return Table(
        "What a selection of images detects",
        (
            Column("selection", heading="images", priority=5),
            Column("percent_of_samples", Kind.PERCENT, heading="of all images", priority=4),
            Column("faults_detected", Kind.COUNT, heading="faults", priority=5, term="faults, of critical"),
            Column("detected_percent", Kind.PERCENT, heading="of critical", priority=4, term="faults, of critical"),
            *interval(confidence, priority=3),
            Column("seconds_at_1ms", Kind.SECONDS, heading="at 1 ms each", priority=1, term="at 1 ms each"),
            Column("seconds_measured", Kind.SECONDS, heading="measured", priority=2, term="measured"),
        ),
        tuple(
            (SELECTIONS[row.method], row.percent_of_samples, row.faults_detected, *percents(row.detected),
             row.seconds_at_1ms, row.seconds_measured)
            for row in rows
        ),
        tuple(SELECTIONS[row.method] for row in rows if row.method != "all"),
    )  # fmt: skip
