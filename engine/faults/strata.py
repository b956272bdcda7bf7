"""The parts of a population that a sample is drawn from, each with its own share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stratum:
    """Faults of some layers and bits, of which some were drawn at random."""

    name: str
    layers: tuple[int, ...]
    """indices of the layers, ascending"""
    bits: tuple[int, ...]
    """ascending"""
    copies: int
    """how often each bit of a weight counts, see `Population`"""
    population: int
    """faults that it holds"""
    faults: int
    """of them, the ones that were drawn"""

    @property
    def weight(self) -> float:
        """Faults of the population that each drawn one stands for."""
        return self.population / self.faults if self.faults else 0.0
