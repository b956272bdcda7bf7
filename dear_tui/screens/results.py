"""A screen that asks the store questions of its own, in threads, and again when the campaign has gone on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from dear_tui.access.store_location import LateStore, problem_of
from dear_tui.screens.base import SnapshotScreen
from dear_tui.screens.empty import missing
from dear_tui.widgets.common.status_text import MUTED, name_text, spread, state_text
from engine.units import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dear_tui.access.results import Question
    from dear_tui.access.store_location import Snapshot
    from engine.store import CampaignStatus

Answer = TypeVar("Answer")
Version = tuple[object, ...]
"""changes whenever an answer may"""


@dataclass(frozen=True)
class Asking:
    """A question about the campaign as it is now."""

    question: Question[Any]
    version: Version


@dataclass
class Slot:
    """One place on a screen that shows an answer."""

    wanted: Asking | None = None
    running: Asking | None = None
    answered: Asking | None = None
    answer: object = None
    problem: str = ""
    answered_at: float = 0.0
    waiting: bool = False
    """for the moment when the same question may be read again"""


@dataclass
class Answered(Message):
    """A thread has an answer, or a sentence that says why there is none."""

    slot: str
    asking: Asking
    answer: object
    problem: str


class ResultScreen(SnapshotScreen):
    """Each slot runs one question at a time and goes on with the newest one; no key waits for an answer."""

    REFRESH_SECONDS: ClassVar[float] = 1.0
    """between two readings of the same question while a campaign runs"""

    def __init__(self) -> None:
        super().__init__()
        self._slots: dict[str, Slot] = {}
        self._store = LateStore(self.dear.open_source)

    def ask(self, slot: str, question: Question[Any], version: Version) -> None:
        """Have a slot show the answer to a question, asked anew when the version is another."""
        place = self._slots.setdefault(slot, Slot())
        place.wanted = Asking(question, version)
        self._go_on(slot)

    def answer(self, slot: str, question: Question[Answer]) -> Answer | None:
        """The newest answer to a question; None while there is none."""
        place = self._answered(slot, question)
        return None if place is None else cast("Answer | None", place.answer)

    def is_answered(self, slot: str, question: Question[Any]) -> bool:
        """Whether a question was answered, be it that there is nothing."""
        return self._answered(slot, question) is not None

    def problem(self, slot: str, question: Question[Any]) -> str:
        """Why the newest reading of a question failed; empty if it did not."""
        place = self._answered(slot, question)
        return "" if place is None else place.problem

    def on_answered(self, message: Answered) -> None:
        """Keep the answer and show it."""
        place = self._slots[message.slot]
        repeated = place.answered is not None and place.answered.question == message.asking.question
        if not message.problem or not repeated:
            place.answer = message.answer  # what was read before stays in view when a later reading fails
        place.running, place.answered, place.problem = None, message.asking, message.problem
        place.answered_at = monotonic()
        self.refresh_snapshot()
        self._go_on(message.slot)

    def set_text(self, selector: str, text: Content) -> None:
        """Give a text of fixed height its content; painted only when it is another."""
        widget = self.query_one(selector, Static)
        if widget.content != text:
            widget.update(text, layout=False)

    def missing(self, snapshot: Snapshot) -> Content | None:
        """What stands in the place of a campaign that cannot be shown; None where there is one."""
        return missing(snapshot, self.dear.campaign)

    def _answered(self, slot: str, question: Question[Any]) -> Slot | None:
        """The place whose newest answer is one to this question."""
        place = self._slots.get(slot)
        return place if place and place.answered and place.answered.question == question else None

    def _go_on(self, slot: str) -> None:
        """Start what a slot wants, unless it has it, is at it, or has read the same question a moment ago."""
        place = self._slots[slot]
        if place.wanted is None or place.running is not None or place.wanted == place.answered:
            return
        if place.answered and place.answered.question == place.wanted.question:
            wait = place.answered_at + self.REFRESH_SECONDS - monotonic()
            if wait > 0:
                if not place.waiting:
                    place.waiting = True
                    self.set_timer(wait, partial(self._wake, slot))
                return
        place.running = place.wanted
        self.run_worker(partial(self._read, slot, place.running), group=slot, thread=True, exit_on_error=False)

    def _wake(self, slot: str) -> None:
        self._slots[slot].waiting = False
        self._go_on(slot)

    def _read(self, slot: str, asking: Asking) -> None:
        """Ask, in a thread; whatever breaks becomes a sentence."""
        answer: object = None
        problem = ""
        try:
            answer = asking.question.ask(self._store.get())
        except Exception as error:  # whatever breaks in a store, the screen says it and goes on
            problem = problem_of(error, "The results")
        self.post_message(Answered(slot, asking, answer, problem))

    def on_unmount(self) -> None:
        """Close what was asked; a store that hangs keeps nobody."""
        asyncio.get_running_loop().run_in_executor(None, self._store.close)


def heading(status: CampaignStatus, crumbs: Sequence[str], problem: str, width: int) -> Content:
    """Campaign and way on the left; on the right its state, or why the newest reading failed."""
    way = Content.assemble(name_text(status), *((f" › {crumb}", MUTED) for crumb in crumbs))
    if problem:
        return spread(way, Content.styled(f"✗ {problem}", "$text-error").truncate(width // 2, ellipsis=True), width)
    share = "" if status.state == "finished" else f" {percent(status.pairs_done, status.pairs)}"
    return spread(way, state_text(status) + Content(share), width)
