"""What a sampling design is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


@dataclass(frozen=True)
class Design:
    """A sampling design."""

    name: str
    """what `[faults] sampling` calls it"""
    help: str
    """one clause for form and template"""
    shares: Callable[[FaultsConfig, Population], Sequence[StratumSize]]
    """the strata of the filtered population, each made of whole layers and bits, none in two of them; raises
    InputError for a config that asks for no fault"""
    options: tuple[str, ...] = DRAWING
    """those of `DRAWING` that have an effect"""
