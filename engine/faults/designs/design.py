"""What a sampling design is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.faults.sampling import sample_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from engine.config.campaign_config import FaultsConfig
    from engine.faults.population import Population


@dataclass(frozen=True)
class StratumSize:
    """One stratum to draw: faults of some layers and bits of the network, and how many of them."""

    name: str
    population: Population
    faults: int


DRAWING = ("error_margin", "confidence", "count", "seed")
"""Keys of `[faults]` that say how many faults are drawn, and which."""

OPTIONS = (*DRAWING, "p", "draw")
"""These, and those of single designs."""


@dataclass(frozen=True)
class Design:
    """A sampling design: how many faults are drawn from which part of the population."""

    name: str
    """what `[faults] sampling` calls it"""
    help: str
    """one clause for form and template"""
    shares: Callable[[FaultsConfig, Population], Sequence[StratumSize]]
    """the strata of the filtered population, each made of whole layers and bits, none in two of them; raises
    InputError for a config that asks for no fault"""
    options: tuple[str, ...] = DRAWING
    """those of `OPTIONS` that have an effect"""


def needed(config: FaultsConfig, parts: Iterable[tuple[str, Population, float]]) -> list[StratumSize]:
    """Strata that each give as many faults as the error margin asks for there, but at least one, or all that they have.

    Of a stratum that gave none nothing would be known, and its share of the population would be missing in every rate.

    Args:
        config: with the margin and the confidence.
        parts: name and population of each stratum, and the proportion that is expected there.

    Raises:
        InputError: the margin asks for no fault anywhere.
    """
    planned = [(name, part, _planned(config, part, p)) for name, part, p in parts]
    if not any(faults for _, _, faults in planned):
        raise InputError(f"[faults] error_margin: {config.error_margin} asks for no fault; lower it")
    # under x64 the formula can ask a small population for more flips than there are
    return [StratumSize(name, part, min(max(1, faults), part.distinct)) for name, part, faults in planned]


def _planned(config: FaultsConfig, part: Population, p: float) -> int:
    return round(sample_size(len(part), config.error_margin, config.confidence, p))
