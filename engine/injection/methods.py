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
        "fast", "in every top-1, by a margin that is measured", False, "engine.injection.fast.method:fast_methods"
    ),
    MethodEntry(
        "screened",
        "as fast where a first-order bound says that a fault may matter, and an audit bounds what the others hide",
        False,
        "engine.injection.screened.method:screened_methods",
        screens=True,
    ),
)

METHODS: dict[str, MethodEntry] = {entry.name: entry for entry in _ENTRIES}
DEFAULT_METHOD = "fast"
