"""The paper's tables and figures of one campaign, and its own beside them where the setting is the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.campaign_results import SELECTIONS, accuracy_table, audit_table, correlation_table, ranking_table
from engine.analysis.classification import compare_orders
from engine.analysis.curve import BAND
from engine.analysis.detection_orders import DetectionOrders, found_by
from engine.analysis.result_table import Column, Kind, Table
from engine.figures.axis import Axis
from engine.figures.figure import Band, Colour, Figure, Level, Line, Points, Stroke
from engine.metrics.registry import METRICS, written
from engine.report.document import Chapter, NamedTable, Paragraph, Picture
from engine.report.paper import ALL_DAYS, PAPER, published

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.analysis.result_table import Cell
    from engine.report.material import Material
    from engine.report.paper import Published

SECONDS_PER_DAY = 86_400

SOLID, DASHED, DOTTED, CHAINED = Stroke((), 2.2), Stroke((8, 6)), Stroke((2, 3)), Stroke((7, 2, 1, 2))
STROKES = {
    Colour.CRITICAL: SOLID,
    Colour.NON_CRITICAL: DASHED,
    Colour.MASKED: Stroke(),
    Colour.SCREENED: Stroke((12, 4)),
}
"""so that lines differ in black and white, too"""


def findings_chapters(material: Material) -> Iterator[Chapter]:
    """What was found, how the images were ranked, which images suffice, and the figures."""
    results, status = material.results, material.status
    tables = [NamedTable("table-1", table_one_table([material]))]
    if not material.is_list:
        severities = replace(accuracy_table(status, results), title="The same over the population, with intervals")
        tables.append(NamedTable("severities", severities))
    if results.audit is not None:
        tables.append(NamedTable("audit", audit_table(status, results.audit)))
    yield Chapter(
        "What was found",
        (
            Paragraph(f"Each fault was put into the network alone{_how_run(material)}."),
            *tables,
            *_curve_picture(material),
        ),
    )
    yield Chapter("Which images show it", tuple(_ranking_blocks(material)))


def _how_run(material: Material) -> str:
    """On which images each fault was run, in the words that end a sentence."""
    if material.status.dropped:
        return ", on one image after the other until one was critical"
    if material.status.screened:
        return "; pairs of fault and image that a bound calls safe were not run, all others were"
    return ", and every image was run with it"


def table_one_table(materials: Sequence[Material]) -> Table:
    """Table I: a row for each campaign, and below those of one setting the paper's, where it has it."""
    rows: list[tuple[Cell, ...]] = []
    for place, material in enumerate(materials):
        status, row = material.status, material.results.table_one
        rows.append(
            (f"{status.network}, {status.dataset}", f"campaign {status.id}", status.faults, status.images,
             row.clean_accuracy, *((None,) * 3 if status.dropped else
                                   (row.faulty_accuracy, row.not_critical, row.critical)), row.critical_faults)
        )  # fmt: skip
        theirs = _published_below(materials, place)
        if theirs is not None:
            rows.append(
                (f"{status.network}, {status.dataset}", PAPER, None, None, theirs.clean_accuracy,
                 theirs.faulty_accuracy, theirs.not_critical, theirs.critical, theirs.critical_faults)
            )  # fmt: skip
    return Table(
        "Accuracy and severities (the paper's Table I)",
        (
            Column("network", priority=9),
            Column("whose", heading="", priority=9),
            Column("faults", Kind.COUNT, priority=3),
            Column("images", Kind.COUNT, priority=3),
            Column("clean_accuracy_percent", Kind.PERCENT, "clean accuracy", priority=6, term="clean accuracy"),
            Column("faulty_accuracy_percent", Kind.PERCENT, "faulty accuracy", priority=6, term="faulty accuracy"),
            Column("not_critical_percent", Kind.PERCENT, "not critical pairs", priority=5, term="not critical"),
            Column("critical_percent", Kind.PERCENT, "critical pairs", priority=8, term="critical"),
            Column("critical_faults", Kind.COUNT, "critical faults", priority=8, term="critical fault"),
        ),
        tuple(rows),
        ("pair",),
    )


def _published_below(materials: Sequence[Material], place: int) -> Published | None:
    """The paper's rows, below the last campaign of their setting."""
    theirs = _published(materials[place])
    return None if any(_published(later) is theirs for later in materials[place + 1 :]) else theirs


def _published(material: Material) -> Published | None:
    return published(material.status, material.config)


def table_four_table(materials: Sequence[Material]) -> Table:
    """Table IV: what selections of images detect, of each campaign, and the paper's beside it."""
    rows: list[tuple[Cell, ...]] = []
    for place, material in enumerate(materials):
        four, name = material.results.table_four, f"{material.status.network}, {material.status.dataset}"
        for row in four or ():
            if row.faults_detected is None:  # not all of these images were run
                continue
            rows.append(
                (name, f"campaign {material.status.id}", SELECTIONS[row.method], row.percent_of_samples,
                 row.faults_detected, row.seconds_at_1ms, row.seconds_measured)
            )  # fmt: skip
        theirs = _published_below(materials, place)
        if theirs is not None:
            selections = (
                ("central", *theirs.central),
                ("random", theirs.central[0], theirs.random),
                ("pre_plateau", *theirs.pre_plateau),
                ("all", 100.0, theirs.critical_faults),
            )
            for method, share, detected in selections:
                seconds = ALL_DAYS * SECONDS_PER_DAY * share / 100
                rows.append((name, PAPER, SELECTIONS[method], share, float(detected), seconds, None))
    return Table(
        "What a selection of images detects (the paper's Table IV)",
        (
            Column("network", priority=3),
            Column("whose", heading="", priority=8),
            Column("selection", heading="images", priority=9),
            Column("of_samples_percent", Kind.PERCENT, "of all images", priority=8),
            Column("faults_detected", Kind.COUNT, "faults detected", priority=8, term="faults detected"),
            Column("seconds_at_1ms", Kind.SECONDS, "at 1 ms each", priority=4, term="at 1 ms each"),
            Column("seconds_measured", Kind.SECONDS, "measured", priority=5, term="measured"),
        ),
        tuple(rows),
        tuple(dict.fromkeys(str(row[2]) for row in rows if row[2] != SELECTIONS["all"])),
    )


def _ranking_blocks(material: Material) -> Iterator[Paragraph | NamedTable | Picture]:
    metric = material.summary.metric_name
    if material.results.table_four is None:
        yield Paragraph("The campaign dropped pairs: which images would have detected a fault is not known.")
    else:
        yield Paragraph(f"Images are ranked by {metric}, those of which the network is least sure first.")
        table = table_four_table([material])
        if table.rows:
            yield NamedTable("table-4", table)
        else:
            yield Paragraph("None of these selections was run in full: the campaign has other images.")
    if material.metrics.spearman:
        yield NamedTable("table-2", correlation_table(material.metrics.spearman))
    if material.metrics.rankings:
        yield NamedTable("rankings", ranking_table(material.metrics.rankings))
    yield from _scatter_picture(material)
    if material.status.dropped == 0:
        yield from _order_picture(material)
        yield from _classification_picture(material)


def _curve_picture(material: Material) -> Iterator[Picture]:
    """Fig. 2: the detection curve."""
    curve = material.curve
    done = len(curve.critical)
    if not done:
        return
    x = np.arange(done + 1.0)
    final = int(curve.critical[-1])
    classes = {Colour.MASKED: curve.masked, Colour.NON_CRITICAL: curve.non_critical, Colour.CRITICAL: curve.critical}
    classes |= {Colour.SCREENED: curve.screened} if curve.screened.any() else {}
    scale = float(curve.metric.max(initial=0.0)) or 1.0
    lines = [
        Line(f"{colour} {counts[-1]:,}", colour, x, np.insert(counts, 0, curve.faults if colour is Colour.MASKED else 0)
             .astype(np.float64), STROKES[colour])
        for colour, counts in classes.items()
    ]  # fmt: skip
    metric = Line(
        f"{written(curve.metric_name)} / {scale:.3g}",
        Colour.METRIC,
        np.arange(float(done)),
        curve.metric[:done],
        CHAINED,
        scale,
    )
    figure = Figure(
        f"Detection curve of campaign {material.status.id}",
        f"images, {'the most challenging first' if material.is_ranked else 'in the order in which they were run'} "
        "(log)",
        "faults by their worst severity so far",
        Axis(float(done), log=True),
        Axis(float(curve.faults)),
        (metric, *lines),
        (
            Level(Colour.BLACK, final * (1 - BAND)),
            Level(Colour.BLACK, final * (1 + BAND)),
            Level(Colour.CRITICAL, final),
        ),
        f"F = {final:,} critical faults, and 10 % below and above",
        ((1.0, "1"), (0.5, "½"), (0.0, "0")),
        f"{written(curve.metric_name)} / {scale:.3g} of each image",
    )
    yield Picture(
        "figure-2",
        figure,
        "The paper's Fig. 2: how many faults have shown themselves masked, non-critical or critical after the first "
        "images. F is the number of critical faults in the end; the violet line is "
        f"{written(curve.metric_name)} of each image{_meaning(curve.metric_name)}.",
    )


def _meaning(metric: str) -> str:
    """What a metric is, in the words that end a sentence; nothing of the user's own."""
    return f": {METRICS[metric].title}" if metric in METRICS else ""


def _scatter_picture(material: Material) -> Iterator[Picture]:
    """Fig. 1: the metric against the critical faults of each image."""
    counts = material.image_counts
    known = np.flatnonzero(counts.complete)
    if not len(known):
        return
    metric, critical = counts.metric[known], counts.critical[known].astype(np.float64)
    most = float(critical.max(initial=1.0))
    figure = Figure(
        f"Critical faults of each image of campaign {material.status.id}",
        f"{written(counts.metric_name)} of the image",
        "faults that are critical for the image",
        Axis.over(np.append(metric, 0.0)),
        Axis(max(most, 1.0)),
        (Points(f"{len(known):,} images", Colour.CRITICAL, metric, critical),),
    )
    yield Picture(
        "figure-1",
        figure,
        f"The paper's Fig. 1: a dot for each image, its {written(counts.metric_name)} and how many faults change its "
        "answer.",
    )


def _order_picture(material: Material) -> Iterator[Picture]:
    """Critical faults found by the first images: ranked, in the best order, and at random."""
    incidence = material.incidence
    if not incidence.faults:
        return
    images, x = incidence.images, np.arange(1.0, incidence.images + 1)
    orders = DetectionOrders.of(incidence, material.summary.metric[material.summary.workload])
    figure = Figure(
        f"Critical faults found by the first images of campaign {material.status.id}",
        "images (log)",
        "critical faults found",
        Axis(float(images), log=True),
        Axis(float(incidence.faults)),
        (
            Band("random, 20 orders", Colour.MASKED, x, orders.lowest, orders.highest),
            Line("random, mean", Colour.MASKED, x, orders.mean, DASHED),
            Line("greedy", Colour.BLACK, x, found_by(incidence, incidence.greedy), DOTTED),
            Line(f"ranked by {written(material.summary.metric_name)}", Colour.CRITICAL, x, orders.ranked, SOLID),
        ),
    )
    yield Picture(
        "orders", figure, "How many critical faults the first images detect: ranked, chosen greedily, and at random."
    )


def _classification_picture(material: Material) -> Iterator[Picture]:
    """Fig. 3: how the shares of pairs settle with the number of images, ranked and at random."""
    counts = material.image_counts
    if not counts.complete.all() or material.status.faults != counts.faults:
        return
    order = np.argsort(counts.image_id)
    screened = counts.screened[order] if counts.screened.any() else None
    compared = compare_orders(
        counts.masked[order], counts.non_critical[order], counts.critical[order], counts.metric[order], screened
    )
    x = np.arange(1.0, len(counts.metric) + 1)
    marks = []
    for colour, name in (
        (Colour.MASKED, "masked"),
        (Colour.NON_CRITICAL, "non_critical"),
        (Colour.CRITICAL, "critical"),
    ):
        ranked, random = getattr(compared.ranked, name), getattr(compared.random, name)
        if not ranked.any():
            continue
        marks.append(Line(f"{colour}, ranked", colour, x, ranked, STROKES[colour]))
        marks.append(Line(f"{colour}, random", colour, x, random, DOTTED))
    figure = Figure(
        f"Classification of campaign {material.status.id}, random images against ranked ones",
        "images (log)",
        "% of pairs (log)",
        Axis(float(len(x)), log=True),
        Axis(100.0, log=True, least=0.01, fractions=True),
        tuple(marks),
    )
    yield Picture(
        "figure-3",
        figure,
        "The paper's Fig. 3: the share of masked, non-critical and critical pairs over the first images. Random images "
        "tell the shares of all images soon; ranked ones begin with the worst.",
    )
