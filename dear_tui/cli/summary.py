"""What a campaign found, in the form of the paper's tables."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dear_tui.access.description import table_one_lines
from dear_tui.cli.printing.say import say
from dear_tui.cli.printing.tables import Column, print_table
from dear_tui.text.units import duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.analysis.tables import TableFourRow, TableOneRow
    from engine.store import CampaignStatus, Store

SELECTION_NAMES = {"central": "central", "random": "random (mean of 5)", "pre_plateau": "pre-plateau", "all": "all"}


@dataclass(frozen=True)
class CampaignTables:
    """Tables I and IV of one campaign."""

    table_one: TableOneRow
    table_four: list[TableFourRow]
    nonfinite_pairs: int
    """critical pairs with a NaN or infinite logit"""
    seconds: float | None
    """what computing took, over all runs; None = not known"""
    unverified_parts: int
    """parts whose receipts were rebuilt"""
    self_check: str | None
    """what comparing the method with the plain loop found; None = it was not compared"""

    def to_json(self) -> dict[str, Any]:
        """As `show --json` prints it."""
        return asdict(self)


def campaign_tables(store: Store, campaign: int) -> CampaignTables:
    """Work the tables out from the committed parts."""
    from engine.analysis.tables import Detections, table_four, table_one
    from engine.config.campaign_config import WorkloadConfig

    summary, description = store.summary(campaign), store.description(campaign)
    asked = WorkloadConfig.model_validate(description["config"].get("workload", {}))
    detections = Detections(
        fault=summary.critical_fault,
        image=summary.critical_image,
        workload=summary.workload,
        faults=summary.status.faults,
        seconds=summary.seconds,
    )
    return CampaignTables(
        table_one=table_one(
            summary.non_critical, summary.critical, summary.correct, summary.golden_correct[summary.workload]
        ),
        table_four=table_four(summary.metric, asked.boundary, detections, asked.eps, asked.threshold),
        nonfinite_pairs=summary.nonfinite_pairs,
        seconds=summary.seconds,
        unverified_parts=summary.unverified_parts,
        self_check=description["numerics"].get("check"),
    )


def print_summary(store: Store, campaign: int) -> None:
    """Tables I and IV of a finished campaign on standard output, and what to ask next on standard error."""
    status, tables = store.campaign(campaign), campaign_tables(store, campaign)
    say(f"campaign {status.id}: {status.name}, {status.network} on {status.dataset}")
    took = "" if tables.seconds is None else f", computed in {_time(tables.seconds)}"
    say(f"{status.faults:,} faults x {status.images:,} images = {status.pairs:,} pairs{took}")
    if tables.self_check is not None:
        say(f"self-check: {tables.self_check}")
    say("\nAccuracy and severities (Table I)\n")
    print_table(_table_one(status, tables))
    say("\nWhat a selection of images detects (Table IV)\n")
    print_table(_table_four(tables.table_four))
    if tables.unverified_parts:
        say(
            f"\nnote: {tables.unverified_parts:,} parts cannot be verified, because their receipts were lost and "
            "rebuilt from the parts themselves",
            file=sys.stderr,
        )
    say(
        '\nnext: dear-tui sql "select bit, sum(critical) critical from fault_summary join faults using (campaign, '
        f'fault_id) where campaign = {status.id} group by bit order by bit"',
        file=sys.stderr,
    )


def _table_one(status: CampaignStatus, tables: CampaignTables) -> list[Column]:
    rows = [
        (name, value, f"{note}, {tables.nonfinite_pairs:,} not finite" if name == "critical" else note)
        for name, value, note in table_one_lines(status, tables.table_one)
    ]
    names, values, notes = zip(*rows, strict=True)
    return [Column("", names), Column("", values, right=True), Column("", notes)]


def _table_four(rows: list[TableFourRow]) -> list[Column]:
    def numbers(heading: str, cells: list[str]) -> Column:
        return Column(heading, cells, right=True)

    return [
        Column("images", [SELECTION_NAMES[row.method] for row in rows]),
        numbers("% of samples", [f"{row.percent_of_samples:.2f}" for row in rows]),
        numbers("faults detected", [_or_dash(row.faults_detected, "{:,.10g}".format) for row in rows]),
        numbers("at 1 ms each", [_time(row.seconds_at_1ms) for row in rows]),
        numbers("measured", [_or_dash(row.seconds_measured, _time) for row in rows]),
    ]


def _or_dash(value: float | None, text: Callable[[float], str]) -> str:
    return "-" if value is None else text(value)


def _time(seconds: float) -> str:
    """Days as in the paper, from a tenth of one on."""
    if seconds >= 8640:
        return f"{seconds / 86400:.2f} days"
    return f"{seconds:.3g}s" if seconds < 60 else duration(seconds)
