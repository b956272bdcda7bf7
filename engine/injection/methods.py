"""The registry of injection methods. It imports none of them: configs and help texts read it without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.injection.method import Method
    from engine.injection.network.traced import TracedNetwork


@dataclass(frozen=True)
class Thetas:
    """Up to where a method that screens calls pairs safe: docs/screening.md."""

    bound: float = 0.3
    """share of a lead that a pair's bound may reach: a third of where critical pairs were first seen"""
    change: float = 0.3
    """share of a lead that the exact change of a pair may take, to first order"""


THETAS = Thetas()


@dataclass(frozen=True)
class MethodEntry:
    """A method by the name that a config gives it."""

    name: str
    promise: str
    """what of its results equals the naive loop, to follow the name in a sentence"""
    is_bit_equal: bool
    """whether masked and non-critical are told apart as the naive loop does, so that a rerun gives the same ones"""
    factory: str
    """"module:function" that makes the methods of a traced network, the fastest first; each next one is slower, and
    runs the layers in which the one before it does not agree with the plain loop"""
    in_small: str | None = None
    """the method that takes its place in a small campaign; one that promises as much, and measures nothing first"""
    screens: bool = False
    """whether it leaves pairs out by a bound, whose limits `thetas` its factory takes, and audits them"""

    def build(self, traced: TracedNetwork, thetas: Thetas = THETAS) -> Sequence[Method]:
        """The methods for one network."""
        options = {"thetas": thetas} if self.screens else {}
        methods: Sequence[Method] = resolve_name(self.factory)(traced, **options)
        return methods


_ENTRIES = (
    MethodEntry("exact", "equals the naive loop in every bit", True, "engine.injection.exact.method:exact_methods"),
    MethodEntry(
        "fast",
        "equals the naive loop in every top-1, by a margin that is measured",
        False,
        "engine.injection.fast.method:fast_methods",
        in_small="exact",
    ),
    MethodEntry(
        "screened",
        "equals fast where a first-order bound says that a fault may matter, and an audit bounds what the others hide",
        False,
        "engine.injection.screened.method:screened_methods",
        screens=True,
    ),
)

SMALL = 100_000
"""pairs of a small campaign. Measured on two cores: ResNet-20 has 150,000 before `fast` has made up for the 5.5 s in
which it measures rounding, and nobody waits for so many of a smaller network"""

METHODS: dict[str, MethodEntry] = {entry.name: entry for entry in _ENTRIES}
DEFAULT_METHOD = "fast"


def quicker(name: str, pairs: int) -> str:
    """The method that is done sooner with so many pairs, what it measures at the start included.

    >>> quicker("fast", 10_000_000), quicker("screened", 10_000)
    ('fast', 'screened')
    """
    in_small = METHODS[name].in_small
    return name if in_small is None or pairs >= SMALL else in_small
