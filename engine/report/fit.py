"""Failures in time: what faults of the stored weights cost, in FIT, by three readings of what a failure is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.analysis.estimate import Share, percents
from engine.analysis.result_table import Column, Kind, Table, interval
from engine.report.document import Chapter, NamedTable, Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from engine.analysis.result_table import Cell
    from engine.report.material import Material

BITS_PER_MBIT = 10**6

MOST_FIT_PER_MBIT = 1e12
"""beyond which a rate is a slip"""

DEFAULT_FIT_PER_MBIT = 1000.0
"""IEC 61508-7's default for soft errors of memory, where nothing better is known"""


MOST_BITS_SHOWN = 8
"""of a field, one by one: those of an exponent differ, those of a mantissa hardly"""


@dataclass(frozen=True)
class FitRate:
    """How often upsets come, and how many failures an argument may have."""

    per_mbit: float = DEFAULT_FIT_PER_MBIT
    """upsets in 10^9 hours of 10^6 stored bits"""
    budget: float | None = None
    """FIT"""

    def of_bits(self, bits: int) -> float:
        """Upsets of some stored bits, in FIT."""
        return self.per_mbit * bits / BITS_PER_MBIT

    @property
    def source(self) -> str:
        """Where the rate is from, in words."""
        if self.per_mbit == DEFAULT_FIT_PER_MBIT:
            return "1,000 FIT per Mbit, the default of IEC 61508-7 where nothing better is known of the memory"
        return f"{self.per_mbit:,.6g} FIT per Mbit, as given with --fit-per-mbit"


@dataclass(frozen=True)
class Reading:
    """One meaning of failure."""

    name: str
    """in files for programs"""
    words: str
    meaning: str


PER_INFERENCE = Reading(
    "per_inference",
    "changed answers",
    "the share of inferences whose answer the fault changes, answers that are not finite included: what a fault does "
    "to one inference on an image like those of the workload",
)
NONFINITE = Reading(
    "nonfinite",
    "of these, not finite",
    "the part of it whose outputs hold a NaN or an infinity, which a check of the outputs detects",
)
ANY_IMAGE = Reading(
    "any_image",
    "faults critical for some image",
    "the share of faults that change the answer of at least one image of the workload: how many faults could be a "
    "failure if the fault stays and inputs keep coming; it grows with the number of images",
)
READINGS = (PER_INFERENCE, NONFINITE, ANY_IMAGE)
"""Side by side, and never added up."""


def readings_of(material: Material, cells: NDArray[np.bool_] | None = None) -> dict[str, Share | None]:
    """The three shares of `cells` [L, B], or of all; None where too few faults were drawn, or pairs were dropped."""
    sample, summary = material.sample, material.summary
    of_pairs = not summary.status.dropped
    return {
        PER_INFERENCE.name: sample.mean(summary.critical, cells) if of_pairs else None,
        NONFINITE.name: sample.mean(summary.nonfinite, cells) if of_pairs else None,
        ANY_IMAGE.name: sample.share(summary.critical > 0, cells),
    }


def in_fit(share: Share | None, bits: int, rate: FitRate) -> Share | None:
    """A share of faults as failures in time."""
    upsets = rate.of_bits(bits)
    return None if share is None else Share(share.value * upsets, share.low * upsets, share.high * upsets)


def fit_of(material: Material, rate: FitRate) -> dict[str, Share | None]:
    """The three readings of a campaign, in FIT; None of a list, which stands for no bits but its own."""
    if material.is_list:
        return {reading.name: None for reading in READINGS}
    bits = stored_bits(material)
    return {name: in_fit(share, bits, rate) for name, share in readings_of(material).items()}


def stored_bits(material: Material, cells: NDArray[np.bool_] | None = None) -> int:
    """The bits that are in question, or those of `cells` [L, B]; a bit that can be stuck at two values is one bit."""
    sample = material.sample
    of_cells = sample.bits_in(sample.everything if cells is None else cells)
    return of_cells // (2 if material.description["fault_model"] == "stuck_at" else 1)


def fit_chapter(material: Material, rate: FitRate) -> Chapter:
    """The table of the three readings, each by layer and by field of bits, and the budget."""
    title = "Failures in time (FIT)"
    if material.is_list:
        return Chapter(
            title,
            (
                Paragraph(
                    "Not told: the faults were given as a list, which stands for no bits but its own. A sample tells "
                    'it, by [faults] sampling = "network" or another design; draw = "published" with '
                    'sampling = "proportional" draws the published lists.'
                ),
            ),
        )
    bits = stored_bits(material)
    upsets = rate.of_bits(bits)
    of_what = "the layers and bits that the campaign was filtered to" if material.is_filtered else "the weights"
    words = [
        f"Raw rate: {rate.source}. There are {bits:,} stored bits in {of_what}, so {upsets:,.4g} upsets come in a "
        "billion hours. Each FIT below is that number times a share; the share is estimated from the campaign, and the "
        "interval is that of the share.",
        f"Assumed: {_assumed(material)}; nothing protects the weights; inputs are like the images of the workload, "
        f"which are {material.images_in_words}. Faults elsewhere (activations, control, biases) are not in it.",
        "Rows of the tables by layer and by bits are estimated from the faults drawn there alone: they need not add "
        "up, and the interval of a part may be wider than that of all.",
        *_of_screened(material),
        *(f"{reading.words}: {reading.meaning}." for reading in READINGS),
        *_budget(material, rate),
    ]
    return Chapter(
        title,
        (
            *(Paragraph(_sentence(each)) for each in words),
            NamedTable("fit", _total_table(material, rate)),
            NamedTable("fit-by-layer", _by_layer(material, rate)),
            NamedTable("fit-by-bits", _by_bits(material, rate)),
        ),
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _assumed(material: Material) -> str:
    """What is taken to be true of the faults."""
    if material.is_stuck:
        return (
            "bits get stuck equally often and one at a time, and stay so until the memory is replaced; the default "
            "rate is one of soft errors, and --fit-per-mbit gives that of stuck bits"
        )
    return "upsets hit every stored bit equally often and one at a time; each stays until the weights are loaded again"


def _of_screened(material: Material) -> Iterator[str]:
    audit = material.results.audit
    if audit is not None:
        yield (
            f"the upper ends have room for what screening may have missed: at most {audit.pairs.missed_at_most:,.0f} "
            f"pairs and {audit.faults.missed_at_most:,.0f} faults, with {100 * audit.confidence:g} %"
        )


def _budget(material: Material, rate: FitRate) -> Iterator[str]:
    if rate.budget is None:
        return
    for reading in (PER_INFERENCE, ANY_IMAGE):
        found = fit_of(material, rate)[reading.name]
        if found is None:
            continue
        if found.high <= rate.budget:
            verdict = "is kept, over the whole interval"
        elif found.low > rate.budget:
            verdict = "is exceeded, over the whole interval"
        else:
            verdict = "lies within the interval: neither kept nor exceeded for sure"
        yield f"budget of {rate.budget:g} FIT, {reading.words}: {fit_words(found)}; the budget {verdict}"


def fit_words(found: Share) -> str:
    """A number of FIT with its interval, if it has one."""
    between = "" if found.is_known else f" ({found.low:.3g} to {found.high:.3g})"
    return f"{found.value:.3g} FIT{between}"


def _total_table(material: Material, rate: FitRate) -> Table:
    bits, confidence = stored_bits(material), material.confidence.stated
    rows: list[tuple[Cell, ...]] = []
    for reading, (_, share) in zip(READINGS, readings_of(material).items(), strict=True):
        found = in_fit(share, bits, rate)
        rows.append((reading.words, *_fit(found), *percents(share)))
    return Table(
        "FIT of the weights, three readings",
        (
            Column("reading", heading="a failure is", priority=9),
            *_fit_columns(confidence, 8),
            Column("share_percent", Kind.PERCENT, "share", priority=5),
            *interval(None, priority=1, names=("share_low_percent", "share_high_percent")),
        ),
        tuple(rows),
        ("FIT", "not finite"),
    )


def _by_layer(material: Material, rate: FitRate) -> Table:
    names, sample = material.rates.layers, material.sample
    groups = [(name, sample.of_layer(place)) for place, name in enumerate(names)]
    return _by_group("FIT by layer", "layer", _drawable(material, groups), material, rate)


def _by_bits(material: Material, rate: FitRate) -> Table:
    """The fields of the weight format, and below each its bits where it has few."""
    sample, groups = material.sample, []
    for field in material.format.fields:
        bits = f"bit {field.low}" if field.width == 1 else f"bits {field.low} to {field.high}"
        groups.append((f"{field.name} ({bits})", sample.of_bits(field.low, field.high + 1)))
        if 1 < field.width <= MOST_BITS_SHOWN:
            groups += [(f"- bit {bit}", sample.of_bits(bit, bit + 1)) for bit in range(field.high, field.low - 1, -1)]
    return _by_group("FIT by field of bits", "bits", _drawable(material, groups), material, rate)


def _drawable(material: Material, groups: list[tuple[str, NDArray[np.bool_]]]) -> list[tuple[str, NDArray[np.bool_]]]:
    """Without those of which no fault can be drawn."""
    return [(name, cells) for name, cells in groups if material.sample.bits_in(cells)]


def _by_group(
    title: str, name: str, groups: list[tuple[str, NDArray[np.bool_]]], material: Material, rate: FitRate
) -> Table:
    """A row for each group of cells: its faults, and two of the readings with their intervals."""
    rows: list[tuple[Cell, ...]] = []
    for group, cells in groups:
        shares, bits = readings_of(material, cells), stored_bits(material, cells)
        faults = int(material.sample.faults_in(cells).sum())
        inference, some = (in_fit(shares[each.name], bits, rate) for each in (PER_INFERENCE, ANY_IMAGE))
        nonfinite = in_fit(shares[NONFINITE.name], bits, rate)
        rows.append(
            (group, bits, faults, *_fit(inference), None if nonfinite is None else nonfinite.value, *_fit(some),
             _told(shares, faults, material))
        )  # fmt: skip
    return Table(
        title,
        (
            Column(name, priority=9),
            Column("bits", Kind.AMOUNT, "stored bits", priority=3),
            Column("faults", Kind.COUNT, "faults run", priority=6),
            *_fit_columns(material.confidence.stated, 8),
            Column("nonfinite_fit", Kind.NUMBER, "not finite", priority=2, term="not finite"),
            Column("any_image_fit", Kind.NUMBER, "some image: FIT", priority=7, term="some image"),
            *interval(None, 1, Kind.NUMBER, ("any_image_low_fit", "any_image_high_fit")),
            Column("remark", heading="", priority=4),
        ),
        tuple(rows),
        ("FIT",),
    )


def _told(shares: dict[str, Share | None], faults: int, material: Material) -> str:
    """What must be said beside the numbers of a group."""
    some = shares[ANY_IMAGE.name]
    if some is None:
        return "not sampled" if not faults else "too few faults to tell"
    if some.value == 0 and some.high > 0:
        stated = 100 * material.confidence.stated
        return f"none seen: at most this much, with {stated:g} %"
    return ""


def _fit(found: Share | None) -> tuple[float | None, float | None, float | None]:
    """The value and the ends of its interval, of which there are none where nothing is open."""
    if found is None or found.is_known:
        return None if found is None else found.value, None, None
    return found.value, found.low, found.high


def _fit_columns(confidence: float, priority: int) -> tuple[Column, ...]:
    return (
        Column("fit", Kind.NUMBER, "FIT", priority=priority),
        *interval(confidence, priority - 2, Kind.NUMBER, ("low_fit", "high_fit")),
    )
