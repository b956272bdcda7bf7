"""A number format that weights are stored in: its bits, their fields, and what a fault makes of a value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.formats.fault_model import FLIPPED

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Values = npt.NDArray[np.float32]
    Patterns = npt.NDArray[np.uint32]
    Bits = npt.NDArray[np.integer]

MOST_BITS = np.iinfo(np.uint32).bits
"""of a format, because a pattern is kept as uint32"""


class BitField(NamedTuple):
    """Neighbouring bits with one meaning, such as the exponent."""

    name: str
    low: int
    """its lowest bit; bit 0 is the lowest of the pattern"""
    high: int
    """its highest bit"""

    @property
    def width(self) -> int:
        """How many bits the field has."""
        return self.high - self.low + 1


@dataclass(frozen=True)
class WeightFormat:
    """A format of 1 to 32 bits.

    The network computes with float32 values. A value that the format holds and its pattern stand for each other
    exactly: `encode(decode(pattern))` is `pattern`, NaN payloads and signed zeros included.
    """

    name: str
    """as a campaign keeps it"""
    widths: tuple[tuple[str, int], ...]
    """name and number of bits of each field, the highest field first"""
    encode: Callable[[Values], Patterns]
    """values [F] that the format holds -> their patterns [F] in the lowest bits"""
    decode: Callable[[Patterns], Values]
    """patterns [F] -> the values [F] that they stand for"""

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MOST_BITS or any(width < 1 for _, width in self.widths):
            raise ValueError(f"{self.name}: a format has fields of at least one bit, and 1 to {MOST_BITS} bits in all")

    @cached_property
    def bits(self) -> int:
        """Number of bits of a weight."""
        return sum(width for _, width in self.widths)

    @property
    def all_bits(self) -> tuple[int, ...]:
        """Every bit's place, ascending."""
        return tuple(range(self.bits))

    @cached_property
    def fields(self) -> tuple[BitField, ...]:
        """The fields, the highest first."""
        fields, above = [], self.bits
        for name, width in self.widths:
            fields.append(BitField(name, above - width, above - 1))
            above -= width
        return tuple(fields)

    @property
    def hex_digits(self) -> int:
        """How many digits a pattern has in base 16."""
        return -(-self.bits // 4)

    def field_of(self, bit: int) -> BitField:
        """The field that a bit lies in.

        Raises:
            ValueError: the format has no such bit.
        """
        for field in self.fields:
            if field.low <= bit <= field.high:
                return field
        raise ValueError(f"{self.name} has no bit {bit}; use 0 to {self.bits - 1}")

    @property
    def landmarks(self) -> str:
        """Where the fields above the lowest one begin, as in `31 is the sign, 30 the highest of the exponent`."""
        upper = self.fields[:-1] or self.fields
        words = [(f.high, f"the {f.name}" if f.width == 1 else f"the highest of the {f.name}") for f in upper]
        return ", ".join(f"{bit} {'is ' if place == 0 else ''}{text}" for place, (bit, text) in enumerate(words))

    def flip(self, pattern: Patterns, bit: Bits) -> Patterns:
        """Each pattern [F] with its bit [F] turned over."""
        return pattern ^ _mask(bit)

    def stick(self, pattern: Patterns, bit: Bits, stuck: npt.NDArray[np.integer]) -> Patterns:
        """Each pattern [F] with its bit [F] set to 0 or 1 [F]."""
        mask = _mask(bit)
        return np.where(stuck == 0, pattern & ~mask, pattern | mask)

    def faulty_patterns(self, pattern: Patterns, bit: Bits, stuck: npt.NDArray[np.integer]) -> Patterns:
        """Each pattern [F] with its `bit` [F] flipped where `stuck` [F] is -1, else set to 0 or 1 as it says."""
        return np.where(stuck == FLIPPED, self.flip(pattern, bit), self.stick(pattern, bit, stuck))

    def faulty_values(self, golden: Values, bit: Bits, stuck: npt.NDArray[np.integer]) -> Values:
        """The value of each weight under its fault.

        The fault acts on the pattern, so that NaN payloads, infinities and signed zeros are what hardware would hold.

        Args:
            golden: [F] weights without fault, values that the format holds.
            bit: [F] 0 to bits - 1.
            stuck: [F] -1 is bit_flip, 0 or 1 is stuck at that value.

        Returns:
            [F] float32; the same pattern as golden where a stuck bit already holds its value.
        """
        return self.decode(self.faulty_patterns(self.encode(golden), bit, stuck))

    def same(self, golden: Values, faulty: Values) -> npt.NDArray[np.bool_]:
        """Where two arrays [F] have the same pattern: NaN equals itself, -0.0 may differ from 0.0; [F]."""
        return np.equal(self.encode(golden), self.encode(faulty))


def _mask(bit: Bits) -> Patterns:
    return np.uint32(1) << np.asarray(bit, dtype=np.uint32)
