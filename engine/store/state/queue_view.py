"""The queue as a screen shows it: what waits, what is asked of running campaigns, and who is at work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.store.state.heartbeat import WorkerStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.store.state.commands import Action
    from engine.store.state.lock import Holder


@dataclass(frozen=True)
class QueueView:
    """The queue at one moment."""

    waiting: tuple[int, ...] = ()
    """first to run first"""
    asked: Mapping[int, Action] = field(default_factory=dict)
    """running campaign -> the strongest command that it has not obeyed yet"""
    left: tuple[int, ...] = ()
    """campaigns of the queue whose worker ended without a word; the next one goes on with them"""
    holder: Holder | None = None
    """the process at work in the store"""
    worker: WorkerStatus = field(default_factory=lambda: WorkerStatus(running=False))
    stops: int = 0
    """how often the worker has been asked to end"""
