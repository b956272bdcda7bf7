"""Several campaigns in one report: a row each, and together only where they are samples of the same faults."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from engine.analysis.result_table import Column, Kind, Table
from engine.analysis.study import of_campaign, study_table
from engine.report.document import Chapter, NamedTable, Paragraph
from engine.report.findings import table_four_table, table_one_table
from engine.report.paper import PAPER, SEEDS, published

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.analysis.result_table import Cell
    from engine.report.material import Material

SAME = ("network", "width", "code", "weights", "images", "metric", "selection", "workload", "goal", "screening")
"""items of the identity that must agree for two campaigns to tell of the same thing"""


def comparable(materials: Sequence[Material]) -> list[list[Material]]:
    """Groups of campaigns that are samples of the same faults of the same network, on the same images."""
    groups: dict[tuple[object, ...], list[Material]] = defaultdict(list)
    for material in materials:
        identity, description = material.description.get("identity", {}), material.description
        faults = {name: value for name, value in material.config.get("faults", {}).items() if name != "seed"}
        key = (*(identity.get(name) for name in SAME), description["fault_model"], description["population"],
               description.get("weight_format"), material.status.images, material.status.faults, material.is_whole,
               json.dumps(faults, sort_keys=True))  # fmt: skip
        groups[key].append(material)
    return list(groups.values())


def side_by_side_chapter(materials: Sequence[Material], title: str) -> Chapter:
    """What sets them apart and what they found, Tables I and IV of all, Table III of those that differ by seed alone.

    Args:
        materials: of the campaigns.
        title: of the report.
    """
    groups = comparable(materials)
    seeds = [group for group in groups if len({each.seed for each in group}) > 1]
    note = "Each row is a campaign of its own. " + (
        "They are of different networks, images or faults: no mean is taken over them."
        if len(groups) > 1
        else "All are samples of the same faults of the same network on the same images."
    )
    return Chapter(
        "Side by side",
        (
            Paragraph(note),
            *_members(materials, title),
            NamedTable("table-1-all", table_one_table(materials)),
            NamedTable("table-4-all", table_four_table(materials)),
            *(NamedTable(f"table-3-{number}", seeds_table(group)) for number, group in enumerate(seeds, 1)),
        ),
    )


def _members(materials: Sequence[Material], title: str) -> Iterator[NamedTable]:
    """Where all are members of a study: what varies, and what each has found."""
    factors = [material.description.get("factors") or {} for material in materials]
    if factors[0] and all(each.keys() == factors[0].keys() for each in factors):
        members = [
            of_campaign(own, material.summary, material.description)
            for own, material in zip(factors, materials, strict=True)
        ]
        stated = {material.confidence.stated for material in materials}
        table = study_table(title, members, stated.pop() if len(stated) == 1 else None)
        yield NamedTable("members", table)


def seeds_table(group: Sequence[Material]) -> Table:
    """Table III: a row for each seed of the faults, and the mean."""
    rows: list[tuple[Cell, ...]] = []
    found = []
    for material in sorted(group, key=lambda each: each.seed):
        four = {row.method: row.faults_detected for row in material.results.table_four or ()}
        counts = (material.results.table_one.critical_faults, four.get("central"), four.get("random"))
        found.append(counts)
        rows.append((f"seed {material.seed}", f"campaign {material.status.id}", *counts))
    if all(None not in counts for counts in found):
        means = (sum(values) / len(found) for values in zip(*found, strict=True))
        rows.append(("mean", "", *means))
    first = group[0].status
    if published(first, group[0].config) and (first.network, first.dataset) == ("resnet18", "cifar10"):
        rows += [(f"seed {seed}", PAPER, *counts) for seed, *counts in SEEDS]
    return Table(
        f"Several samples of faults: {first.network} on {first.dataset} (the paper's Table III)",
        (
            Column("seed", heading="", priority=9),
            Column("whose", heading="", priority=9),
            Column("critical_faults", Kind.COUNT, "critical faults", priority=8),
            Column("central_detected", Kind.COUNT, "central images detect", priority=8),
            Column("random_detected", Kind.COUNT, "as many random ones", priority=8),
        ),
        tuple(rows),
        ("critical fault", "central", "detected"),
    )
