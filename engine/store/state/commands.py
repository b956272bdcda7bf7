"""What can be asked of a campaign, in which state, and the state that it leads to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

from engine.errors import InputError

if TYPE_CHECKING:
    from engine.store.records import State

Action = Literal["pause", "resume", "cancel", "retry", "delete"]


class Effect(Enum):
    """What came of asking."""

    DONE = "done"
    ORDERED = "ordered"
    """the process that runs the campaign obeys at the edge of the part being computed"""
    NOTHING = "nothing"
    """it was so already"""


@dataclass(frozen=True)
class Rule:
    """Where an action applies to a campaign that is not running, and what it makes of it."""

    past: str
    states: tuple[State, ...]
    leads_to: State
    stops: bool
    """whether a running campaign obeys it by stopping"""


RULES: dict[Action, Rule] = {
    # deleted is cancelled first, so that no worker takes it any more
    "delete": Rule("deleted", ("queued", "paused", "finished", "failed", "cancelled"), "cancelled", stops=True),
    "cancel": Rule("cancelled", ("queued", "paused", "failed"), "cancelled", stops=True),
    "pause": Rule("paused", ("queued",), "paused", stops=True),
    "resume": Rule("resumed", ("paused",), "queued", stops=False),
    "retry": Rule("run again", ("failed", "cancelled"), "queued", stops=False),
}
"""The first ones win where several are asked of a campaign at once."""


def check_applies(action: Action, state: State, campaign: int) -> None:
    """Refuse what makes no sense in a state.

    Raises:
        InputError: which says what does.
    """
    if state in RULES[action].states:
        return
    states = (*RULES[action].states, *(("running",) if RULES[action].stops else ()))
    possible = ", ".join(other for other, rule in RULES.items() if state in rule.states)
    raise InputError(
        f"campaign {campaign} is {state}; only one that is {' or '.join(states)} can be {RULES[action].past}, "
        f"this one takes: {possible or 'pause, cancel, delete'}"
    )
