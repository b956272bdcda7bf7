"""What goes into a store and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.analysis.curve import DetectionCurve
from engine.severity import COUNTS, SEVERITIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.analysis.audit import AuditResults
    from engine.analysis.tables import TableOneRow
    from engine.faults.fault_list import FaultList

State = Literal["queued", "running", "paused", "finished", "failed", "cancelled"]

Statistics = Mapping[str, float | str]
"""name -> what a method measured of itself while it computed a part"""

SCREENED_BY_CHANGE = "screened_by_change"
"""the statistic that counts the pairs of a part that were screened by their exact change"""


UNPREPARED = "config:"
"""how the fingerprint begins of a campaign of which nothing is known but its config"""


def is_unprepared(fingerprint: str) -> bool:
    """Whether a campaign is one of which nothing is known but its config."""
    return fingerprint.startswith(UNPREPARED)


FOUND_DAMAGE = "verify found damage"
"""how the reason begins for which a campaign that was finished is paused; older stores go on otherwise"""


class Counted:
    """Something that has all of `COUNTS`, each a number or an array of one shape."""

    def count(self) -> Any:
        """How many pairs the counts add up to."""
        return sum(getattr(self, name) for name in COUNTS)

    def count_run(self) -> Any:
        """How many pairs were run: those that have a severity."""
        return sum(getattr(self, name) for name in SEVERITIES)


@dataclass(frozen=True, eq=False)
class CountArrays(Counted):
    """An array [n] for each of `COUNTS`, with a number for each of n things, such as faults or images."""

    masked: NDArray[np.int64]
    non_critical: NDArray[np.int64]
    critical: NDArray[np.int64]
    screened: NDArray[np.int64]
    dropped: NDArray[np.int64]


@dataclass(frozen=True)
class LayerRecord:
    """An injectable layer as a campaign keeps it."""

    index: int
    name: str
    shape: tuple[int, ...]
    """of its weight"""
    kind: str | None = None
    """the class of its module, such as `Conv2d`"""
    method: str | None = None
    """which runs its faults"""
    reason: str | None = None
    """why the self-check fell back to it, where it did"""
    groups: int | None = None
    """into which a convolution divides its channels; 1 of any other layer"""
    transposed: bool | None = None
    """whether the in-channels are the first axis of its weight"""


@dataclass(frozen=True)
class CheckRecord:
    """What the self-check found before a campaign; counts are pairs."""

    pairs: int
    differences: int
    undecided: int
    masked: int
    """masked for one of the two and non-critical for the other"""
    fallbacks: tuple[dict[str, str], ...]
    """layer, method and reason of each layer that a slower method runs"""
    seconds: float


@dataclass(frozen=True, eq=False)
class NewCampaign:
    """All that is fixed when a campaign is created: F faults, N images in the data set, W of them in the workload."""

    fingerprint: str
    identity: dict[str, str]
    """what the fingerprint is of, item by item"""
    name: str
    network: str
    dataset: str
    select: str
    metric: str
    method: str
    config: dict[str, Any]
    """the full config as given, JSON-able"""
    numerics: dict[str, str]
    """torch version, device, TF32, threads: part of the result"""
    faults: FaultList
    golden_values: NDArray[np.float32]
    """[F] the weights without fault"""
    faulty_values: NDArray[np.float32]
    """[F] the weights with the fault"""
    labels: NDArray[np.int64]
    """[N]"""
    golden_class: NDArray[np.int64]
    """[N] top-1 of the golden network"""
    metrics: dict[str, NDArray[np.float64]]
    """name -> [N]; holds at least `metric`"""
    workload: NDArray[np.int64]
    """[W] image ids in rank order"""
    layers: tuple[LayerRecord, ...] = ()
    """all injectable layers; empty: what `faults` knows of them"""
    check: CheckRecord | None = None
    goal: str = "severities"
    notes: str | None = None
    """the user's own words"""
    study: str | None = None
    """the study that the campaign is a member of"""
    factors: dict[str, Any] = field(default_factory=dict)
    """key of the config -> the value that sets this member of the study apart"""
    drawn: int | None = None
    """see `CampaignRow.drawn`; None: as many as `faults`"""


@dataclass(frozen=True)
class CampaignStatus(Counted):
    """One campaign as `list` shows it; counts are pairs, times ISO 8601 UTC."""

    id: int
    name: str
    state: str
    network: str
    dataset: str
    select: str
    method: str
    faults: int
    images: int
    pairs: int
    pairs_done: int
    """may run ahead of the committed parts while the campaign runs"""
    rate: float | None
    """pairs per second, while it runs"""
    eta_s: float | None
    masked: int
    non_critical: int
    critical: int
    created: str
    started: str | None
    finished: str | None
    error: str | None
    goal: str = "severities"
    screened: int = 0
    dropped: int = 0
    audited: int = 0
    """screened pairs that were run all the same"""
    missed: int = 0
    """audited pairs that are critical"""
    drawn: int | None = None
    """faults that were drawn; more than `faults` where it stopped at its precision; None: not known to be more"""
    notes: str | None = None
    """the user's own words"""

    @property
    def is_prepared(self) -> bool:
        """Whether its faults and images are known; else whoever runs it finds them out first."""
        return self.faults > 0

    @property
    def has_stopped_early(self) -> bool:
        """Whether it knew enough before it had run all faults."""
        return self.drawn is not None and self.drawn > self.faults

    @property
    def is_ranked(self) -> bool:
        """Whether the images run with the most challenging ones first."""
        return self.select not in ("random", "list")

    @property
    def not_critical(self) -> int:
        """The paper's own count: pairs that were seen not to be critical, and those that a bound calls so."""
        return self.masked + self.non_critical + self.screened


@dataclass(frozen=True)
class Outcome:
    """What a finished campaign comes to, in a few numbers."""

    table_one: TableOneRow
    lowering_faults: int | None
    """faults that lower the accuracy; None where pairs were dropped: it is not known then"""


@dataclass(frozen=True, eq=False)
class CurveData(DetectionCurve):
    """The detection curve over the ranks for which every fault is in, and the metric that ranks were given by."""

    faults: int
    images: int
    metric_name: str
    metric: NDArray[np.float64]
    """[W] in rank order"""
    beyond: int = 0
    """ranks that are done, too, after one that is not: blocks may come in any order"""


@dataclass(frozen=True, eq=False)
class ImageCounts(CountArrays):
    """What each of W images shows of the faults run on it so far.

    Counts, [W] in rank order, add up to the faults settled for an image.
    """

    faults: int
    data_set: int
    """images in the data set, of which the workload may be a part"""
    metric_name: str
    image_id: NDArray[np.int64]
    """[W] in rank order"""
    metric: NDArray[np.float64]
    """[W] in rank order"""

    @property
    def complete(self) -> NDArray[np.bool_]:
        """[W] whether every fault is settled for the image: run, screened or dropped."""
        complete: NDArray[np.bool_] = self.count() == self.faults
        return complete


@dataclass(frozen=True)
class LayerProgress:
    """How far one layer's faults are."""

    name: str
    faults: int
    critical: int
    """faults that are critical for an image so far"""
    pairs: int
    pairs_done: int


@dataclass(frozen=True, eq=False)
class CampaignSummary(CountArrays):
    """The committed results of a campaign: F faults by id, N images in the data set, W of them run.

    Counts [F] are images.
    """

    status: CampaignStatus
    fault_id: NDArray[np.uint32]
    """[F] ascending"""
    correct: NDArray[np.int64]
    """[F] images classified as labelled under the fault"""
    weight: NDArray[np.float64]
    """[F] faults of the population that each one stands for"""
    stratum: NDArray[np.int64]
    """[F] place in `population`"""
    population: NDArray[np.int64] | None
    """[H] different faults that each stratum holds; None where they stand for no population, as those of a list"""
    metric_name: str
    """of the one that ranked the images"""
    metrics: dict[str, NDArray[np.float64]]
    """name -> [N] by image id"""
    workload: NDArray[np.int64]
    """[W] image ids in rank order"""
    golden_correct: NDArray[np.bool_]
    """[N] by image id"""
    critical_fault: NDArray[np.uint32]
    """[K] fault id, a row per critical pair"""
    critical_image: NDArray[np.uint32]
    """[K] image id"""
    nonfinite: NDArray[np.int64]
    """[F] critical pairs with a logit that is not finite"""
    seconds: float | None
    """what computing it took, over all runs; None where that is not known of every part"""
    unverified_parts: int
    """committed parts whose receipts were rebuilt: damage from before that would not be noticed"""
    audit: AuditResults | None = None
    """what the screened pairs hide at most; None where none were screened"""

    @property
    def metric(self) -> NDArray[np.float64]:
        """[N] by image id: the metric that ranked the images."""
        return self.metrics[self.metric_name]

    def of_first(self, images: int) -> CampaignSummary:
        """The summary of the first images, and of the faults that are known for all of them; without the audit.

        Args:
            images: for which, and for no others, the counts are.
        """
        known = self.count() == images
        some, workload = self.of_faults(known), self.workload[:images]
        rows = np.isin(self.critical_fault, some.fault_id) & np.isin(self.critical_image, workload)
        faults = len(some.fault_id)
        counts: dict[str, Any] = {name: int(getattr(some, name).sum()) for name in COUNTS}
        pairs = faults * images
        return replace(
            some,
            status=replace(self.status, faults=faults, images=images, pairs=pairs, pairs_done=pairs, **counts),
            workload=workload,
            critical_fault=self.critical_fault[rows],
            critical_image=self.critical_image[rows],
            audit=None,
        )

    def of_faults(self, chosen: NDArray[np.bool_]) -> CampaignSummary:
        """The summary with what is counted by fault of the `chosen` ones, bool [F]; everything else is of all."""
        by_fault = ("fault_id", "correct", "weight", "stratum", "nonfinite", *COUNTS)
        return replace(self, **{name: getattr(self, name)[chosen] for name in by_fault})


@dataclass(frozen=True, order=True)
class Span:
    """A rectangle of pairs: ranks [rank_start, rank_stop) x places [fault_start, fault_stop) in execution order."""

    rank_start: int
    rank_stop: int
    fault_start: int
    fault_stop: int

    @property
    def ranks(self) -> tuple[int, int]:
        """The first rank and the one after the last."""
        return self.rank_start, self.rank_stop

    @property
    def faults(self) -> int:
        """How many faults it spans."""
        return self.fault_stop - self.fault_start

    @property
    def images(self) -> int:
        """How many images it spans."""
        return self.rank_stop - self.rank_start

    @property
    def pairs(self) -> int:
        """How many pairs it spans."""
        return self.faults * self.images

    def overlaps(self, other: Span) -> bool:
        """Whether some pair is in both spans."""
        return (
            max(self.rank_start, other.rank_start) < min(self.rank_stop, other.rank_stop)
            and max(self.fault_start, other.fault_start) < min(self.fault_stop, other.fault_stop)
        )  # fmt: skip


@dataclass(frozen=True)
class Receipt(Counted):
    """What is known of one committed part set; its rows follow from the span and the counts."""

    part: int
    span: Span
    masked: int
    non_critical: int
    critical: int
    sha256: Mapping[str, str] = field(default_factory=dict)
    """table -> hash of its file; empty before they are written"""
    seconds: float | None = None
    """what computing it took; None where that is not known"""
    rebuilt: bool = False
    """made from the part instead of by its writer: a damaged part would not be noticed"""
    screened: int = 0
    dropped: int = 0
    engine: str | None = None
    """version of the code that computed it; None where that is not known"""
    statistics: Mapping[str, Any] = field(default_factory=dict)
    """see `Statistics`"""
    audited: int = 0
    """see `CampaignStatus`"""
    missed: int = 0
    """see `CampaignStatus`"""

    def __post_init__(self) -> None:
        if self.count() != self.span.pairs:
            raise ValueError(f"part {self.part} does not hold the {self.span.pairs} pairs of its span")
