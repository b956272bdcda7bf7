"""Critical rates by layer and bit as a grid of cells, each of a rate or of a reason for none; no Textual in here."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from engine.formats.float32 import FLOAT32

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from engine.formats.weight_format import BitField, WeightFormat
    from engine.store.read.fault_results import FaultRates, StratumCounts

ALL = "all"
"""The name of the row of all layers and of the column of all bits."""
CORNER = "critical"
"""Above the names of a small map, which has no legend: what its shares are of."""
MOST_LINES = 8
"""of a cell: more would only be taller"""
LOWEST, HIGHEST = 1e-5, 1.0
"""The ends of the log scale: 0.001 % and 100 %."""


class Fill(IntEnum):
    """How much of a cell is filled, so that cells differ without colour; a decade each.

    A cell is screened where nothing critical was seen and some pairs were not run, because a bound calls them safe.
    """

    NOT_DRAWN = 0
    NOT_RUN = 1
    SCREENED = 2
    ZERO = 3
    LOW = 4
    MIDDLE = 5
    HIGH = 6
    HIGHEST = 7


GLYPHS = {
    Fill.NOT_DRAWN: " ",
    Fill.NOT_RUN: "?",
    Fill.SCREENED: "╌",
    Fill.ZERO: "·",
    Fill.LOW: "░",
    Fill.MIDDLE: "▒",
    Fill.HIGH: "▓",
    Fill.HIGHEST: "█",
}
LEGEND = {
    Fill.NOT_DRAWN: "blank: none drawn",
    Fill.NOT_RUN: "not run yet",
    Fill.SCREENED: "screened",
    Fill.ZERO: "0",
    Fill.LOW: "< 0.01",
    Fill.MIDDLE: "< 0.1",
    Fill.HIGH: "< 1",
    Fill.HIGHEST: "≥ 1 %",
}


@dataclass(frozen=True, eq=False)
class HeatGrid:
    """The rates with their totals: a row a layer and one for all of them, a column a bit and one for all."""

    rates: FaultRates
    faults: NDArray[np.int64]
    """[L + 1, B + 1], like the next ones; column B is all bits, row L all layers"""
    population: NDArray[np.int64]
    run: NDArray[np.int64]
    critical_faults: NDArray[np.int64]
    pairs: NDArray[np.int64]
    critical: NDArray[np.int64]
    screened: NDArray[np.int64]
    having: NDArray[np.int64]
    """faults that have the effect of `rates`"""
    pair_rate: NDArray[np.float64]
    """critical pairs per pair, estimated for all faults that could be drawn; 0 where there are none"""
    fault_rate: NDArray[np.float64]
    """faults that have the effect per fault, as `pair_rate`"""
    is_of_faults: bool = False
    """whether the map is of these, and not of critical pairs"""

    @classmethod
    def of(cls, rates: FaultRates, is_of_faults: bool = False) -> HeatGrid:
        """Add up layers and bits."""
        names = ("faults", "population", "run", "critical_faults", "pairs", "critical", "screened", "having")
        grids = {name: _with_totals(getattr(rates, name)) for name in names}
        return cls(
            rates,
            **grids,
            pair_rate=_rates(rates, rates.critical, rates.pairs, lambda counts: counts.pair_rate),
            fault_rate=_rates(rates, rates.having, rates.run, lambda counts: counts.rate_having),
            is_of_faults=is_of_faults,
        )

    def counts(self, row: int, column: int) -> StratumCounts:
        """The counts of a cell or of a total, by stratum."""
        return self.rates.by_stratum(*_cells(self.rates, row, column))

    @property
    def names(self) -> tuple[str, ...]:
        """The layers' names, as the map writes them."""
        return self.rates.layers

    @property
    def format(self) -> WeightFormat:
        """Whose B bits these are, the highest in column 0."""
        return self.rates.format

    @property
    def rows(self) -> int:
        """Layers and the row of all."""
        return len(self.names) + 1

    @property
    def bits(self) -> int:
        """Columns without that of all bits, which is the next one."""
        return self.format.bits

    def rate(self, row: int, column: int) -> float:
        """What the map shows, 0..1: critical pairs per pair, or faults that have the effect per fault."""
        return float((self.fault_rate if self.is_of_faults else self.pair_rate)[row, column])

    def levels(self) -> set[Fill]:
        """The levels that stand somewhere on the map."""
        return {self.level(row, column) for row in range(self.rows) for column in range(self.bits)}

    def level(self, row: int, column: int) -> Fill:
        """What a cell shows."""
        if self.faults[row, column] == 0:
            return Fill.NOT_DRAWN
        if self.pairs[row, column] == 0:
            return Fill.NOT_RUN
        if self.critical[row, column] == 0 and self.screened[row, column]:
            return Fill.SCREENED
        return level_of(self.rate(row, column))


def level_of(rate: float) -> Fill:
    """The decade of a rate."""
    if rate == 0:
        return Fill.ZERO
    return Fill(Fill.LOW + sum(rate >= bound for bound in (1e-4, 1e-3, 1e-2)))


def most_critical(grid: HeatGrid) -> tuple[int, int]:
    """The cell with most critical pairs, where the first look should go; a rate of one fault says little."""
    cells = [(row, column) for row in range(len(grid.names)) for column in range(grid.bits)]
    return max(cells, key=lambda cell: (grid.critical[cell], grid.faults[cell]), default=(0, 0))


def heat_of(rate: float) -> float:
    """Where a rate lies on the log scale, 0 the lowest end and 1 the highest."""
    return math.log(min(max(rate, LOWEST), HIGHEST) / LOWEST) / math.log(HIGHEST / LOWEST)


@dataclass(frozen=True)
class MapLayout:
    """Where everything lies in a map of a width and a height."""

    name_width: int
    cell_width: int
    cell_height: int
    layers: int
    """rows of layers in view"""
    format: WeightFormat = FLOAT32

    HEADING = 2
    """lines of the bit axis"""
    SMALL_HEADING = 1
    """the same in a small map, which has no numbers of bits"""
    SHARE_WIDTH = 6
    """of the column of all bits, with the blank before it"""

    @classmethod
    def of(
        cls,
        names: tuple[str, ...],
        width: int,
        height: int,
        weight_format: WeightFormat = FLOAT32,
        is_small: bool = False,
    ) -> MapLayout:
        """The largest cells that fit, in a small map of one line; where not all layers do, they scroll."""
        heading, narrowest, tallest = (cls.SMALL_HEADING, 1, 1) if is_small else (cls.HEADING, 2, MOST_LINES)
        room = width - cls.SHARE_WIDTH
        longest = max(len(name) for name in (*names, CORNER if is_small else ALL)) + 1
        cell_width = min(max((room - longest) // weight_format.bits, narrowest), 5)
        name_width = max(min(longest, room - cell_width * weight_format.bits), 1)
        lines = height - heading
        cell_height = min(max(lines // (len(names) + 1), 1), tallest)
        layers = max(min(len(names), lines // cell_height - 1), 1)
        return cls(name_width, cell_width, cell_height, layers, weight_format)

    def column_of(self, x: int) -> int | None:
        """Which bit is at a column of the screen: 0 the leftmost, after the last one all bits; None on the names."""
        return None if x < self.name_width else min((x - self.name_width) // self.cell_width, self.format.bits)

    def row_of(self, y: int) -> int | None:
        """Which row in view is on a line; the row after the layers is that of all layers."""
        return None if y < self.HEADING else min((y - self.HEADING) // self.cell_height, self.layers)


def bit_of(column: int, bits: int) -> int | None:
    """The bit of a column, highest first; None is all bits."""
    return None if column == bits else bits - 1 - column


def field_label(field: BitField) -> str:
    """A field's name above its bits; one bit has room for a character only."""
    return "±" if field.name == "sign" else field.name


def field_heading(layout: MapLayout, is_of_faults: bool = False, corner: str = "") -> str:
    """The fields of the format above their bits, each as wide as its bits; `corner` stands above the names."""
    texts = []
    for field in layout.format.fields:
        width = field.width * layout.cell_width
        name = field_label(field)[:width]
        texts.append(f"{f' {name} ':─^{width - 2}}".join("╭╮") if width > len(name) + 4 else f"{name:^{width}}")
    names, share = f"{corner:<{layout.name_width}}"[: layout.name_width], "fault%" if is_of_faults else "pairs%"
    return f"{names}{''.join(texts)}{share:>{layout.SHARE_WIDTH}}"


def bit_labels(layout: MapLayout, chosen: int | None) -> list[str]:
    """One label a column of cells; where they would touch every other one, and none beside the chosen bit's."""
    bits = layout.format.bits
    shown = set(range(bits))
    if layout.cell_width == 2:
        shown = set(range(0, bits - 1, 2))
        if chosen is not None:
            shown = shown - {chosen - 1, chosen + 1} | {chosen}
    return [f"{bit if bit in shown else '':^{layout.cell_width}}" for bit in reversed(range(bits))]


def short_name(name: str, width: int) -> str:
    """A layer's name in this width: its words lose their ends, as in `la3.2.co1`, or all of it its beginning."""
    for letters in range(max(len(name), 1), 0, -1):
        short = re.sub(r"[^\W\d_]+", lambda word, letters=letters: word[0][:letters], name)  # type: ignore[misc]
        if len(short) <= width:
            return short
    return "…" + name[len(name) - width + 1 :]


def short_share(share: float) -> str:
    """Percent in at most five characters: 40.1, 9.65, 0.62, 0.003, <.001."""
    percent = 100 * share
    if percent == 0:
        return "0"
    if percent < 0.001:
        return "<.001"
    return f"{percent:.3g}" if percent >= 1 else f"{percent:.2f}" if percent >= 0.1 else f"{percent:.3f}"


def cell_number(share: float, width: int) -> str:
    """Percent in a cell of three columns or more, with what digits there is room for: 40.1 and <.1, or 40 and <1."""
    percent, room = 100 * share, width - 1
    smallest = "<.1" if room > 2 else "<1"
    texts = (short_share(share), f"{percent:.1f}" if percent >= 0.1 else smallest, f"{percent:.0f}")
    fitting = next((text for text in texts if len(text) <= room), texts[-1])
    return f"{smallest if fitting == '0' and percent else fitting:^{width}}"


def _cells(rates: FaultRates, row: int, column: int) -> tuple[slice, slice]:
    """The layers and the bits that a place of the map stands for."""
    layers, bits = rates.faults.shape
    of_bit = bits - 1 - column
    return (
        slice(None) if row == layers else slice(row, row + 1),
        slice(None) if column == bits else slice(of_bit, of_bit + 1),
    )


def _rates(
    rates: FaultRates, hits: NDArray[np.int64], tried: NDArray[np.int64], estimate: Callable[[StratumCounts], float]
) -> NDArray[np.float64]:
    """[L + 1, B + 1]: of the cells what was counted, of the totals what their strata tell."""
    cells = np.pad(hits[:, ::-1] / np.maximum(tried[:, ::-1], 1), ((0, 1), (0, 1)))
    layers, bits = rates.faults.shape
    for row, column in [*((row, bits) for row in range(layers)), *((layers, column) for column in range(bits + 1))]:
        cells[row, column] = estimate(rates.by_stratum(*_cells(rates, row, column)))
    return cells


def _with_totals(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bits highest first, [L, B] -> [L + 1, B + 1]."""
    flipped = counts[:, ::-1]
    with_bits = np.hstack([flipped, flipped.sum(axis=1, keepdims=True)])
    return np.vstack([with_bits, with_bits.sum(axis=0, keepdims=True)])
