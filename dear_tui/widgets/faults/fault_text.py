"""Faults in words: a group of them in a line, one of them with its bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from textual.content import Content

from dear_tui.text.units import percent, short_count
from dear_tui.widgets.common.status_text import MUTED
from dear_tui.widgets.faults.fault_map_picture import EXPONENT_LOW, SIGN, part_of
from engine.analysis.interval import share_interval
from engine.formats.float32 import faulty_values

if TYPE_CHECKING:
    from dear_tui.widgets.faults.fault_map_picture import HeatGrid
    from engine.faults.group import FaultGroup
    from engine.store.read.fault_results import FaultRows

STUCK = {"bit_flip": -1, "stuck_at_0": 0, "stuck_at_1": 1}
SEVERITIES = (
    ("masked", "█", "$class-masked"),
    ("non-critical", "▒", "$class-non-critical"),
    ("critical", "▓", "$class-critical"),
)
"""Each with the pattern and the colour of its share in a bar."""


def group_name(group: FaultGroup) -> str:
    """`fc1 · bit 30`, `all layers · bit 30`, `fc1 · all bits`, `all faults`."""
    if group.layer is None and group.bit is None:
        return "all faults"
    return f"{group.layer or 'all layers'} · {'all bits' if group.bit is None else f'bit {group.bit}'}"


def group_text(grid: HeatGrid, cell: tuple[int, int], group: FaultGroup, confidence: float) -> Content:
    """What is known of the faults of a cell, in two lines: how many there are, and how critical they are."""
    faults, run, critical = (int(counts[cell]) for counts in (grid.faults, grid.run, grid.critical_faults))
    population, pairs = int(grid.population[cell]), int(grid.pairs[cell])
    part = "" if group.bit is None else f" ({part_of(group.bit)})"
    head = Content.assemble((group_name(group) + part, "bold"), " · ")
    if faults == 0:
        return head + Content("no fault drawn here\n")
    head += Content(f"{faults:,} of {max(population, faults):,} faults drawn")
    if run == 0:
        return head + Content("\nnot run yet")
    low, high = share_interval(critical, run, max(population, run), confidence)
    return Content.assemble(
        head,
        f"{'' if run == faults else f', {run:,} run so far'} · {short_count(pairs)} pairs\n",
        (f"{critical:,} critical", "bold $text-class-critical"),
        f": {percent(critical, run)} of faults ",
        (f"({100 * confidence:g} % CI {percent(low, 1).removesuffix(' %')} – {percent(high, 1)})", MUTED),
        f", {percent(int(grid.critical[cell]), pairs)} of pairs",
    )


def fault_text(fault: FaultRows, width: int) -> Content:
    """One fault: both values in decimal, hex and bits, and its images by severity."""
    golden = np.asarray(fault.golden_value[:1], dtype=np.float32)
    bit = int(fault.bit[0])
    # from the pattern, because a NaN loses its payload on the way through SQL
    faulty = faulty_values(golden, np.array([bit], np.uint8), np.array([STUCK[str(fault.model[0])]], np.int8))
    lines = [Content.styled(f"{'':8}{'decimal':<17}{'hex':<12}{'±':<3}{'exponent':<10}mantissa", MUTED)]
    for name, value, marked in (("golden", golden, False), ("faulty", faulty, True)):
        pattern = int(value.view(np.uint32)[0])
        number = Content.assemble((f"{name:<8}", MUTED), f"{decimal(float(value[0])):<17}", f"{pattern:08X}    ")
        lines.append(number + _bits(pattern, bit, marked))
    lines.append(_pointer(bit, golden, faulty))
    counts = (int(fault.masked[0]), int(fault.non_critical[0]), int(fault.critical[0]))
    lines.append(_severity_bar(counts, width))
    lines.append(_severity_words(counts))
    return Content("\n").join(lines)


def decimal(value: float) -> str:
    """A float32 with the nine digits that tell it from every other."""
    return f"{value:.9g}"


def _bits(pattern: int, bit: int, marked: bool) -> Content:
    """Sign, exponent and mantissa apart, the fault's bit marked."""
    parts: list[Content] = []
    for place in range(SIGN, -1, -1):
        text = str(pattern >> place & 1)
        style = ("reverse bold" if marked else "bold underline") if place == bit else ""
        parts.append(Content.styled(text, style))
        if place in (SIGN, EXPONENT_LOW):
            parts.append(Content("  "))
    return Content("").join(parts)


def _pointer(bit: int, golden: np.ndarray, faulty: np.ndarray) -> Content:
    """What the fault did, under its bit."""
    gaps = 2 * (bit < SIGN) + 2 * (bit < EXPONENT_LOW)
    column = 37 + SIGN - bit + gaps
    was, becomes = (int(value.view(np.uint32)[0]) >> bit & 1 for value in (golden, faulty))
    words = f"bit {bit}: {was} → {becomes}" if was != becomes else f"bit {bit} is {was} already: masked by construction"
    on_the_left = f"{words} ▲".rjust(column + 1)
    return Content.styled(on_the_left if len(words) + 1 <= column else " " * column + f"▲ {words}", "$text-warning")


def _severity_bar(counts: tuple[int, int, int], width: int) -> Content:
    """The images of a fault by severity; what is there at all gets a cell."""
    total = sum(counts)
    if total == 0:
        return Content.styled("This fault has not been run yet.", MUTED)
    cells = [max(round(width * count / total), 1) if count else 0 for count in counts]
    cells[cells.index(max(cells))] += width - sum(cells)
    return Content.assemble(*((glyph * n, style) for (_, glyph, style), n in zip(SEVERITIES, cells, strict=True)))


def _severity_words(counts: tuple[int, int, int]) -> Content:
    total = sum(counts)
    texts = []
    for (name, glyph, style), count in zip(SEVERITIES, counts, strict=True):
        texts.append(Content.assemble((f"{glyph} {name}", style), f" {count:,} ({percent(count, total)})"))
    return Content("   ").join(texts) if total else Content("")
