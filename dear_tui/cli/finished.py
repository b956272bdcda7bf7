"""What several commands read of a finished campaign, and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dear_tui.cli.printing.say import tell
from engine.errors import InputError
from engine.steps import Step

if TYPE_CHECKING:
    from pathlib import Path

    from engine.steps import OnStep
    from engine.store import CampaignSummary, Store


def finished_summary(store: Store, campaign: int, on_step: OnStep) -> CampaignSummary:
    """What a campaign found, pair by pair.

    Raises:
        InputError: it is not finished, or has left pairs out of which it knows nothing.
    """
    status = store.campaign(campaign)
    if status.state != "finished":
        raise InputError(f"campaign {campaign}: is {status.state}; what its faults do is known when it is finished")
    if status.dropped:
        raise InputError(
            f"campaign {campaign}: left {status.dropped:,} pairs out, because their faults were known to be critical; "
            'run it with [run] goal = "severities"'
        )
    on_step(Step(f"adding up the faults of campaign {campaign}"))
    summary = store.summary(campaign)
    if status.screened:
        most = (
            ""
            if summary.audit is None
            else f", of which at most {summary.audit.pairs.missed_at_most:,.0f} are critical"
        )
        tell(
            f"note: campaign {campaign} was screened: {status.screened:,} pairs were not run{most}; what "
            "follows is of the faults that were seen to be critical"
        )
    return summary


def check_ending(option: str, path: Path | None, endings: tuple[str, ...], store: Path) -> None:
    """Refuse a file that could not be written, or whose name does not say what is written.

    Raises:
        InputError: one of these.
    """
    from dear_tui.query.output import check_output

    if path is None:
        return
    if path.suffix not in endings:
        raise InputError(f"{path}: {option} writes {' or '.join(endings)}; give it a name that ends so")
    check_output(path, store)
