"""What a metric is: a number for each image that says how challenging it is, and what it is computed from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.steps import nobody_waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import numpy.typing as npt

    from engine.steps import OnStep

    Logits = npt.NDArray[np.float32] | npt.NDArray[np.float64]
    Labels = npt.NDArray[np.int64]
    Values = npt.NDArray[np.float64]
    Features = npt.NDArray[np.float32]
    PixelBatches = Callable[[], Iterator[npt.NDArray[np.uint8] | npt.NDArray[np.float32]]]

Need = Literal["logits", "features", "pixels"]


@dataclass(frozen=True, eq=False)
class MetricInput:
    """What the metrics of N images are computed from, in the order of image ids.

    Logits and labels are always there. Features and pixels are there only for a metric that says it needs them,
    because they cost a pass over the network or over the data set.
    """

    logits: Logits
    """[N, K] of the fault-free network"""
    labels: Labels
    """[N] 0 to K - 1"""
    taken: Features | None = None
    """[N, D] the features, where they were asked for"""
    batches: PixelBatches | None = None
    """gives the images from the first to the last, batches [n, C, H, W], where they were asked for"""
    on_step: OnStep = nobody_waits
    """to be told how far a metric is that takes longer than a second"""

    @property
    def features(self) -> Features:
        """[N, D] the input of the metric's layer, flattened.

        Raises:
            ValueError: the metric does not say that it needs features.
        """
        if self.taken is None:
            raise ValueError('there are no features; the metric must say needs="features"')
        return self.taken

    def pixels(self) -> Iterator[npt.NDArray[np.uint8] | npt.NDArray[np.float32]]:
        """The images as stored, before they are normalised: batches [n, C, H, W] from the first image to the last.

        Raises:
            ValueError: the metric does not say that it needs pixels.
        """
        if self.batches is None:
            raise ValueError('there are no pixels; the metric must say needs="pixels"')
        return self.batches()


@dataclass(frozen=True)
class Metric:
    """One way to say how challenging an image is; the higher, the more so."""

    name: str
    """of the key's value in a config, of the column in SQL and on the screens: lower-case letters, digits and _"""
    title: str
    """what it measures, as a clause"""
    compute: Callable[[MetricInput], Values]
    """N images -> a finite value of each, [N]"""
    needs: Need = "logits"
    """metrics of logits are computed for every campaign, others where a campaign is ranked by them"""
    layer: str = ""
    """of features: the module whose input they are, by its dotted name; empty: the last convolution or linear layer"""
    center: float | None = None
    """its value where two classes are equally probable; None where that has no single value"""
    source: str = ""
    """who proposed it, and when"""
    written: str = ""
    """as papers and people write it, `EL2N`; empty: as its name, with blanks for _"""

    def __post_init__(self) -> None:
        if re.fullmatch(r"[a-z][a-z0-9_]*", self.name) is None:
            raise ValueError(f"{self.name!r} is no name of a metric; use lower-case letters, digits and _")
