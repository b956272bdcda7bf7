"""What goes into a store and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.faults.fault_list import FaultList

State = Literal["queued", "running", "paused", "finished", "failed", "cancelled"]


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
    """[F]"""
    labels: NDArray[np.int64]
    """[N]"""
    golden_class: NDArray[np.int64]
    """[N] top-1 of the golden network"""
    metrics: dict[str, NDArray[np.float64]]
    """name -> [N]; holds at least `metric`"""
    workload: NDArray[np.int64]
    """[W] image ids in rank order"""


@dataclass(frozen=True)
class CampaignStatus:
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


@dataclass(frozen=True, eq=False)
class CurveData:
    """The detection curve over the ranks for which every fault is in."""

    faults: int
    images: int
    metric_name: str
    metric: NDArray[np.float64]
    """[W] in rank order"""
    masked: NDArray[np.int64]
    """[ranks done] faults so far masked; with the next two it adds up to `faults`"""
    non_critical: NDArray[np.int64]
    critical: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ImageCounts:
    """What each image of a workload of W images shows of the faults run on it so far."""

    faults: int
    data_set: int
    """images in the data set, of which the workload may be a part"""
    metric_name: str
    image_id: NDArray[np.int64]
    """[W] in rank order, like all that follow"""
    metric: NDArray[np.float64]
    masked: NDArray[np.int64]
    """[W] faults that are masked for the image; with the next two it adds up to those run on it"""
    non_critical: NDArray[np.int64]
    critical: NDArray[np.int64]

    @property
    def complete(self) -> NDArray[np.bool_]:
        """[W] whether every fault has run on the image."""
        complete: NDArray[np.bool_] = self.masked + self.non_critical + self.critical == self.faults
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
class CampaignSummary:
    """The committed results of a campaign: F faults by id, N images in the data set, W of them run."""

    status: CampaignStatus
    fault_id: NDArray[np.int64]
    """[F]"""
    masked: NDArray[np.int64]
    """[F] images for which the fault is masked, like the next two"""
    non_critical: NDArray[np.int64]
    critical: NDArray[np.int64]
    correct: NDArray[np.int64]
    """[F] images classified as labelled under the fault"""
    metric_name: str
    metric: NDArray[np.float64]
    """[N] by image id"""
    workload: NDArray[np.int64]
    """[W] image ids in rank order"""
    golden_correct: NDArray[np.bool_]
    """[N] by image id"""
    critical_fault: NDArray[np.int64]
    """[K] fault id, a row per critical pair"""
    critical_image: NDArray[np.int64]
    """[K] image id"""
    nonfinite_pairs: int
    """critical pairs with a logit that is not finite"""
    seconds: float | None
    """what computing it took, over all runs; None where that is not known of every part"""
    unverified_parts: int
    """committed parts whose receipts were rebuilt: damage from before that would not be noticed"""


@dataclass(frozen=True, order=True)
class Span:
    """A rectangle of pairs: ranks [rank_start, rank_stop) x places [fault_start, fault_stop) in execution order."""

    rank_start: int
    rank_stop: int
    fault_start: int
    fault_stop: int

    @property
    def ranks(self) -> tuple[int, int]:
        return self.rank_start, self.rank_stop

    @property
    def faults(self) -> int:
        return self.fault_stop - self.fault_start

    @property
    def images(self) -> int:
        return self.rank_stop - self.rank_start

    @property
    def pairs(self) -> int:
        return self.faults * self.images

    def overlaps(self, other: Span) -> bool:
        return (
            max(self.rank_start, other.rank_start) < min(self.rank_stop, other.rank_stop)
            and max(self.fault_start, other.fault_start) < min(self.fault_stop, other.fault_stop)
        )  # fmt: skip


@dataclass(frozen=True)
class Receipt:
    """What is known of one committed part set; its rows follow from the span and the counts."""

    part: int
    span: Span
    masked: int
    non_critical: int
    critical: int
    sha256: dict[str, str]
    """table -> hash of its file"""
    seconds: float | None = None
    """what computing it took; None where that is not known"""
    rebuilt: bool = False
    """made from the part instead of by its writer: a damaged part would not be noticed"""

    def __post_init__(self) -> None:
        if self.masked + self.non_critical + self.critical != self.span.pairs:
            raise ValueError(f"part {self.part} does not hold the {self.span.pairs} pairs of its span")
