"""The chapters that a safety argument takes its numbers from: what was run, how answers fail, what protects them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.accuracy_cost import EFFECTS, FaultEffects, cost_table
from engine.analysis.estimate import percents
from engine.analysis.protection import plan_until
from engine.analysis.result_table import Column, Kind, Table, interval
from engine.errors import InputError
from engine.paths import file_bytes
from engine.report.document import Chapter, NamedTable, Paragraph
from engine.report.fit import FitRate, stored_bits
from engine.report.material import LOSSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from engine.analysis.result_table import Cell
    from engine.report.material import Material

NAN_RULE = (
    "An answer whose logits hold a NaN or an infinity is critical, whatever class it names, and is never counted as a "
    "correct prediction."
)

HASH_LENGTH = 64
"""hexadecimal digits of SHA-256"""


def identity_chapter(material: Material) -> Chapter:
    """What was run, so that it can be run again: everything that a number here depends on."""
    description, status = material.description, material.status
    identity = description.get("identity", {})
    drawn = description.get("drawn") or status.faults
    stopped = f", of {drawn:,} that were drawn" if drawn != status.faults else ""
    rows: list[tuple[str, str]] = [
        ("campaign", f"{status.id}, {status.name}"),
        ("network, images", f"{status.network} on {status.dataset}"),
        ("faults", f"{status.faults:,}{stopped}; {_design(material)}"),
        ("population", f"{description['population']:,} faults in {stored_bits(material):,} stored bits"),
        ("fault model", f"{description['fault_model'].replace('_', ' ')}, one bit of one weight at a time"),
        ("weight format", material.format.name),
        ("seed of the faults", str(material.seed) if not material.is_list else "none: the list was given"),
        ("images", f"{status.images:,} of {material.image_counts.data_set:,}, chosen as {status.select!r}"),
        ("method", f"{status.method}, goal {status.goal}"),
        ("not a number", NAN_RULE),
        ("started, finished", f"{material.campaign.started or '-'}, {material.campaign.finished or '-'} (UTC)"),
        *((f"SHA-256 of {name}" if len(value) == HASH_LENGTH else name, value)
          for name, value in identity.items() if name not in ("network", "method", "goal")),
        *((name.replace("_", " "), value) for name, value in description["numerics"].items()
          if not name.startswith("check") and name not in identity),
        ("fingerprint of all this", description["fingerprint"]),
    ]  # fmt: skip
    terms = ("population", *(term for term in ("batch floor", "tau") if term in dict(rows)))
    table = Table("", (Column("what", heading=""), Column("value", heading="")), tuple(rows), terms)
    return Chapter(
        "Identity: what was run",
        (
            Paragraph(
                "`dear-tui reproduce report.json` loads the same config, compares these items, "
                "runs the campaign again and tells whether the same pairs are critical."
            ),
            NamedTable("identity", table),
        ),
    )


def _design(material: Material) -> str:
    faults, confidence = material.config.get("faults", {}), material.confidence
    if material.is_list:
        drawn = f", {faults['count']:,} rows of it drawn at random" if faults.get("count") else ""
        return f"given as {Path(str(faults.get('list', 'a list'))).name}{drawn}"
    design = material.sampling
    if design == "exhaustive":
        return "every fault"
    size = f"count {faults['count']:,}" if faults.get("count") else f"error margin {faults.get('error_margin', 0.01):g}"
    filtered = ", of the chosen layers and bits" if material.is_filtered else ""
    return f"sampled by design {design!r}, {size}, confidence {confidence.stated:g}{filtered}"


def classes_chapter(material: Material) -> Chapter:
    """How answers fail, in the classes of silent data corruption that the field uses."""
    summary, sample = material.summary, material.sample
    rows: list[tuple[Cell, ...]] = []

    def add(name: str, meaning: str, counts: NDArray[np.int64] | None) -> None:
        share = None if counts is None or summary.status.dropped else sample.mean(counts)
        rows.append((name, *percents(share), None if counts is None else int(counts.sum()), meaning))

    add("SDC-1", "the answer is not the golden one", summary.critical)
    add("SDC-5", "the golden answer is not among the five best", material.lost.not_in_top5)
    for loss, counts in zip(LOSSES, material.lost.softmax_lost, strict=True):
        add(f"loss > {100 * loss:g} points", "of the golden class's softmax", counts)
    add("not finite", "some logit is NaN or infinite", summary.nonfinite)
    classes = Table(
        "Classes of wrong answers, of all pairs of fault and image",
        (
            Column("class", priority=9),
            Column("percent", Kind.PERCENT, "share", priority=8),
            *interval(material.confidence.stated, priority=5),
            Column("pairs", Kind.COUNT, priority=4),
            Column("meaning", priority=3),
        ),
        tuple(rows),
        ("SDC", "softmax", "pair"),
    )
    blocks: list[Paragraph | NamedTable] = [
        Paragraph(
            "A pair is one fault and one image. All classes are counted over critical pairs, those whose answer "
            "changes: a pair that keeps its answer counts in none of them, even where its softmax falls. A pair that "
            "is not finite has no softmax and counts in every class."
        ),
        NamedTable("classes", classes),
    ]
    if not summary.status.dropped:
        blocks.append(NamedTable("accuracy-costs", _costs(material)))
        blocks.append(
            Paragraph(
                "A fault is critical by the paper's definition also where it corrects an image that the network gets "
                "wrong; what it costs in accuracy is told by this table alone."
            )
        )
    return Chapter("How answers fail", tuple(blocks))


def _costs(material: Material) -> Table:
    """How many faults cost how much of the accuracy over the workload."""
    effects = FaultEffects.of(material.summary)
    shares = {effect.name: material.sample.share(effects.have(effect)) for effect in EFFECTS}
    known = {name: share for name, share in shares.items() if share is not None}
    return cost_table(material.status.faults, effects.counts(), known, material.confidence.stated)


def _of_what(material: Material) -> str:
    """What the answers are of, where not all of the network was in question."""
    if material.is_list:
        return "Of the faults of the list alone, which stand for no others. "
    return "Of the faults in the layers and bits that were run alone. " if material.is_filtered else ""


def _reloads(material: Material) -> str:
    if material.is_stuck:
        return " Only what outvotes or corrects is listed: loading a weight again fixes no stuck bit."
    return " Duplication and parity only detect: they help where the weight is then loaded again."


TARGETS = (0.5, 0.1, 0.01)
"""of what is critical without protection, to be left"""


def protection_chapter(material: Material, rate: FitRate) -> Chapter:
    """What must be protected to leave a half, a tenth, a hundredth, or no more than the budget."""
    sample = material.protected_bits
    now = material.summary.critical.any()
    if not now or material.status.dropped:
        why = "no fault is critical" if not now else "the campaign dropped pairs, so that rates are not known"
        return Chapter("What to protect", (Paragraph(f"Nothing to tell: {why}."),))
    targets = [(f"{100 * share:g} %", share) for share in TARGETS]
    if rate.budget is not None:
        raw, whole = rate.of_bits(stored_bits(material)), material.sample.mean(material.summary.critical)
        if whole is not None and 0 < rate.budget < raw * whole.value:
            targets.append((f"{rate.budget:g} FIT", rate.budget / (raw * whole.value)))
    rows: list[tuple[Cell, ...]] = []
    for name, share in targets:
        for scheme in material.schemes:
            plan = plan_until(sample, scheme, share)
            left = percents(material.sample.opened(plan.residual))
            rows.append((name, scheme.name, len(plan.groups), 100 * plan.overhead, *left))
    return Chapter(
        "What to protect",
        (
            Paragraph(
                f"{_of_what(material)}Bits (or whole words of a layer) are protected in the order in which that "
                "removes most changed answers for each bit it adds, counted against the memory of all "
                f"weights.{_reloads(material)} The same faults chose the bits and tell what is left, so that other "
                "faults leave a little more; `dear-tui protect` lists the bits, and tells what range restriction "
                "would do."
            ),
            NamedTable(
                "protection",
                Table(
                    "Memory that protection takes to leave at most so much of the changed answers",
                    (
                        Column("target", heading="at most", priority=9),
                        Column("scheme", priority=9),
                        Column("groups", Kind.COUNT, "bits or layers", priority=3, term="bits or layers"),
                        Column("overhead_percent", Kind.PERCENT, "more memory", priority=8, term="more memory"),
                        Column("residual_percent", Kind.PERCENT, "pairs still critical", priority=7),
                        *interval(material.confidence.stated, priority=4),
                    ),
                    tuple(rows),
                    tuple(scheme.name for scheme in material.schemes),
                ),
            ),
        ),
    )


def in_field_chapter(material: Material) -> Chapter:
    """The diagnostic coverage of a periodic test with few images."""
    title, found = "In-field test", material.coverage_of_tests
    if not found:
        return Chapter(
            title, (Paragraph("Nothing to tell: too few faults are critical, or it is not known on which images."),)
        )
    table = Table(
        "Diagnostic coverage of a test of few images",
        (
            Column("images", Kind.COUNT),
            Column("coverage_percent", Kind.PERCENT, "critical faults detected"),
            *interval(material.confidence.stated),
        ),
        tuple((each.images, *percents(each.detected)) for each in found),
        ("diagnostic coverage", "critical fault"),
    )
    return Chapter(
        title,
        (
            Paragraph(
                "A test runs some images now and then and compares the answers with the golden ones. Its diagnostic "
                "coverage is the share of critical faults (those that change the answer of at least one image of the "
                "workload) that it detects. Measured on faults that did not choose the images: each fifth of the "
                "critical faults is left out once, the images are chosen by the others, and what they detect of those "
                "left out is counted. `dear-tui compact` writes such a set of images."
            ),
            NamedTable("in-field-test", table),
        ),
    )


def self_test_chapter(material: Material) -> Chapter:
    """What was compared with what, in this campaign."""
    words = [
        f"Before the campaign, its method was compared with the plain loop on an untouched copy of the network: "
        f"{material.results.self_check}."
        if material.results.self_check
        else "The method was not compared with the plain loop by the version that ran this campaign.",
    ]
    audit = material.results.audit
    if audit is not None:
        words.append(
            f"{audit.pairs.skipped:,} pairs were called safe by a bound and not run. {audit.pairs.audited:,} of them "
            f"were drawn at random and run after all: {audit.pairs.missed:,} were critical. So at most "
            f"{audit.pairs.missed_at_most:,.1f} critical pairs are missing, with {100 * audit.confidence:g} %; and "
            f"at most {audit.faults.missed_at_most:,.1f} critical faults ({audit.faults.missed:,} of "
            f"{audit.faults.audited:,} audited ones)."
        )
    if material.results.unverified_parts:
        words.append(
            f"{material.results.unverified_parts:,} parts of the results cannot be verified: their receipts were "
            "lost and rebuilt from the parts themselves."
        )
    blocks: list[Paragraph | NamedTable] = [Paragraph(each) for each in words]
    published = published_table(material)
    if published is not None:
        blocks.append(
            Paragraph(
                "The fault list came with the counts of another tool's campaign. Pairs that are not finite are "
                "critical here, and counted by their class there, so that bit 30 differs."
            )
        )
        blocks.append(NamedTable("published-list", published))
    return Chapter("Self-test", tuple(blocks))


def published_table(material: Material) -> Table | None:
    """Percent of critical pairs by bit, beside the counts that the fault list itself came with.

    Returns:
        None of a list without any, and where the file is not the list of this campaign any more.
    """
    path = material.config.get("faults", {}).get("list")
    counts = None if path is None else _published_counts(Path(path), material)
    if counts is None:
        return None
    theirs = counts[material.summary.fault_id]
    ours = 100 * material.summary.critical / material.status.images
    rows: list[tuple[Cell, ...]] = []
    for bit in range(material.format.bits - 1, -1, -1):
        of_bit = material.bit == bit
        if of_bit.any():
            rows.append((bit, int(of_bit.sum()), float(ours[of_bit].mean()), float(theirs[of_bit].mean())))
    return Table(
        "Critical pairs by bit, beside the list's own counts",
        (
            Column("bit", Kind.ID),
            Column("faults", Kind.COUNT),
            Column("percent", Kind.PERCENT, "this campaign"),
            Column("published_percent", Kind.PERCENT, "published"),
        ),
        tuple(rows),
        ("pair", "critical"),
    )


def _published_counts(path: Path, material: Material) -> NDArray[np.float64] | None:
    """Percent of critical images of each row of a list that has such a column; None where it has none."""
    try:
        file_bytes(path, "")
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if not {"critical", "n_injections"} <= set(rows.fieldnames or ()):
                return None
            found = list(rows)
        is_whole = material.config["faults"].get("count") or len(found) == material.campaign.faults
        is_same = is_whole and all(
            int(found[fault]["Bit"]) == bit
            for fault, bit in zip(material.summary.fault_id.tolist(), material.bit.tolist(), strict=True)
        )
        return (
            np.array([100 * float(row["critical"]) / float(row["n_injections"]) for row in found]) if is_same else None
        )
    except (InputError, OSError, KeyError, IndexError, ValueError, ZeroDivisionError, csv.Error, TypeError):
        return None


def marks_of(material: Material) -> Iterator[str]:
    """What must be said on every page of a campaign's report."""
    campaign, status = material.campaign, material.status
    name = f"campaign {campaign.id}"
    if not material.is_whole:
        yield (
            f"{name} is not finished ({campaign.state}): reported are {material.images_in_words}; of "
            f"{campaign.faults:,} faults {status.faults:,}"
        )
    if status.screened:
        yield f"{name} was screened: {status.screened:,} pairs were called safe by a bound and not run"
    if status.dropped:
        yield (
            f"{name} asked for critical faults alone: {status.dropped:,} pairs were dropped, so that rates of pairs "
            "are not known"
        )
    if material.is_filtered:
        faults = material.config.get("faults", {})
        parts = [f"layers {', '.join(faults['layers'])}"] if faults.get("layers") else []
        parts += [f"bits {', '.join(map(str, faults['bits']))}"] if faults.get("bits") is not None else []
        yield f"{name} is of some faults alone: {'; '.join(parts)}"
    if material.is_whole and status.images < material.image_counts.data_set:
        yield f"{name} ran {material.images_in_words}"
    if material.is_list:
        yield f"{name} is of a list of faults that was given: its rates are of these faults"
    if material.results.precision:
        yield f"{name}: {material.results.precision}"
