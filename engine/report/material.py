"""What a report needs to know of a campaign, read from its store once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.campaign_results import campaign_results, metric_results
from engine.analysis.compaction import coverage_of_tests
from engine.analysis.cover import Incidence
from engine.analysis.estimate import Confidence, Share
from engine.analysis.protection import SCHEMES
from engine.analysis.workload_words import images_in_words, is_ranked
from engine.faults.designs.registry import LIST
from engine.report.fault_sample import FaultSample
from engine.steps import OnStep, Step, nobody_waits
from engine.store.read.critical_sample import critical_sample, weights_of
from engine.store.read.fault_results import stored_format

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from engine.analysis.campaign_results import CampaignResults, MetricResults
    from engine.analysis.compaction import TestCoverage
    from engine.analysis.protection import CriticalSample, Scheme
    from engine.formats.weight_format import WeightFormat
    from engine.store import CampaignStatus, CampaignSummary, CurveData, ImageCounts
    from engine.store.read.fault_results import FaultRates
    from engine.store.read.reading import StoreReader

LOSSES = (0.1, 0.2)
"""of the golden class's softmax, told in points of percent"""


@dataclass(frozen=True, eq=False)
class LostAnswers:
    """In how many critical pairs of each fault the answer is lost in which way, [F] each."""

    not_in_top5: NDArray[np.int64] | None
    """[F] golden's class is not among the five best; None where that was not kept"""
    softmax_lost: tuple[NDArray[np.int64] | None, ...]
    """[F] for each of `LOSSES`: golden's class loses more than that; a pair that is not finite loses all of it"""


@dataclass(frozen=True, eq=False)
class Material:
    """One campaign: F faults, W images; of one that is not finished, those for which all is known."""

    campaign: CampaignStatus
    """as `list` has it"""
    description: Mapping[str, Any]
    """the content of its campaign.json"""
    summary: CampaignSummary
    """of what is reported, which `summary.status` counts"""
    rates: FaultRates
    curve: CurveData
    image_counts: ImageCounts
    layer: NDArray[np.int64]
    """[F] index of each fault's layer"""
    bit: NDArray[np.int64]
    """[F] of each fault"""
    lost: LostAnswers

    @property
    def status(self) -> CampaignStatus:
        """The status of the campaign, whose counts are of what is reported."""
        return self.summary.status

    @property
    def is_whole(self) -> bool:
        """Whether the campaign is finished."""
        return self.campaign.state == "finished"

    @property
    def is_list(self) -> bool:
        """Whether the faults were given, so that they stand for no others."""
        return self.summary.population is None

    @property
    def format(self) -> WeightFormat:
        """The number format of the stored weights."""
        return stored_format(self.description)

    @property
    def is_stuck(self) -> bool:
        """Whether bits are stuck, and loading the weights again mends nothing."""
        return str(self.description["fault_model"]).startswith("stuck")

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        """The ways to protect weights that help against these faults."""
        return tuple(scheme for scheme in SCHEMES if not (self.is_stuck and scheme.needs_reload))

    @property
    def is_ranked(self) -> bool:
        """Whether the images were run with the most challenging ones first."""
        return is_ranked(self.status.select)

    @property
    def is_filtered(self) -> bool:
        """Whether faults were drawn in some layers or bits alone."""
        faults = self.config.get("faults", {})
        return bool(faults.get("layers")) or faults.get("bits") is not None

    @property
    def has_all_images(self) -> bool:
        """Whether the whole data set was run, so that the images are no choice of anybody's."""
        return self.status.images == self.image_counts.data_set

    @property
    def tag(self) -> str:
        """What it is not, in a few words for a title; empty for a whole campaign on all images."""
        words = (
            ("not finished", not self.is_whole),
            ("screened", self.status.screened > 0),
            ("pairs dropped", self.status.dropped > 0),
            ("some layers or bits", self.is_filtered),
            ("some images", self.is_whole and not self.has_all_images),
            ("a given list", self.is_list),
        )
        return ", ".join(word for word, holds in words if holds)

    @property
    def images_in_words(self) -> str:
        """Which images were run, for somebody who does not know the names of selections."""
        words = images_in_words(self.status.select, self.status.images, self.image_counts.data_set, self.is_whole)
        is_hardest = self.is_ranked and self.is_whole and not self.has_all_images and self.status.select != "central"
        return f"{words}, so that rates are higher than on ordinary ones" if is_hardest else words

    @property
    def config(self) -> Mapping[str, Any]:
        """The config as it was given."""
        config: Mapping[str, Any] = self.description["config"]
        return config

    @property
    def confidence(self) -> Confidence:
        """With which everything is stated."""
        return Confidence.of(self.config)

    @cached_property
    def results(self) -> CampaignResults:
        """Tables I and IV."""
        return campaign_results(self.summary, self.description)

    @cached_property
    def metrics(self) -> MetricResults:
        """Table II, and how early each order shows the critical faults."""
        return metric_results(self.summary)

    @cached_property
    def sample(self) -> FaultSample:
        """The faults as a sample of all that could be drawn."""
        return FaultSample.of(self)

    @cached_property
    def protected_bits(self) -> CriticalSample:
        """The faults as protecting bits counts them."""
        return critical_sample(self.summary, self.description, self.layer, self.bit)

    @cached_property
    def incidence(self) -> Incidence:
        """Which images show which critical faults."""
        return Incidence.of(self.summary.critical_fault, self.summary.critical_image, self.summary.workload)

    @cached_property
    def coverage_of_tests(self) -> list[TestCoverage]:
        """What few images detect of critical faults that did not choose them; none where that is not known."""
        if self.status.dropped:
            return []
        found = coverage_of_tests(self.incidence, weights_of(self.summary), self.confidence)
        if not self.is_list:
            return found
        return [replace(each, detected=Share.known(each.detected.value)) for each in found]

    @property
    def seed(self) -> int:
        """The seed of the faults."""
        return int(self.config.get("faults", {}).get("seed", 42))

    @property
    def sampling(self) -> str:
        """The design."""
        return str(self.config.get("faults", {}).get("sampling", LIST if self.is_list else "network"))


def read_material(store: StoreReader, campaign: int, on_step: OnStep = nobody_waits) -> Material:
    """Read a campaign.

    Raises:
        InputError: there is no campaign with this id, or nothing of it is known yet of all its faults.
        UnreachableError: a file of it is damaged.
    """
    on_step(Step(f"reading campaign {campaign}"))
    status, description = store.campaign(campaign), store.description(campaign)
    summary = store.summary_so_far(campaign)
    layer, bit = store.fault_places(campaign)
    if len(layer) != len(summary.fault_id):  # not all waves are known
        known = np.isin(store.fault_ids_of(campaign), summary.fault_id)
        layer, bit = layer[known], bit[known]
    return Material(
        campaign=status,
        description=description,
        summary=summary,
        rates=store.rates(campaign),
        curve=store.curve(campaign),
        image_counts=store.image_counts(campaign),
        layer=layer,
        bit=bit,
        lost=_read_lost(store, summary),
    )


def _read_lost(store: StoreReader, summary: CampaignSummary) -> LostAnswers:
    losses = ", ".join(
        f"count(*) FILTER (nonfinite OR softmax_lost > {loss})::BIGINT AS lost_{place}"
        for place, loss in enumerate(LOSSES)
    )
    rows = store.read(
        "SELECT fault_id, count(*) FILTER (nonfinite OR NOT golden_in_top5)::BIGINT AS not_in_top5, "
        "bool_or(golden_in_top5 IS NULL AND NOT nonfinite) AS unknown_top5, "
        f"bool_or(softmax_lost IS NULL AND NOT nonfinite) AS unknown_loss, {losses} "
        f"FROM critical WHERE campaign = {summary.status.id} "
        f"AND image_id IN (SELECT image_id FROM images WHERE campaign = {summary.status.id} "
        f"AND rank < {summary.status.images}) GROUP BY fault_id"
    )
    known = np.isin(rows["fault_id"], summary.fault_id)
    place = np.searchsorted(summary.fault_id, rows["fault_id"][known])

    def by_fault(name: str, unknown: str) -> NDArray[np.int64] | None:
        if rows[unknown].any():
            return None
        counts = np.zeros(len(summary.fault_id), np.int64)
        counts[place] = rows[name][known]
        return counts

    return LostAnswers(
        by_fault("not_in_top5", "unknown_top5"),
        tuple(by_fault(f"lost_{place}", "unknown_loss") for place in range(len(LOSSES))),
    )
