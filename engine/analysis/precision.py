"""Whether a campaign knows the rate that it is to find out so well that it may stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.analysis.estimate import Confidence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from engine.analysis.estimate import Share


@dataclass(frozen=True)
class _Rate:
    """One of those that `[run] precision_of` names."""

    share: str
    """its name in Table I"""
    words: str


RATES = {
    "pairs": _Rate("critical", "of critical pairs"),
    "faults": _Rate("critical_faults", "of critical faults"),
    "accuracy": _Rate("faulty_accuracy", "of the faulty accuracy"),
}
"""What `[run] precision_of` may be."""


@dataclass(frozen=True)
class Look:
    """What a campaign knows after some of its faults."""

    share: Share
    confidence: Confidence
    precision: float
    """that was asked for"""
    rate: str
    faults: int
    """that have run"""
    drawn: int
    more: str
    """what would draw more, in words"""

    @classmethod
    def at(cls, shares: Mapping[str, Share], config: Mapping[str, Any], faults: int, drawn: int) -> Look | None:
        """Look at what some faults have found; None where the campaign runs all of them in any case.

        Args:
            shares: what Table I tells of the population, from these faults, of which every stratum has some.
            config: of the campaign, as the store keeps it.
            faults: that have run on all images.
            drawn: faults that there are.
        """
        run = config.get("run", {})
        if run.get("precision") is None:
            return None
        rate = str(run.get("precision_of", "pairs"))
        share = shares[RATES[rate].share]
        more = "a smaller error_margin" if config.get("faults", {}).get("count") is None else "a larger count"
        return cls(share, Confidence.of(config), float(run["precision"]), rate, faults, drawn, more)

    @property
    def is_enough(self) -> bool:
        """Whether the interval is as narrow as was asked for."""
        return self.share.high - self.share.low <= self.precision

    @property
    def sentence(self) -> str:
        """What it says of the campaign, where this is the last look."""
        if self.faults < self.drawn:
            return f"stopped after {self.faults:,} of {self.drawn:,} faults, because {self._width}"
        all_run = f"all {self.drawn:,} faults have run"
        if self.share.is_known:
            return f"{all_run}, which are all that there are: nothing is open"
        return f"{all_run}, and {self._width}{'' if self.is_enough else f'; {self.more} draws more'}"

    @property
    def on_the_way(self) -> str:
        """What it says of a campaign that goes on."""
        return f"after {self.faults:,} of {self.drawn:,} faults {self._width}; going on"

    @property
    def _width(self) -> str:
        return (
            f"the {100 * self.confidence.stated:g} % interval {RATES[self.rate].words} is "
            f"{100 * (self.share.high - self.share.low):.3g} points wide (precision {100 * self.precision:g})"
        )
