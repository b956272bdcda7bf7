"""A campaign in words, for the command line and the screens: its facts by section, what it found, which images."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from engine.analysis.workload import images_in_words, right_in_words
from engine.units import percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.analysis.audit import AuditResults
    from engine.analysis.estimate import Share
    from engine.analysis.tables import TableOneRow
    from engine.store import CampaignStatus
    from engine.store.read.fault_results import FaultFindings, Found


def sections(status: CampaignStatus, description: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Title -> name -> value."""
    known = {name: value for name, value in asdict(status).items() if value is not None}
    if status.is_prepared:
        known["population"] = description["population"]
    values = {
        "campaign": known | {"fingerprint": description["fingerprint"]},
        "config": flat(description["config"]),
        "numerics": description["numerics"],
        "depends on": description.get("identity", {}),
    }
    return {title: {name: _text(value) for name, value in section.items()} for title, section in values.items()}


def table_one_lines(
    status: CampaignStatus, row: TableOneRow, findings: FaultFindings | None = None
) -> list[tuple[str, str, str]]:
    """Name, value and what it is of; masked and non-critical are the least where some pairs were not run."""
    of_faults = f"{percent(row.critical_faults, status.faults)} of {status.faults:,}"
    faults = "critical faults", f"{row.critical_faults:,}", of_faults
    at_least = "≥ " if status.screened or status.dropped else ""
    not_run = (
        ("screened", f"{row.screened:.2f} %", f"{status.screened:,} pairs"),
        ("not critical", f"{row.not_critical:.2f} %", f"{status.not_critical:,} pairs"),
        ("dropped", f"{row.dropped:.2f} %", f"{status.dropped:,} pairs"),
    )
    return [
        *_accuracy_lines(status, row, findings.accuracy if findings else None),
        ("masked", f"{at_least}{row.masked:.2f} %", f"{status.masked:,} pairs"),
        ("non-critical", f"{at_least}{row.non_critical:.2f} %", f"{status.non_critical:,} pairs"),
        *(not_run[:2] if status.screened else ()),
        *(not_run[2:] if status.dropped else ()),
        ("critical", f"{'≥ ' if status.dropped else ''}{row.critical:.3f} %", f"{status.critical:,} pairs"),
        *(findings_lines(findings) if findings else (faults,)),
    ]


def _accuracy_lines(status: CampaignStatus, row: TableOneRow, accuracy: Share | None) -> Iterator[tuple[str, str, str]]:
    """Without faults and with one, and what that costs; intervals where the mean tells of more faults than were run."""
    yield "clean accuracy", f"{row.clean_accuracy:.2f} %", f"of {status.images:,} images"
    if status.dropped:
        yield "faulty accuracy", f"{row.faulty_accuracy:.2f} %", "dropped as golden"
        return
    of_mean, of_cost = "mean over the faults", "clean minus faulty"
    if accuracy is not None and not accuracy.is_known:
        low, high = 100 * accuracy.low, 100 * accuracy.high
        of_mean = f"{low:.2f}–{high:.2f} %, mean"
        of_cost = f"{row.clean_accuracy - high:z.2f} to {row.clean_accuracy - low:z.2f}"
    yield "faulty accuracy", f"{row.faulty_accuracy:.2f} %", of_mean
    yield "points lost", f"{row.clean_accuracy - row.faulty_accuracy:z.2f}", of_cost


def findings_lines(findings: FaultFindings) -> list[tuple[str, str, str]]:
    """Name, value and what it is of: the critical faults, and those that lower the accuracy, which is not the same."""
    found = {"critical faults": findings.critical, "lower accuracy": findings.costly}
    return [(name, f"{each.faults:,}", share_text(each, findings)) for name, each in found.items() if each]


def findings_text(findings: FaultFindings) -> str:
    """The same in a few words."""
    costly = "" if findings.costly is None else f", {findings.costly.faults:,} lower the accuracy"
    return f"{findings.critical.faults:,} critical faults{costly}"


def outcome_text(status: CampaignStatus, findings: FaultFindings | None) -> str:
    """How many faults are critical, and what they cost; of pairs where faults are not known."""
    if findings is None:
        return f"{percent(status.critical, status.count())} of its pairs are critical"
    faults, costing = findings.critical.faults, findings.costing_a_point
    critical = f"{faults:,} critical fault{'s' * (faults != 1)} ({share_of_faults(findings.critical, findings)})"
    cost = f", accuracy falls by more than a point under {f'{costing:,}' if costing else 'none'}"
    return critical + cost * (costing is not None and faults > 0)


def share_text(found: Found, findings: FaultFindings) -> str:
    """The share of faults and its interval, where the faults that were run are a sample of others."""
    share, interval = share_of_faults(found, findings), interval_text(found)
    return f"{share}, {interval}" if interval else f"{share} of {findings.run:,}"


def share_of_faults(found: Found, findings: FaultFindings) -> str:
    """The share of all faults that could have been drawn, or of those that were run where these stand for no others."""
    return percent(found.share.value, 1) if found.share else percent(found.faults, findings.run)


def interval_text(found: Found) -> str:
    """The interval of a share; empty where nothing is open, or nothing is told of other faults."""
    if found.share is None or found.share.is_known:
        return ""
    return f"{percent(found.share.low, 1).removesuffix(' %')}–{percent(found.share.high, 1)}"


def workload_words(status: CampaignStatus, findings: FaultFindings) -> str:
    """Which images, where they are not simply all of them, and how many of them the network has right."""
    return f"{images_in_words(status, findings.data_set)}; {right_in_words(findings.golden_right)}"


def audit_lines(audit: AuditResults) -> list[tuple[str, str, str]]:
    """Name, value and what it is of: what screening misses at most, and what was audited for that."""
    lines = []
    if audit.by_change:
        share = percent(audit.by_change, audit.pairs.skipped)
        lines.append(("by exact change", share, f"{audit.by_change:,} of {audit.pairs.skipped:,} screened"))
    for unit, bound in (("pairs", audit.pairs), ("faults", audit.faults)):
        lines.append((f"missed {unit}", f"≤ {math.ceil(bound.missed_at_most):,}", f"of {bound.skipped:,} skipped"))
        lines.append((f"audited {unit}", f"{bound.audited:,}", f"{bound.missed:,} missed"))
    return lines


def flat(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted names."""
    values: dict[str, Any] = {}
    for name, value in table.items():
        values |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return values


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,}" if isinstance(value, int) else str(value)
