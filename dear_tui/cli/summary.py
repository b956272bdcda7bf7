"""What a campaign found, in the form of the paper's tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from dear_tui.human import duration

if TYPE_CHECKING:
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

    def to_json(self) -> dict[str, Any]:
        """As `show --json` prints it."""
        return asdict(self)


def campaign_tables(store: Store, campaign: int) -> CampaignTables:
    """Work the tables out from the committed parts."""
    from engine.analysis.tables import Detections, table_four, table_one
    from engine.config import CENTERED_METRICS

    summary = store.summary(campaign)
    detections = Detections(
        fault=summary.critical_fault,
        image=summary.critical_image,
        workload=summary.workload,
        faults=summary.status.faults,
        seconds=elapsed(summary.status),
    )
    return CampaignTables(
        table_one=table_one(
            summary.non_critical, summary.critical, summary.correct, summary.golden_correct[summary.workload]
        ),
        table_four=table_four(summary.metric, CENTERED_METRICS[summary.metric_name], detections),
        nonfinite_pairs=summary.nonfinite_pairs,
    )


def elapsed(status: CampaignStatus) -> float | None:
    """Seconds from start to end; None before the end."""
    if status.started is None or status.finished is None:
        return None
    return (datetime.fromisoformat(status.finished) - datetime.fromisoformat(status.started)).total_seconds()


def print_summary(store: Store, campaign: int) -> None:
    """Tables I and IV of a finished campaign on standard output."""
    status, tables = store.campaign(campaign), campaign_tables(store, campaign)
    console = Console(soft_wrap=True, highlight=False)
    seconds = elapsed(status)
    console.print(
        f"campaign {status.id}: {status.name}, {status.network} on {status.dataset}, {status.faults:,} faults x "
        f"{status.images:,} images = {status.pairs:,} pairs" + (f" in {duration(seconds)}" if seconds else "")
    )
    console.print()
    console.print(_table_one(tables))
    console.print()
    console.print(_table_four(tables.table_four))
    console.print()
    console.print(
        f'next: dear-tui sql "select bit, sum(critical) from fault_summary join faults using (campaign, '
        f'fault_id) where campaign = {status.id} group by 1 order by 1"',
        markup=False,
    )


def _table_one(tables: CampaignTables) -> Table:
    row = tables.table_one
    table = _table("Accuracy and severities")
    for heading in (
        "clean acc.",
        "faulty acc.",
        "masked",
        "non-critical",
        "critical",
        "of these not finite",
        "critical faults",
    ):
        table.add_column(heading, justify="right")
    table.add_row(
        f"{row.clean_accuracy:.2f} %",
        f"{row.faulty_accuracy:.2f} %",
        f"{row.masked:.2f} %",
        f"{row.non_critical:.2f} %",
        f"{row.critical:.3f} %",
        f"{tables.nonfinite_pairs:,}",
        f"{row.critical_faults:,}",
    )
    return table


def _table_four(rows: list[TableFourRow]) -> Table:
    table = _table("What a selection of images detects")
    table.add_column("images")
    for heading in ("% of samples", "faults detected", "at 1 ms each", "measured"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            SELECTION_NAMES[row.method],
            f"{row.percent_of_samples:.2f}",
            "-" if row.faults_detected is None else f"{row.faults_detected:,.10g}",
            f"{row.seconds_at_1ms / 86400:.2f} days",
            "-" if row.seconds_measured is None else f"{row.seconds_measured:.3g} s",
        )
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 3, 0, 0))
