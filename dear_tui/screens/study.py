"""Campaigns side by side, those of a study or those marked: what differs, and what each has found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from dear_tui.access import results
from dear_tui.access.store_location import version_of
from dear_tui.access.study_reader import StudyReader
from dear_tui.screens.empty import READING
from dear_tui.screens.reporting import write_report
from dear_tui.screens.results import ResultScreen, heading
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.campaigns.study_text import study_rows
from dear_tui.widgets.common.row_list import RowList
from engine.severity import COUNTS

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from dear_tui.access.results import Question
    from dear_tui.access.store_location import Snapshot
    from dear_tui.access.study_reader import StudyMembers
    from engine.store import CampaignStatus

MEMBERS = "members"


class StudyScreen(ResultScreen):
    """The marked campaigns, else the members of the chosen one's study; the one under the cursor is the chosen one."""

    REFRESH_SECONDS: ClassVar[float] = 0.1
    """members are read a few at a time, and those that were read are not read again"""
    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "study-screen",
        Binding("enter", "open", "open", tooltip="watch the campaign under the cursor"),
        Binding("e", "report", "report", tooltip="write the report of the study"),
        Binding("s", "open_sql", "SQL", tooltip="the members as a query"),
    )
    DEFAULT_CSS = """
    StudyScreen {
        .heading { height: 1; padding: 0 1; }
        RowList { display: none; padding: 0 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._reader = StudyReader()
        self._study = ""
        """of the study that is shown"""
        self._shown: tuple[object, ...] = ()
        """what the list was made of"""

    def compose_body(self) -> ComposeResult:
        """The heading, and the list or a message."""
        yield Static(Content(""), classes="heading")
        yield Static(READING, classes="message")
        yield RowList()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The members, or why there are none."""
        status = snapshot.status(self.dear.campaign)
        missing = self.missing(snapshot)
        self.query_one(".heading").display = status is not None
        if missing is not None or status is None:
            self._show_message(missing or READING)
            return
        marked = tuple(sorted(self.dear.marked))
        question: Question[StudyMembers | None] = results.question(self._reader.read, status.id)
        if len(marked) > 1:
            question = results.question(self._reader.read_marked, marked)
        version = tuple((*version_of(each), each.state) for each in snapshot.campaigns or ())
        study, problem = self.answer(MEMBERS, question), self.problem(MEMBERS, question)
        self.ask(MEMBERS, question, (version, study.left if study else 0))
        crumbs = [] if study is None else [_crumb(study)]
        self.set_text(".heading", heading(status, crumbs, problem if study else "", self.size.width - 2))
        if study is not None:
            self._study = study.name
            self._show_members(snapshot, study)
        elif problem:
            self._show_message(Content(problem))
        elif self.is_answered(MEMBERS, question):
            self._show_message(_no_member(status))
        elif not self._shown:  # while the study of another member is read, the list stays
            self._show_message(READING)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        """The campaign under the cursor is the one that the other screens speak of."""
        if event.rows.key is not None:
            self.dear.campaign = event.rows.key
            self.refresh_snapshot()

    def action_open(self) -> None:
        """Go to the live screen of the campaign under the cursor."""
        self.app.switch_mode("live")

    def action_report(self) -> None:
        """Write the report of the finished campaigns, while everything else goes on."""
        if not self._study:
            ids = [str(campaign) for campaign in sorted(self.dear.marked)]
            write_report(self, ids, f"report-campaigns-{'-'.join(ids)[:40]}")
            return
        write_report(self, [self._study], f"report-study-{re.sub(r'[^A-Za-z0-9_-]+', '-', self._study)[:40]}")

    def action_open_sql(self) -> None:
        """Go to the SQL screen with the members as a query."""
        campaign = self.dear.campaign or 0
        chosen = f"campaign IN ({', '.join(map(str, sorted(self.dear.marked)))})" if not self._study else ""
        self.dear.open_sql(study_sql(campaign, chosen))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what works now."""
        if action in ("open", "open_sql", "report"):
            return self.query_one(RowList).display
        return super().check_action(action, parameters)

    def _show_message(self, message: Content) -> None:
        self._shown = ()
        self.query_one(RowList).display = False
        self.query_one(".message").display = True
        self.set_text(".message", message)
        self.set_focus(None)

    def _show_members(self, snapshot: Snapshot, study: StudyMembers) -> None:
        rows, width = self.query_one(RowList), self.size.width - 4
        statuses = {status.id: status for status in snapshot.campaigns or ()}
        shown = study, tuple(statuses.values()), width
        if not rows.display:
            rows.display, self.query_one(".message").display = True, False
            rows.focus()
        if shown != self._shown:
            is_first, self._shown = not self._shown, shown
            rows.show(study_rows(study, statuses, width))
            if is_first:
                rows.go_to(self.dear.campaign)


def study_sql(campaign: int, chosen: str = "") -> str:
    """The members of a campaign's study, or the campaigns that a condition chooses, for the SQL screen."""
    chosen = chosen or f"study = (SELECT study FROM campaigns WHERE campaign = {campaign})"
    pairs = " + ".join(f"f.{name}" for name in COUNTS)
    return f"""WITH members AS (
    FROM campaigns WHERE {chosen}
)
SELECT campaign, any_value(name) AS name, any_value(state) AS state, any_value(factors) AS factors,
    round(100 * sum(coalesce(weight, 1) * f.critical)
        / sum(coalesce(weight, 1) * ({pairs})), 4) AS "critical % of pairs",
    count(*) FILTER (f.critical > 0) AS critical_faults
FROM members LEFT JOIN fault_summary AS f USING (campaign) LEFT JOIN faults USING (campaign, fault_id)
GROUP BY campaign ORDER BY campaign"""


def _crumb(study: StudyMembers) -> str:
    found = sum(member.critical_faults is not None for member in study.members)
    reading = f", {study.left} more are read" if study.left else ""
    what = f"study {study.name}" if study.name else "marked"
    return f"{what}: {len(study.members)} campaigns, {found} with results{reading}"


def _no_member(status: CampaignStatus) -> Content:
    return Content.from_markup(
        "Campaign $number is no member of a study.\n\n"
        "A study is one file that spans seeds, selections, networks or data sets;\n"
        "from a shell, [b]dear-tui study FILE[/b] queues it, and its campaigns stand here side by side.\n\n"
        "Any other campaigns, too: mark them with [b]c[/b] in the list of [b]1[/b], and come back.",
        number=status.id,
    )
