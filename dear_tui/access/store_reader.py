"""What the campaigns screen asks of a store and orders there; every call may block."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dear_tui.access import commands
from dear_tui.access.description import sections
from dear_tui.access.report_process import write_report
from dear_tui.access.store_location import LateStore, open_store, problem_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from engine.analysis.audit import AuditResults
    from engine.analysis.tables import TableOneRow
    from engine.store import Action, CampaignStatus, QueueView
    from engine.store.read.fault_results import FaultFindings, FaultRates


@dataclass(frozen=True)
class Details:
    """What does not change about a campaign, and what it found once it is finished."""

    campaign: int
    sections: Mapping[str, Mapping[str, str]]
    """title -> name -> value"""
    table_one: TableOneRow | None
    problem: str = ""
    """why they could not be read"""
    audit: AuditResults | None = None
    """what its screened pairs hide at most, once it is finished; None where there are none"""


class Desk:
    """Where campaigns of a store that may not be there yet are asked about and ordered about."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._store = LateStore(partial(open_store, path))
        self._ordering = threading.Lock()
        """so that two orders are not obeyed the other way round"""

    def queue(self) -> QueueView:
        """What waits, what is asked, who is at work.

        Raises:
            DearError: the store cannot be read.
        """
        return self._store.get().queue_view()

    def findings(self, campaign: int) -> FaultFindings | None:
        """What its faults did so far; None where that cannot be read."""
        try:
            return self._store.get().findings(campaign)
        except Exception:  # a damaged part: the campaign is shown all the same, `verify` says what is wrong
            return None

    def rates(self, campaign: int) -> FaultRates | None:
        """How critical each layer and bit is so far; None where that cannot be read."""
        try:
            return self._store.get().rates_at_a_glance(campaign)
        except Exception:  # as above
            return None

    def details(self, status: CampaignStatus) -> Details:
        """Config, numerics, fingerprint and Table I; a failure is in them, never raised."""
        try:
            store = self._store.get()
            shown = sections(status, store.description(status.id))
            table_one = store.table_one(status.id) if status.state == "finished" else None
            return Details(status.id, shown, table_one, audit=store.audit(status.id) if table_one else None)
        except Exception as error:  # whatever breaks in a store, the screens say it and go on
            return Details(status.id, {}, None, problem_of(error, "It"))

    def config(self, campaign: int) -> dict[str, object]:
        """The tables of its config.

        Raises:
            DearError: it cannot be read.
        """
        config: dict[str, object] = self._store.get().description(campaign)["config"]
        return config

    def ask(self, action: Action, campaign: int) -> Iterator[str]:
        """What comes of it, a sentence each.

        Raises:
            DearError: it was refused.
        """
        with self._ordering:
            yield from commands.ask(self._path, action, campaign)

    def rename(self, campaign: int, name: str) -> str:
        """What it is called afterwards, as a sentence.

        Raises:
            DearError: it was refused.
        """
        with self._ordering:
            return commands.rename(self._path, campaign, name)

    def note(self, campaign: int, text: str) -> str:
        """That it is kept, as a sentence.

        Raises:
            DearError: it was refused.
        """
        with self._ordering:
            return commands.note(self._path, campaign, text)

    def move(self, campaign: int, position: int) -> str:
        """Its place in the queue afterwards, as a sentence.

        Raises:
            DearError: it was refused.
        """
        with self._ordering:
            return commands.move(self._path, campaign, position)

    def start_worker(self) -> str:
        """What runs the queue now, as a sentence.

        Raises:
            DearError: none could be started.
        """
        with self._ordering:
            return commands.run_queue(self._path)

    def stop_worker(self) -> str:
        """When it stops, as a sentence.

        Raises:
            DearError: none runs.
        """
        with self._ordering:
            return commands.stop_worker(self._path)

    def report(self, what: Sequence[str], stem: str) -> Path:
        """Write the report of campaigns, or of a study, into a new folder; which one.

        Raises:
            DearError: it failed.
        """
        return write_report(self._path, what, stem)

    def close(self) -> None:
        """Let go of the store's files."""
        self._store.close()
