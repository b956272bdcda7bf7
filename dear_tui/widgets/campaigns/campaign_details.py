"""One campaign in full, beside the list or below it: what it found, config, numerics and what it depends on.

Where the text of what it found leaves lines, its curve and its map stand below that, in small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from dear_tui.access.description import audit_lines, findings_lines, interval_text, table_one_lines, workload_words
from dear_tui.charts.picture import Ink
from dear_tui.charts.plots import ChartData
from dear_tui.charts.view import ChartView
from dear_tui.settings.keymap import with_ids
from dear_tui.text.size import size_of
from dear_tui.widgets.campaigns.small_chart import SmallChart
from dear_tui.widgets.common.status_text import MUTED, asked_text, name_text, state_text, took
from dear_tui.widgets.faults.fault_map_picture import MapLayout
from dear_tui.widgets.faults.layer_bit_map import LayerBitMap
from engine.severity import NOT_RUN_NAMES
from engine.units import percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from textual.app import ComposeResult
    from textual.widget import Widget

    from dear_tui.access.store_reader import Details
    from dear_tui.widgets.faults.fault_map_picture import HeatGrid
    from engine.store import Action, CampaignStatus, CurveData
    from engine.store.read.fault_results import FaultFindings

SHOWN_ABOVE = frozenset(
    [
        "id",
        "name",
        "state",
        "network",
        "dataset",
        "select",
        "method",
        "faults",
        "images",
        "pairs_done",
        "rate",
        "eta_s",
        "masked",
        "non_critical",
        "critical",
        *NOT_RUN_NAMES,
        "audited",
        "missed",
        "error",
        "notes",
    ]
)
"""of the section `campaign`: what the head or the list says already"""

CRITICAL_ALONE = ChartView(asymptotes=False, hidden=frozenset({Ink.METRIC, Ink.MASKED, Ink.NON_CRITICAL}))
GAP = 1
"""blank lines above a picture, as the style sheet has them"""
CURVE_LINES = 8
LEAST_MAP_LINES = MapLayout.SMALL_HEADING + 3
"""that show two layers, and all of them together"""
LEAST_MAP_WIDTH = 44


class CampaignDetails(VerticalScroll):
    """Scrolls where it is longer than the screen."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "campaign-details",
        Binding("j,down", "scroll_down", "down", show=False, tooltip="scroll the details"),
        Binding("k,up", "scroll_up", "up", show=False, tooltip="scroll back"),
        Binding("g,home", "scroll_home", "top", show=False, tooltip="their first line"),
        Binding("G,end", "scroll_end", "end", show=False, tooltip="their last line"),
    )
    DEFAULT_CSS = """
    CampaignDetails {
        padding: 0 1; border: round $surface-lighten-2; border-title-color: $foreground-muted;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        &:focus { border: round $primary; border-title-color: $foreground; }
        Static { height: auto; }
        SmallChart, LayerBitMap { margin-top: 1; display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._campaign: int | None = None
        self._facts: tuple[Details | None, int, bool] | None = None
        """which details are shown below the head, for which width, and whether what one asks next stands there"""
        self._room = 0
        """lines that the head leaves"""

    def compose(self) -> ComposeResult:
        """What changes while a campaign runs, its pictures, and what does not change."""
        yield Static(Content(""), id="head")
        yield SmallChart()
        yield LayerBitMap()
        yield Static(Content(""), id="facts")

    @property
    def has_room_for_map(self) -> bool:
        """Whether the text and the curve leave enough."""
        has_lines = self._room >= GAP + CURVE_LINES + GAP + LEAST_MAP_LINES
        return has_lines and self.scrollable_content_region.width >= LEAST_MAP_WIDTH

    def show(
        self, status: CampaignStatus, details: Details | None, found: FaultFindings | None, asked: Action | None = None
    ) -> None:
        """What is known of a campaign, `details` being None while they are read.

        Args:
            status: the campaign.
            details: what takes a while to read.
            found: what its faults did so far, where that is counted.
            asked: what is asked of it and not done yet.
        """
        width = max(self.scrollable_content_region.width, 20)
        head = self._update("#head", _head(status, details, found, asked), width)
        self._room = self.scrollable_content_region.height - head
        shown = (details, width, _has_answers(status))
        if self._facts is None or self._facts[0] is not details or self._facts[1:] != shown[1:]:
            self._facts = shown
            self._update("#facts", _below(status, details, width), width)
        if status.id != self._campaign:
            self._campaign = status.id
            self.scroll_home(animate=False)

    def show_pictures(self, status: CampaignStatus | None, curve: CurveData | None, grid: HeatGrid | None) -> None:
        """The curve, where it has points, in lines that the head leaves, and the map in those that are left then.

        Args:
            status: of the campaign; None: there are no pictures of it.
            curve: None while it is read.
            grid: the same of the map.
        """
        has_curve = curve is not None and len(curve.critical) > 0 and self._room >= GAP + CURVE_LINES
        data = ChartData(status.id, curve, is_ranked=status.is_ranked) if status and curve and has_curve else None
        chart = self.query_one(SmallChart)
        _give_lines(chart, CURVE_LINES if data else 0)
        chart.show_data(data, CRITICAL_ALONE)
        mapped = grid if self.has_room_for_map else None
        left = self._room - GAP - (GAP + CURVE_LINES if data else 0)
        layer_bits = self.query_one(LayerBitMap)
        _give_lines(layer_bits, min(MapLayout.SMALL_HEADING + mapped.rows, left) if mapped else 0)
        layer_bits.show(mapped)

    def _update(self, selector: str, lines: Iterable[Content], width: int) -> int:
        """Show lines, and say how many; only for more or fewer are they laid out, which paints the whole screen."""
        part, content = self.query_one(selector, Static), Content("\n").join(lines)
        height = content.get_height(part.styles.get_rules(), width)
        if content != part.content:
            part.update(content, layout=height != part.size.height)
        return height


def _give_lines(picture: Widget, lines: int) -> None:
    """This many; none: it is not there."""
    picture.display = lines > 0
    if lines:
        picture.styles.height = lines


def _head(
    status: CampaignStatus, details: Details | None, found: FaultFindings | None, asked: Action | None
) -> Iterator[Content]:
    yield name_text(status)
    yield Content("  ").join([asked_text(asked) if asked else state_text(status), Content.styled(took(status), MUTED)])
    yield Content(f"{status.network} on {status.dataset}, {status.select} images, method {status.method}")
    yield Content(size_of(status))
    if found and found.images < found.data_set:
        yield Content(workload_words(status, found))
    if status.notes:
        yield Content.assemble(("note: ", MUTED), status.notes)
    if status.has_stopped_early:
        yield Content("stopped early: precise enough")
    if status.error:
        yield Content.styled(status.error, "$text-error")
    if details and details.table_one:
        interval = f", {100 * found.confidence:g} % intervals" if found and interval_text(found.critical) else ""
        yield from _heading(f"Accuracy and severities{interval}")
        yield from _columns(table_one_lines(status, details.table_one, found))
        if details.audit:
            yield from _heading(f"What screening misses, {100 * details.audit.confidence:g} % upper bounds")
            yield from _columns(audit_lines(details.audit))
    elif done := status.count():
        yield from _heading(f"So far, {percent(done, status.pairs)} of the pairs")
        yield from _columns(_counts(status, found, done))


def _below(status: CampaignStatus, details: Details | None, width: int) -> Iterator[Content]:
    """What one asks next of a finished campaign, and what does not change."""
    if details is None:
        yield Content.styled("\nReading its config ...", MUTED)
    elif details.problem:
        yield Content.styled(f"\n{details.problem}", "$text-error")
    else:
        if _has_answers(status) and details.table_one:
            yield from _heading("What follows from it")
            yield from _answers(status.id)
        for title, facts in details.sections.items():
            shown = {name: value for name, value in facts.items() if title != "campaign" or name not in SHOWN_ABOVE}
            yield from _heading(title.capitalize())
            yield from _facts(shown, width)


def _has_answers(status: CampaignStatus) -> bool:
    return status.state == "finished" and not status.dropped


def _answers(campaign: int) -> Iterator[Content]:
    """Which screen and which command answer what one asks of a finished campaign."""
    answers = {
        "which layers": f"3, or dear-tui protect {campaign}",
        "which images": f"6, or dear-tui compact {campaign}",
        "to hand in": f"e, or dear-tui report {campaign}",
    }
    for asked, answer in answers.items():
        yield Content.assemble((f"{asked:{max(map(len, answers))}}", MUTED), f"  {answer}")


def _heading(title: str) -> Iterator[Content]:
    yield Content("")
    yield Content.styled(title, "bold $text-accent")


def _counts(status: CampaignStatus, found: FaultFindings | None, done: int) -> list[tuple[str, str, str]]:
    counts = {"masked": status.masked, "non-critical": status.non_critical, "critical": status.critical}
    counts |= {name: count for name in NOT_RUN_NAMES if (count := getattr(status, name))}
    rows = [(name, percent(count, done), f"{count:,} pairs") for name, count in counts.items()]
    if found is not None:
        rows += findings_lines(found)
    if status.audited:
        rows.append(("audited", f"{status.audited:,}", f"screened pairs, {status.missed:,} of them missed"))
    return rows


def _columns(rows: list[tuple[str, str, str]]) -> Iterator[Content]:
    name_width, value_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    for name, value, note in rows:
        yield Content.assemble(f"{name:{name_width}}  {value:>{value_width}}", (f"  {note}", MUTED))


def _facts(facts: Mapping[str, str], width: int) -> Iterator[Content]:
    """Name and value; a long value goes on below itself."""
    name_width = max(map(len, facts), default=0)
    room = max(width - name_width - 2, 8)
    for name, value in facts.items():
        pieces = [value[start : start + room] for start in range(0, len(value), room)] or [""]
        for piece in pieces:
            yield Content.assemble((f"{name if piece is pieces[0] else '':{name_width}}", MUTED), f"  {piece}")
