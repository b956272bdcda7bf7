"""The members of a study as a list: what sets each apart, and what it has found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from dear_tui.widgets.common.columns import ListColumn, lay_out
from dear_tui.widgets.common.status_text import MUTED
from engine.analysis.result_table import UNKNOWN
from engine.printable import printable_line
from engine.units import percent, stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dear_tui.access.study_reader import StudyMembers
    from dear_tui.widgets.common.row_list import Rows
    from engine.analysis.study import MemberResults
    from engine.store import CampaignStatus

WIDEST_FACTOR = 24
"""columns of a terminal for a value of what varies"""

INTERVAL = "interval"


def study_rows(study: StudyMembers, statuses: Mapping[int, CampaignStatus], width: int) -> Rows:
    """A row for each member that the store has; of one that runs, how far it is."""
    members = study.members
    ids = [member.campaign or 0 for member in members]
    factors = list(dict.fromkeys(name for member in members for name in member.factors))

    def state(place: int) -> str:
        status = statuses.get(ids[place])
        is_under_way = status is not None and status.state not in ("finished", "queued")
        done = f" {percent(status.pairs_done, status.pairs)}" if status and is_under_way else ""
        return members[place].state + done

    columns = [
        ListColumn("id", lambda i: str(ids[i]), max(len(str(number)) for number in ids), style=MUTED),
        *(_factor_column(members, name) for name in factors),
        _column(
            "critical", members, lambda member: _percent(member.critical_percent), style="bold $text-class-critical"
        ),
        _column(INTERVAL, members, _interval, spare=1, style=MUTED),
        _column("critical faults", members, lambda member: _count(member.critical_faults)),
        _column("faults", members, lambda member: _count(member.faults), spare=3, style=MUTED),
        _column("images", members, lambda member: _count(member.images), spare=3, style=MUTED),
        _column("faulty accuracy", members, lambda member: _percent(member.faulty_accuracy), spare=2),
        _column("lower it", members, lambda member: _count(member.lowering_faults), spare=2),
        _column("computed in", members, _time, spare=4, style=MUTED),
        ListColumn("state", state, max(len(state(place)) for place in range(len(members))), left=True),
    ]
    return lay_out(columns, ids, width)


def _column(
    title: str, members: Sequence[MemberResults], text: Callable[[MemberResults], str], spare: int = 0, style: str = ""
) -> ListColumn:
    texts = [text(member) for member in members]
    return ListColumn(title, lambda place: texts[place], max(map(len, texts)), spare, style=style)


def _factor_column(members: Sequence[MemberResults], name: str) -> ListColumn:
    texts = [_factor_text(member.factors.get(name)) for member in members]
    width = min(max(map(cell_len, texts)), WIDEST_FACTOR)
    return ListColumn(printable_line(name), lambda place: texts[place], width, left=True)


def _factor_text(value: Any) -> str:
    from engine.analysis.study import factor_text  # read before the list was shown

    return printable_line(factor_text(value))


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f} %"


def _time(member: MemberResults) -> str:
    return UNKNOWN if member.seconds is None else stopwatch(member.seconds)


def _interval(member: MemberResults) -> str:
    low, high = (None, None) if member.critical is None else member.critical.ends
    return UNKNOWN if low is None else f"{low:.3f} to {high:.3f} %"


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"
