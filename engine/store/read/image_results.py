"""What a campaign found, seen from its images: how many faults each shows to be critical, and what it is taken for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.conditions import Field, Kind
from engine.metrics.registry import METRIC_COLUMNS
from engine.severity import COUNTS
from engine.store.read.fault_results import whole
from engine.store.records import CountArrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.conditions import Condition
    from engine.store.read.fault_results import Read

ImageOrder = Literal["rank", "critical"]
IMAGE_FIELDS = (
    Field("class", Kind.CLASS, ("label", "golden_class"), "label or golden"),
    Field("label", Kind.CLASS, ("label",), "what it is"),
    Field("golden", Kind.CLASS, ("golden_class",), "class without a fault"),
    Field("wrong", Kind.FLAG, ("NOT golden_correct",), "golden has it wrong"),
    Field("right", Kind.FLAG, ("golden_correct",), "golden has it right"),
    Field("critical", Kind.NUMBER, ("coalesce(critical, 0)",), "faults that flip it"),
    Field("corrected", Kind.NUMBER, ("coalesce(corrected, 0)",), "faults that correct it"),
    *(Field(name, Kind.NUMBER, (name,), "") for name in METRIC_COLUMNS),
)
"""What images can be filtered by."""

ORDERS: dict[ImageOrder, str] = {"rank": "rank", "critical": "critical DESC NULLS LAST, rank"}
"""How the images can be sorted."""


@dataclass(frozen=True, eq=False)
class ImageRows(CountArrays):
    """The W images of a campaign's workload, a column [W] each; counts are faults, over the pairs stored so far."""

    image_id: NDArray[np.int64]
    """[W]"""
    rank: NDArray[np.int64]
    """[W]"""
    label: NDArray[np.int64]
    """[W]"""
    golden_class: NDArray[np.int64]
    """[W] top-1 of the golden network"""
    corrected: NDArray[np.int64]
    """[W] faults that correct the image: golden has it wrong, and it is right under them"""
    metrics: dict[str, NDArray[np.float64]]
    """name -> [W], of the metrics that were computed"""

    def __len__(self) -> int:
        return len(self.image_id)


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The n classes that one image is taken for under the faults that are critical for it, the most frequent first."""

    prediction: NDArray[np.int64]
    """[n] the class"""
    faults: NDArray[np.int64]
    """[n] faults under which the image is taken for it"""
    nonfinite: NDArray[np.int64]
    """[n] faults under which it is, with a logit that is not finite"""

    def __len__(self) -> int:
        return len(self.prediction)


def images_sql(campaign: int, order: ImageOrder, having: tuple[Condition, ...] = ()) -> str:
    """The images of a campaign's workload, or those that meet conditions."""
    return f"""\
SELECT rank, image_id, {", ".join(METRIC_COLUMNS)}, label, golden_class,
    {", ".join(COUNTS)}, coalesce(corrected, 0) AS corrected
FROM images LEFT JOIN image_summary USING (campaign, image_id) LEFT JOIN (
    SELECT campaign, image_id, count(*) AS corrected FROM critical JOIN images USING (campaign, image_id)
    WHERE campaign = {campaign} AND NOT golden_correct AND prediction = label AND NOT nonfinite
    GROUP BY campaign, image_id
) USING (campaign, image_id)
WHERE campaign = {campaign} AND rank IS NOT NULL{"".join(f" AND {condition.sql}" for condition in having)}
ORDER BY {ORDERS[order]}"""


def mistakes_sql(campaign: int, image_id: int) -> str:
    """What an image is taken for, and by how many faults."""
    return f"""\
SELECT prediction, count(*) AS faults, count(*) FILTER (nonfinite) AS nonfinite
FROM critical
WHERE campaign = {campaign} AND image_id = {image_id}
GROUP BY prediction
ORDER BY faults DESC, prediction"""


def read_images(read: Read, campaign: int, order: ImageOrder, having: tuple[Condition, ...] = ()) -> ImageRows:
    """The images of a campaign's workload, or those that meet conditions."""
    rows = read(images_sql(campaign, order, having))
    metrics = {name: np.ma.filled(rows.pop(name), np.nan).astype(np.float64) for name in METRIC_COLUMNS}
    return ImageRows(
        metrics={name: values for name, values in metrics.items() if not np.isnan(values).all()},
        **{name: whole(column) for name, column in rows.items()},
    )


def read_mistakes(read: Read, campaign: int, image_id: int) -> Mistakes:
    """What an image is taken for."""
    return Mistakes(**{name: whole(column) for name, column in read(mistakes_sql(campaign, image_id)).items()})
