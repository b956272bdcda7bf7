"""What is asked of the chosen campaign from a screen: shown at once, done in a thread, answered in a sentence."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.actions import parse
from textual.binding import Binding, BindingType

from dear_tui.access.problem import problem_of
from dear_tui.access.unavailable import against_asking, against_moving, against_starting, against_stopping
from dear_tui.screens.base import SnapshotScreen
from dear_tui.screens.dialogs.confirm import ConfirmScreen
from dear_tui.settings.keymap import with_ids
from dear_tui.text.messages import Obeyed
from engine.units import short_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.store import Action, CampaignStatus, QueueView

NONE_CHOSEN = "there is no campaign here; n makes one"
KEEPS = "What it computed is kept, and r would go on from there."


class OrderingScreen(SnapshotScreen):
    """The keys of the queue; which campaign they are about, the screen says."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "ordering-screen",
        Binding("p", "pause", "pause", tooltip="after the part being computed; p again goes on"),
        Binding("p", "resume", "resume", tooltip="go on with it when its turn comes"),
        Binding("r", "retry", "retry", tooltip="queue it again; what it computed is kept"),
        Binding("x", "cancel", "cancel", tooltip="cancel it, after asking; what it computed is kept"),
        Binding("J", "move(1)", "later", show=False, tooltip="a place down in the queue"),
        Binding("K", "move(-1)", "sooner", show=False, tooltip="a place up in the queue"),
        Binding("d", "delete", "delete", tooltip="delete it with its results, after asking"),
        Binding("w", "start_worker", "start worker", show=False, tooltip="the process that runs the queue"),
        Binding("W", "stop_worker", "stop worker", show=False, tooltip="after the part being computed; again: at once"),
    )

    def __init__(self) -> None:
        super().__init__()
        self.queue: QueueView | None = None
        """as it was read last; None before that"""
        self.pending: dict[int, Action] = {}
        """asked here, and no answer yet"""

    def chosen(self) -> CampaignStatus | None:
        """The campaign that orders are about."""
        raise NotImplementedError

    def asked(self, campaign: int) -> Action | None:
        """What is asked of a campaign and not done yet, here or elsewhere."""
        return self.pending.get(campaign) or (self.queue.asked.get(campaign) if self.queue else None)

    def refusal(self, action: str, parameters: tuple[object, ...]) -> str:
        """Why an action of this screen does nothing now; empty where it does something."""
        match action:
            case "start_worker":
                return against_starting(self.queue)
            case "stop_worker":
                return against_stopping(self.queue)
            case "pause" | "resume" | "retry" | "cancel" | "delete" | "move":
                status = self.chosen()
                if status is None:
                    return NONE_CHOSEN
                if action == "move":
                    return against_moving(cast("int", parameters[0]), status, self.queue)
                return against_asking(action, status, self.asked(status.id))
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what does something is offered."""
        return not self.refusal(action, parameters)

    def why_not(self, action: str) -> str:
        """What to say where a key was pressed that does nothing; empty where the same key does something else."""
        _, name, parameters = parse(action)
        if name == "pause" and not self.refusal("resume", ()):
            return ""
        return self.refusal(name, parameters)

    def ask(self, action: Action) -> None:
        """Ask something of the chosen campaign."""
        if status := self.chosen():
            self.pending[status.id] = action
            self.refresh_snapshot()
            self.order(lambda: self.dear.desk.ask(action, status.id), status.id)

    def action_pause(self) -> None:
        """Let it wait."""
        self.ask("pause")

    def action_resume(self) -> None:
        """Go on."""
        self.ask("resume")

    def action_retry(self) -> None:
        """Run it again."""
        self.ask("retry")

    def action_cancel(self) -> None:
        """Cancel, after asking."""
        self._confirm_and_ask("cancel", "Cancel {}?", KEEPS)

    def action_delete(self) -> None:
        """Delete, after asking."""
        self._confirm_and_ask("delete", "Delete {} with its results?", "This cannot be undone.")

    def _confirm_and_ask(self, action: Action, question: str, consequence: str) -> None:
        if status := self.chosen():
            what = f"campaign {status.id} ({status.name}, {status.state}, {short_count(status.pairs_done)} pairs)"

            def answered(yes: bool | None) -> None:
                self.dear.campaign = status.id
                if yes:
                    self.ask(action)

            self.app.push_screen(ConfirmScreen(question.format(what), consequence), answered)

    def action_move(self, by: int) -> None:
        """Another place in the queue."""
        if status := self.chosen():
            waiting = list(self.queue.waiting) if self.queue else []
            place = 1
            if self.queue and status.id in waiting:
                place = max(1, waiting.index(status.id) + 1 + by)
                waiting.remove(status.id)
                waiting.insert(place - 1, status.id)
                self.queue = replace(self.queue, waiting=tuple(waiting))
                self.refresh_snapshot()
            self.order(lambda: [self.dear.desk.move(status.id, place)], None)

    def action_start_worker(self) -> None:
        """See to it that the queue is run."""
        self.notify("starting the worker ...", timeout=2)
        self.order(lambda: [self.dear.desk.start_worker()], None)

    def action_stop_worker(self) -> None:
        """Stop what runs the queue."""
        self.order(lambda: [self.dear.desk.stop_worker()], None)

    @work(thread=True, group="orders")
    def order(self, give: Callable[[], Iterable[str]], campaign: int | None) -> None:
        """Give an order and tell what came of it."""
        said: list[str] = []
        refusal, queue = "", None
        try:
            said += give()
        except Exception as error:  # whatever breaks in a store, the screens say it and go on
            refusal = problem_of(error)
        with suppress(Exception):  # it is said above the list
            queue = self.dear.desk.queue()
        self.post_message(Obeyed(tuple(said), refusal, campaign, queue))

    def on_obeyed(self, message: Obeyed) -> None:
        """Say it, and read what has changed by it."""
        if message.campaign is not None:
            self.pending.pop(message.campaign, None)
        for sentence in message.said:
            self.notify(sentence, markup=False)
        if message.refusal:
            self.notify(message.refusal, severity="error", timeout=10, markup=False)
        if message.queue is not None:
            self.queue = message.queue
        self.refresh_snapshot()
        self.dear.read_now()
