"""What is asked of the chosen campaign: shown at once in its row, done in a thread, refused in a sentence."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.binding import Binding

from dear_tui.access.store_location import problem_of
from dear_tui.access.unavailable import against_asking, against_moving, against_starting, against_stopping
from dear_tui.screens.dialogs.confirm import ConfirmScreen
from dear_tui.settings.keymap import with_ids
from engine.errors import InputError
from engine.units import short_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dear_tui.access.store_reader import Desk
    from dear_tui.screens.campaigns import CampaignsScreen
    from engine.store import Action, CampaignStatus, QueueView

SEVERAL: dict[Action, str] = {"retry": "queued again", "cancel": "cancelled", "delete": "deleted"}
"""what can be asked of several campaigns at once -> what they are then"""
MOST_NAMED = 8
"""campaigns by name in a question"""
NONE_CHOSEN = "there is no campaign here; n makes one"
KEEPS = "What it computed is kept, and r would go on from there."


ORDER_KEYS = with_ids(
    "ordering-screen",
    Binding("p", "pause", "pause", tooltip="after the part being computed; p again goes on"),
    Binding("p", "resume", "resume", tooltip="go on with it when its turn comes"),
    Binding("r", "retry", "retry", tooltip="queue it, or the marked ones, again"),
    Binding("x", "cancel", "cancel", tooltip="cancel it, or the marked ones, after asking"),
    Binding("J", "move(1)", "later", show=False, tooltip="a place down in the queue"),
    Binding("K", "move(-1)", "sooner", show=False, tooltip="a place up in the queue"),
    Binding("d", "delete", "delete", tooltip="delete it, or the marked ones, after asking"),
    Binding("d", "demo", "demo", tooltip="run the paper's campaign on bundled data"),
    Binding("w", "start_worker", "start worker", show=False, tooltip="the process that runs the queue"),
    Binding("W", "stop_worker", "stop worker", show=False, tooltip="after the part being computed; again: at once"),
)
"""the keys of the queue, whose ids users know by this name"""


class CampaignOrders:
    """What is asked of the campaign that a screen has chosen, and of who runs the queue."""

    def __init__(self, screen: CampaignsScreen) -> None:
        """For a screen that shows what is asked, and what comes of it."""
        self._screen = screen
        self.queue: QueueView | None = None
        """as it was read last; None before that"""
        self._pending: dict[int, Action] = {}
        """asked here, and no answer yet"""
        self.is_starting = False
        """whether a worker was asked for here, and none runs yet"""

    def asked(self, campaign: int) -> Action | None:
        """What is asked of a campaign and not done yet, here or elsewhere."""
        return self._pending.get(campaign) or (self.queue.asked.get(campaign) if self.queue else None)

    def refusal(self, action: str, parameters: tuple[object, ...]) -> str:
        """Why an action does nothing now; empty where it does something."""
        match action:
            case "start_worker":
                return against_starting(self.queue)
            case "stop_worker":
                return against_stopping(self.queue)
            case "pause" | "resume" | "retry" | "cancel" | "delete" | "move":
                status = self._screen.chosen()
                if status is None:
                    return NONE_CHOSEN
                if action in SEVERAL and self._screen.dear.marked and self.targets(action):
                    return ""
                if action == "move":
                    return against_moving(cast("int", parameters[0]), status, self.queue)
                return against_asking(action, status, self.asked(status.id))
        return ""

    def targets(self, action: Action) -> list[CampaignStatus]:
        """Those that it is asked of: the marked ones that it applies to, or the chosen one where none is marked."""
        marked, chosen = self._screen.marked(), self._screen.chosen()
        if not marked:
            return [chosen] if chosen else []
        return [status for status in marked if not against_asking(action, status, self.asked(status.id))]

    def ask(self, action: Action) -> None:
        """Ask something of the chosen campaign."""
        if status := self._screen.chosen():
            self._ask([status], action)

    def _ask(self, campaigns: Sequence[CampaignStatus], action: Action) -> None:
        """Ask it of each; what comes of one its row shows, of several a sentence tells."""
        desk, ids = self._screen.dear.desk, [status.id for status in campaigns]
        self._pending |= dict.fromkeys(ids, action)
        self._screen.refresh_snapshot()
        if len(ids) == 1:
            self._order(lambda: desk.ask(action, ids[0]), ids, is_seen=True)
        else:
            self._order(lambda: [ask_all(desk, action, campaigns)], ids)

    def confirm_and_ask(self, action: Action, question: str, consequence: str) -> None:
        """Ask the user first, by a question with a place for the campaign."""
        if targets := self.targets(action):

            def answered(yes: bool | None) -> None:
                if yes:
                    self._ask(targets, action)

            self._screen.app.push_screen(ConfirmScreen(question.format(_named(targets)), consequence), answered)

    def move(self, by: int) -> None:
        """Another place in the queue."""
        if status := self._screen.chosen():
            waiting = list(self.queue.waiting) if self.queue else []
            place = 1
            if self.queue and status.id in waiting:
                place = max(1, waiting.index(status.id) + 1 + by)
                waiting.remove(status.id)
                waiting.insert(place - 1, status.id)
                self.queue = replace(self.queue, waiting=tuple(waiting))
                self._screen.refresh_snapshot()
            self._order(lambda: [self._screen.dear.desk.move(status.id, place)], is_seen=True)

    def rename(self, campaign: int, name: str) -> None:
        """Another name for a campaign."""
        self._order(lambda: [self._screen.dear.desk.rename(campaign, name)], is_seen=True)

    def note(self, campaign: int, text: str, is_seen: bool) -> None:
        """The user's own words about a campaign."""
        self._order(lambda: [self._screen.dear.desk.note(campaign, text)], is_seen=is_seen)

    def start_worker(self) -> None:
        """See to it that the queue is run; the worker's line shows it."""
        self.is_starting = True
        self._screen.refresh_snapshot()
        self._order(self._start_worker, is_seen=True)

    def _start_worker(self) -> Iterator[str]:
        try:
            yield self._screen.dear.desk.start_worker()
        finally:
            self.is_starting = False

    def stop_worker(self) -> None:
        """Stop what runs the queue; the worker's line shows it."""
        self._order(lambda: [self._screen.dear.desk.stop_worker()], is_seen=True)

    def _order(self, give: Callable[[], Iterable[str]], campaigns: Sequence[int] = (), is_seen: bool = False) -> None:
        """Give an order in a thread, and tell what came of it; where the screen shows that (`is_seen`), a refusal."""
        self._screen.run_worker(partial(self._give, give, campaigns, is_seen), group="orders", thread=True)

    def _give(self, give: Callable[[], Iterable[str]], campaigns: Sequence[int], is_seen: bool) -> None:
        said: list[str] = []
        refusal, queue = "", None
        try:
            said += give()
        except Exception as error:  # whatever breaks in a store, the screens say it and go on
            refusal = problem_of(error)
        with suppress(Exception):  # it is said above the list
            queue = self._screen.dear.desk.queue()
        self._screen.call_later(self._tell, [] if is_seen else said, refusal, campaigns, queue)

    def _tell(self, said: list[str], refusal: str, campaigns: Sequence[int], queue: QueueView | None) -> None:
        """Say it, and read what has changed by it."""
        for campaign in campaigns:
            self._pending.pop(campaign, None)
        for sentence in said:
            self._screen.notify(sentence, markup=False)
        if refusal:
            self._screen.notify(refusal, severity="error", timeout=10, markup=False)
        if queue is not None:
            self.queue = queue
        self._screen.refresh_snapshot()
        self._screen.dear.read_now()


def ask_all(desk: Desk, action: Action, campaigns: Sequence[CampaignStatus]) -> str:
    """Ask it of each campaign, whatever comes of the others; the sentence that tells it.

    Raises:
        InputError: some refused; how many were not, and why the first did.
    """
    refusals: list[str] = []
    for status in campaigns:
        try:
            list(desk.ask(action, status.id))
        except Exception as error:  # whatever breaks in a store, the others are asked, and it is said
            refusals.append(problem_of(error))
    done = len(campaigns) - len(refusals)
    runs = any(status.state == "running" for status in campaigns)
    said = f"{done} campaigns are {SEVERAL[action]}{', the running one after the part being computed' if runs else ''}"
    if refusals:
        raise InputError(f"{said}, {len(refusals)} not: {refusals[0]}")
    return said


def _named(campaigns: Sequence[CampaignStatus]) -> str:
    """Which campaigns they are, and what they hold."""
    if len(campaigns) == 1:
        [status] = campaigns
        return f"campaign {status.id} ({status.name}, {status.state}, {short_count(status.pairs_done)} pairs)"
    names = ", ".join(f"#{status.id} {status.name}" for status in campaigns[:MOST_NAMED])
    more = f" and {len(campaigns) - MOST_NAMED} more" if len(campaigns) > MOST_NAMED else ""
    return f"the {len(campaigns)} marked campaigns ({names}{more})"
