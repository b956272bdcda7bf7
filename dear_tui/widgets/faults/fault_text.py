"""Faults in words: a group of them in a line, one of them with its bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from textual.content import Content

from dear_tui.widgets.common.status_text import MUTED
from dear_tui.widgets.faults.fault_map_picture import field_label
from engine.analysis.accuracy_cost import CRITICAL
from engine.formats.fault_model import STUCK_OF_MODEL
from engine.formats.float32 import FLOAT32
from engine.severity import NOT_RUN_NAMES, SEVERITIES, SEVERITY_NAMES
from engine.units import percent, short_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dear_tui.widgets.faults.fault_map_picture import HeatGrid
    from engine.analysis.estimate import Confidence, Share
    from engine.faults.group import FaultGroup
    from engine.formats.weight_format import BitField, WeightFormat
    from engine.store.read.fault_results import CriticalImages, FaultRows

BAR_PARTS = (
    *((name, glyph, f"$class-{name}") for name, glyph in zip(SEVERITY_NAMES, "█▒▓", strict=True)),
    *((name, glyph, MUTED) for name, glyph in zip(NOT_RUN_NAMES, "░·", strict=True)),
)
"""Each severity, and each reason for none, with the pattern and the colour of its share in a bar."""
NAME_WIDTH, VALUE_WIDTH, GAP = 8, 17, 2
"""Columns of `golden` and `faulty`, of a value in decimal, and of the blanks between fields."""


def group_name(group: FaultGroup) -> str:
    """`fc1 · bit 30`, `all layers · bit 30`, `fc1 · all bits`, `all faults`, `faults that change image 12`."""
    if group.image_id is not None:
        return f"faults that change image {group.image_id}"
    if group.layer is None and group.bit is None:
        return "all faults"
    return f"{group.layer or 'all layers'} · {'all bits' if group.bit is None else f'bit {group.bit}'}"


def group_text(grid: HeatGrid, cell: tuple[int, int], group: FaultGroup, confidence: Confidence) -> Content:
    """What is known of the faults of a cell: how many, how critical, what they do, what was screened.

    A line each.
    """
    faults, run, critical = (int(counts[cell]) for counts in (grid.faults, grid.run, grid.critical_faults))
    population, pairs = int(grid.population[cell]), int(grid.pairs[cell])
    part = "" if group.bit is None else f" ({grid.format.field_of(group.bit).name})"
    head = Content.assemble((group_name(group) + part, "bold"), " · ")
    if faults == 0:
        return head + Content("no fault drawn here\n\n")
    head += Content(f"all {faults:,} faults" if faults >= population else f"{faults:,} of {population:,} faults drawn")
    if run == 0:
        return head + Content("\nnot run yet\n")
    share = grid.counts(*cell).share_critical(confidence)
    return Content.assemble(
        head,
        f"{'' if run == faults else f', {run:,} run so far'} · {short_count(pairs)} pairs\n",
        (f"{critical:,} critical", "bold $text-class-critical"),
        f": {percent(share.value, 1)} of faults ",
        (f"({_interval(share, confidence)})", MUTED),
        f", {percent(float(grid.pair_rate[cell]), 1)} of pairs\n",
        _effect_text(grid, cell, confidence),
    ) + _screened_line(int(grid.screened[cell]), pairs)


def _effect_text(grid: HeatGrid, cell: tuple[int, int], confidence: Confidence) -> Content:
    """How many faults of a cell have the effect that the map is asked for, where that is not told anyway."""
    if grid.rates.effect == CRITICAL:
        return Content("")
    share = grid.counts(*cell).share_having(confidence)
    return Content.assemble(
        (f"{int(grid.having[cell]):,} {grid.rates.effect.words}", "bold"),
        f": {percent(share.value, 1)} ",
        (f"({_interval(share, confidence)})", MUTED),
    )


def _interval(share: Share, confidence: Confidence) -> str:
    """What a sample leaves open; where there is no fault beside those that were run, nothing."""
    if share.is_known:
        return "of all there are"
    return f"{100 * confidence.stated:g} % CI {percent(share.low, 1).removesuffix(' %')} – {percent(share.high, 1)}"


def _screened_line(screened: int, pairs: int) -> Content:
    if not screened:
        return Content("")
    words = f"\n{percent(screened, pairs)} of pairs screened: a bound calls them safe, they were not run"
    return Content.styled(words, MUTED)


def fault_text(fault: FaultRows, width: int, weight_format: WeightFormat = FLOAT32) -> Content:
    """One fault: both values in decimal, hex and bits, and its images by severity."""
    golden, bit = np.asarray(fault.golden_value[:1], dtype=np.float32), int(fault.bit[0])
    stuck = np.array([STUCK_OF_MODEL[str(fault.model[0])]], np.int8)
    # the faulty value is worked out from the pattern, because a NaN loses its payload on the way through SQL
    faulty = weight_format.faulty_values(golden, np.array([bit], np.uint8), stuck)
    drawing = BitDrawing(weight_format)
    patterns = [int(weight_format.encode(value)[0]) for value in (golden, faulty)]
    lines = [Content.styled(drawing.heading, MUTED)]
    for name, value, pattern in zip(("golden", "faulty"), (golden, faulty), patterns, strict=True):
        number = f"{decimal(float(value[0])):<{VALUE_WIDTH}}{drawing.hex(pattern)}"
        lines.append(
            Content.assemble((f"{name:<{NAME_WIDTH}}", MUTED), number, drawing.bits(pattern, bit, name == "faulty"))
        )
    lines.append(drawing.pointer(bit, *patterns))
    counts = [int(getattr(fault, name)[0]) for name in (*SEVERITIES, *NOT_RUN_NAMES)]
    lines.append(_severity_bar(counts, width))
    lines.append(_severity_words(counts, width))
    return Content("\n").join(lines)


def answers_text(fault: FaultRows, images: CriticalImages) -> Content:
    """What one fault does to the accuracy, and to the answers that it changes.

    A line each; of a fault that has not been run there is none.
    """
    settled = int(fault.count()[0])
    if settled == 0:
        return Content("")
    so_far = "" if settled == fault.images else f", so far: {settled:,} of {fault.images:,} images"
    golden, cost = percent(fault.golden_right, fault.images), int(fault.cost[0])
    if fault.dropped[0]:
        line = Content("accuracy not known: once it was seen critical, the other images were dropped")
    else:
        under, points = percent(fault.golden_right - cost, fault.images), f"{abs(100 * cost / fault.images):.2f}"
        change = "as without it" if cost == 0 else f"{points} points {'lost' if cost > 0 else 'gained'}"
        line = Content.assemble(
            ("accuracy ", MUTED), (under, "bold"), f", {golden} without the fault: {change}{so_far}"
        )
    lost, corrected = int(images.is_right_lost.sum()), int(images.is_corrected.sum())
    kinds = (
        (f"✗ {lost:,} made wrong", "bold $text-error"),
        (f"✓ {corrected:,} corrected", "bold $text-success"),
        (f"· {len(images) - lost - corrected:,} wrong as before", MUTED),
    )
    answers = Content("   ").join(Content.styled(*kind) for kind in kinds)
    return Content("\n").join([line, Content.assemble(("answers  ", MUTED), answers)])


def decimal(value: float) -> str:
    """A float32 with the nine digits that tell it from every other."""
    return f"{value:.9g}"


@dataclass(frozen=True)
class BitDrawing:
    """Where the bits of a format stand in the lines of a fault: its fields apart, the highest bit on the left."""

    format: WeightFormat

    @property
    def heading(self) -> str:
        """The line above the values."""
        names = "".join(f"{field_label(field):<{self._width(field) + GAP}}" for field in self.format.fields)
        return f"{'':{NAME_WIDTH}}{'decimal':<{VALUE_WIDTH}}{'hex':<{self._hex_width}}{names}".rstrip()

    def hex(self, pattern: int) -> str:
        """A pattern in base 16, as wide as its column."""
        return f"{pattern:0{self.format.hex_digits}X}".ljust(self._hex_width)

    def bits(self, pattern: int, bit: int, is_faulty: bool) -> Content:
        """A pattern in base 2, the fault's bit marked."""
        style = "reverse bold" if is_faulty else "bold underline"
        texts: list[Content] = []
        for field in self.format.fields:
            for place in range(field.high, field.low - 1, -1):
                texts.append(Content.styled(str(pattern >> place & 1), style if place == bit else ""))
            texts.append(Content(" " * (self._width(field) - field.width + GAP)))
        return Content("").join(texts[:-1])

    def pointer(self, bit: int, golden: int, faulty: int) -> Content:
        """What the fault did to the pattern `golden`, under its bit."""
        column, (was, becomes) = self._column(bit), (pattern >> bit & 1 for pattern in (golden, faulty))
        words = f"bit {bit}: {was} → {becomes}"
        if was == becomes:
            words = f"bit {bit} is {was} already: masked by construction"
        on_the_left = f"{words} ▲".rjust(column + 1)
        return Content.styled(on_the_left if len(words) + 1 <= column else " " * column + f"▲ {words}", "$text-warning")

    @property
    def _hex_width(self) -> int:
        return self.format.hex_digits + 2 * GAP

    @staticmethod
    def _width(field: BitField) -> int:
        return max(field.width, len(field_label(field)))

    def _column(self, bit: int) -> int:
        """Where a bit stands in its line."""
        column = NAME_WIDTH + VALUE_WIDTH + self._hex_width
        for field in self.format.fields:
            if field.low <= bit:
                return column + field.high - bit
            column += self._width(field) + GAP
        raise ValueError(f"{self.format.name} has no bit {bit}")


def _severity_bar(counts: Sequence[int], width: int) -> Content:
    """The images of a fault by severity; what is there at all gets a cell."""
    total = sum(counts)
    if total == 0:
        return Content.styled("This fault has not been run yet.", MUTED)
    cells = [max(round(width * count / total), 1) if count else 0 for count in counts]
    cells[cells.index(max(cells))] += width - sum(cells)
    return Content.assemble(*((glyph * n, style) for (_, glyph, style), n in zip(BAR_PARTS, cells, strict=True)))


def _severity_words(counts: Sequence[int], width: int) -> Content:
    """With shares where there is room for them; pairs that were not run only where there are some."""
    total = sum(counts)
    if total == 0:
        return Content("")
    parts = list(zip(BAR_PARTS, counts, strict=True))
    shown = [*parts[: len(SEVERITY_NAMES)], *(part for part in parts[len(SEVERITY_NAMES) :] if part[1])]

    def words(gap: str, has_shares: bool) -> Content:
        shares = (f" ({percent(count, total)})" if has_shares else "" for _, count in shown)
        return Content(gap).join(
            Content.assemble((f"{glyph} {name}", style), f" {count:,}{share}")
            for ((name, glyph, style), count), share in zip(shown, shares, strict=True)
        )

    whole = words("   ", has_shares=True)
    return whole if len(shown) == len(SEVERITY_NAMES) or whole.cell_length <= width else words("  ", has_shares=False)
