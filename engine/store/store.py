"""The store: campaigns on disk, one writer, many readers."""

from __future__ import annotations

import os
import shutil
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from engine.errors import DiskFullError, InputError, UnreachableError
from engine.store.description import rename_in_description, update_description
from engine.store.files import (
    check_writable,
    exclusive,
    find_intruders,
    give_up_reserve,
    is_busy,
    keep_reserve,
    make_private_folder,
    private_files,
    remove,
    remove_unfinished,
    unfinished,
    unwritable,
)
from engine.store.mend.recovery import (
    adopt_campaigns,
    clear_unfinished,
    enter_filled,
    find_nameless,
    find_unreadable,
    recover_parts,
)
from engine.store.mend.verification import verify_campaign
from engine.store.read.reading import StoreReader
from engine.store.schema import CHANGING
from engine.store.sql.catalogue import catalogue_key, made_files_key, write_catalogue, write_zero_rows
from engine.store.state.lock import hold, make_lock
from engine.store.state.queue import Queue, QueueView, not_queued
from engine.store.state.state import CampaignRow, now
from engine.store.write.creation import renew_campaign, restore_campaign, write_campaign
from engine.store.write.part_tables import read_fixed
from engine.store.write.writer import CampaignWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.store.records import (
        CampaignStatus,
        NewCampaign,
        State,
    )
    from engine.store.state.lock import Role


class Store(StoreReader):
    """A folder of campaigns; the threads of a process may share one `Store`."""

    def __init__(self, path: Path, read_only: bool) -> None:
        super().__init__(path, read_only)
        self.notes: list[str] = []
        """what recovery could not verify or will run again, a sentence each"""
        self._locked = False

    @classmethod
    def open(cls, path: Path, read_only: bool = False) -> Store:
        """Open a store, made on the way (mode 0700) unless `read_only`; that one has no campaigns until it is made.

        Raises:
            UnreachableError: the path is a file, cannot be read or written, or lacks its state.sqlite.
        """
        store = cls(path, read_only)
        with ExitStack() as opened:
            opened.callback(store.close)
            store._begin(path)
            opened.pop_all()  # it is whole, and stays open
        return store

    def _begin(self, path: Path) -> None:
        """See that it is there, or make it; `path` is what errors call it.

        Raises:
            UnreachableError: see `open`.
        """
        read_only = self._read_only
        try:
            if self.layout.root.exists() and not self.layout.root.is_dir():
                raise UnreachableError(f"{path}: cannot be the store, it is a file; choose a folder with --store")
            if read_only:
                self._check_readable()
            else:
                self._prepare()
        except (OSError, duckdb.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
            raise UnreachableError(
                f"{path}: cannot be {'read' if read_only else 'the store'} ({reason}); choose another with --store"
            ) from None

    @contextmanager
    def lock(self, role: Role = "foreground", goes_on: bool = False) -> Iterator[None]:
        """Be the one process that runs campaigns; what a killed one left is put right first.

        Args:
            role: as what.
            goes_on: it will be taken again soon, and the worker is to wait for that.

        Raises:
            UnreachableError: another process holds the lock.
        """
        with hold(self.layout.lock, role, goes_on), private_files():
            self._locked = True
            keep_reserve(self.layout.reserve)
            try:
                self._recover()
                self.notes += find_unreadable(self.layout, self.state)
                yield
            finally:
                self._locked = False

    def check_not_removed(self) -> None:
        """Whether it is still where it was opened: what was removed or moved is not made anew by who was at work in it.

        Raises:
            UnreachableError: it is not.
        """
        if not self.layout.campaigns.is_dir():
            raise UnreachableError(f"{self.layout.root}: the store was removed or moved while it was in use")

    def take_notes(self) -> list[str]:
        """The notes since the last time, which are to be told once."""
        notes, self.notes = self.notes, []
        return notes

    def be_worker(self) -> AbstractContextManager[None]:
        """Be the store's one worker, which takes the lock when it is free.

        Raises:
            UnreachableError: another process is.
        """
        return hold(self.layout.worker_lock, "worker")

    def queue_view(self) -> QueueView:
        """What waits, what is asked, who is at work."""
        if not self._is_there():
            return QueueView()
        holder, worker = self.holder(), self.worker()
        return QueueView(
            waiting=tuple(self.queue.waiting()),
            asked=self.queue.orders(),
            left=() if holder else tuple(self.queue.left()),
            holder=holder,
            worker=worker,
            stops=self.queue.stops(worker.pid) if worker.pid else 0,
        )

    @property
    def queue(self) -> Queue:
        """What waits, and what is asked of campaigns."""
        return Queue(self)

    def create(self, new: NewCampaign) -> int:
        """Write a new campaign, which nobody runs before it is queued or run; no lock is needed.

        Returns:
            The id of the campaign, which none has had before.

        Raises:
            UnreachableError: it could not be written; nothing of it is left behind.
        """
        with exclusive(self.layout.root):
            return self._create(new)

    def find_or_create(self, new: NewCampaign, check: Callable[[], object] | None = None) -> CampaignStatus:
        """The newest campaign with this one's fingerprint, written where there is none.

        Args:
            new: what to look for.
            check: called before it is written, while no other process can write one; may raise to refuse.

        Raises:
            UnreachableError: it could not be written; nothing of it is left behind.
        """
        with exclusive(self.layout.root):
            if known := self.find(new.fingerprint):
                return known
            if check is not None:
                check()
            with self._guard:
                nameless = find_nameless(self.layout, self.state, new.fingerprint, self._duckdb())
            return self.campaign(self._create(new) if nameless is None else self._take_up(nameless, new))

    def _create(self, new: NewCampaign) -> int:
        last = int(self.state.setting("last_campaign") or 0)
        number = max([last, *self.layout.campaign_ids(), *self.state.campaign_ids()]) + 1
        row = _row(number, new)
        write_campaign(self.layout.campaign(number), row, new)
        self.state.add_campaign(row)
        self.state.set_setting("last_campaign", str(number))
        return number

    def _take_up(self, number: int, new: NewCampaign) -> int:
        """Enter a campaign of which only the parts are left."""
        row = _row(number, new)
        self.notes += restore_campaign(self.layout.campaign(number), row, new)
        self.state.add_campaign(row)
        return number

    def restore(self, campaign: int, new: NewCampaign) -> None:
        """Write again what is missing or damaged of what is fixed of a campaign; no lock is needed.

        Raises:
            UnreachableError: it could not be written.
        """
        self.notes += restore_campaign(self.layout.campaign(campaign), self.state.campaign_row(campaign), new)

    def renew(self, campaign: int, new: NewCampaign, with_tables: bool) -> None:
        """Write what is known of a campaign as it would begin now; see `renew_campaign`.

        Raises:
            UnreachableError: it could not be written.
        """
        renew_campaign(self.layout.campaign(campaign), self.state.campaign_row(campaign), new, with_tables)

    def fill(self, campaign: int, new: NewCampaign) -> None:
        """Have a campaign that was queued by its config alone be what has been prepared from it; under the lock.

        Where the process dies in between, the files are of what was prepared, and the next one reads the row from them.

        Raises:
            UnreachableError: it could not be written.
        """
        self._needs_lock()
        row = self.state.campaign_row(campaign)
        changing = {name: getattr(row, name) for name in CHANGING}
        row = replace(_row(campaign, new), **changing, created=row.created)
        renew_campaign(self.layout.campaign(campaign), row, new, with_tables=True)
        self.state.replace_campaign(row)

    def stop_early(self, campaign: int, new: NewCampaign, writer: CampaignWriter) -> None:
        """Have a campaign be one of fewer faults: the first ones in execution order, whose pairs are all committed.

        Where the process dies in between, the row in state.sqlite says that its files are to be written again.

        Args:
            campaign: its id.
            new: the same campaign with these faults alone.
            writer: of the campaign, with nothing left to write.

        Raises:
            UnreachableError: it could not be written.
        """
        self._needs_lock()
        row = replace(self.state.campaign_row(campaign), faults=len(new.faults), drawn=new.drawn)
        self.state.replace_campaign(row)
        self.renew(campaign, new, with_tables=True)
        with self._guard:
            writer.fixed = read_fixed(self._duckdb(), self.layout.campaign(campaign))

    def verify(self, campaign: int, on_part: Callable[[int, int], None]) -> list[str]:
        """Check every file of a campaign, see `verify_campaign`; under the lock.

        Raises:
            InputError: there is no campaign with this id.
        """
        self._needs_lock()
        self.campaign(campaign)
        return verify_campaign(self, campaign, on_part)

    def writer(self, campaign: int) -> CampaignWriter:
        """The writer of a campaign, which knows what is committed already; under the lock.

        Raises:
            InputError: there is no campaign with this id.
        """
        self._needs_lock()
        self.campaign(campaign)
        layout = self.layout.campaign(campaign)
        with self._guard:
            self.notes += recover_parts(layout, campaign, self.state, self._duckdb())
            fixed = read_fixed(self._duckdb(), layout)
        return CampaignWriter(
            self.layout,
            self.state,
            campaign,
            fixed,
            on_sealed=lambda hashed: self.set_state(campaign, "finished", sealed_sha256=hashed),
        )

    def set_state(
        self, campaign: int, state: State, error: str | None = None, sealed_sha256: str | None = None
    ) -> None:
        """Change a campaign's state, here and in campaign.json; `running` also notes this process."""
        self.state.set_state(campaign, state, error, sealed_sha256)
        self.describe_state(campaign)

    def set_waiting(self, campaign: int, reason: str | None) -> None:
        """Note why a running campaign waits for room on the disk, which every client shows as paused.

        Where there is no room for the note either, nothing is noted.

        Args:
            campaign: its id.
            reason: why it waits, in one sentence; None: it goes on.
        """
        with suppress(DiskFullError):
            self.state.set_error(campaign, reason)
        try:
            self.describe_state(campaign)
        except DiskFullError:
            give_up_reserve(self.layout.reserve)
            with suppress(DiskFullError):
                self.describe_state(campaign)

    def describe_state(self, campaign: int) -> None:
        """Bring a campaign's campaign.json up to date with state.sqlite.

        Raises:
            UnreachableError: it could not be written.
        """
        layout = self.layout.campaign(campaign)
        try:
            update_description(layout, lambda: self.state.campaign_row(campaign))
        except OSError as error:
            raise unwritable(layout.description, error) from None

    def rename(self, campaign: int, name: str) -> None:
        """Give a campaign another name; its config keeps the one that it was given with.

        Raises:
            InputError: there is no such campaign, or the name is empty.
            UnreachableError: it could not be written.
        """
        self.campaign(campaign)
        if not name.strip():
            raise InputError(f"campaign {campaign}: an empty name names nothing; give one")
        self.state.set_name(campaign, name.strip())
        layout = self.layout.campaign(campaign)
        try:
            rename_in_description(layout, lambda: self.state.campaign_row(campaign))
        except OSError as error:
            raise unwritable(layout.description, error) from None

    def note(self, campaign: int, notes: str) -> None:
        """Keep the user's own words about a campaign, in the place of earlier ones; empty: none.

        Raises:
            InputError: there is no such campaign.
            UnreachableError: it could not be written.
        """
        self.campaign(campaign)
        self.state.set_notes(campaign, notes.strip() or None)
        self.describe_state(campaign)

    def remove(self, campaign: int) -> None:
        """Delete a campaign that nobody runs, its files and what state.sqlite knows of it.

        Raises:
            UnreachableError: its files cannot be deleted; nothing has been.
        """
        folder = self.layout.campaign(campaign).folder
        # under this name the views do not see it, and the next process to take the lock deletes what is left of it
        aside = unfinished(folder)
        with exclusive(self.layout.root):
            try:
                if folder.exists():
                    folder.rename(aside)
            except OSError as error:
                raise unwritable(folder, error) from None
            self.state.remove_campaign(campaign)
        shutil.rmtree(aside, ignore_errors=True)

    def _prepare(self) -> None:
        """Make what is missing; safe in two processes at once."""
        layout = self.layout
        make_private_folder(layout.root)
        check_writable(layout.root)
        make_lock(layout.lock)
        make_lock(layout.worker_lock)
        make_private_folder(layout.campaigns)
        self.notes += filter(None, map(find_intruders, (layout.root, layout.campaigns)))
        is_new = not os.path.lexists(layout.state)
        if is_new:
            keep_reserve(layout.reserve)  # so that a disk which is full before the first run can be reported, too
        is_emptied = not is_busy(layout.root) and not is_new and layout.state.lstat().st_size == 0
        lost = layout.campaign_ids() and (is_new or is_emptied)
        if lost and self.holder():  # which still writes to the one that was deleted
            raise self._missing_state()
        key = catalogue_key(layout)
        with exclusive(layout.root):
            if not os.path.lexists(layout.state):
                for left in layout.state_logs:  # of a lost one, which would be taken for the new one's
                    remove(left)
            known = self.state.setting("catalogue"), self.state.setting("made_files")
            if known != (key, made_files_key(layout)):
                write_zero_rows(layout)
                write_catalogue(self._duckdb(), layout)
                self.state.set_setting("catalogue", key)
                self.state.set_setting("made_files", made_files_key(layout))
        if lost:
            with self.lock():
                self.notes.append(f"{layout.state}: it was lost and has been rebuilt from the campaigns")

    def _recover(self) -> None:
        with exclusive(self.layout.root):
            remove_unfinished(self.layout.campaigns)
            adopted = adopt_campaigns(self.layout, self.state)
            enter_filled(self.layout, self.state)
        for campaign in self.layout.campaign_ids():
            clear_unfinished(self.layout.campaign(campaign))
        for campaign in adopted:
            self.notes += recover_parts(self.layout.campaign(campaign), campaign, self.state, self._duckdb())
        self.queue.recover()
        for campaign in self.state.campaign_ids():  # a process may have died between the two places
            with suppress(UnreachableError):
                self.describe_state(campaign)

    def _needs_lock(self) -> None:
        if not self._locked:
            raise RuntimeError("take the store's lock first: `with store.lock():`")


def _row(number: int, new: NewCampaign) -> CampaignRow:
    """A campaign as it is made: paused, because whoever made it may die before it is queued or run."""
    return CampaignRow(
        id=number,
        fingerprint=new.fingerprint,
        name=new.name,
        network=new.network,
        dataset=new.dataset,
        select=new.select,
        metric=new.metric,
        method=new.method,
        goal=new.goal,
        faults=len(new.faults),
        drawn=new.drawn or len(new.faults),
        images=len(new.workload),
        state="paused",
        created=now(),
        error=not_queued(number),
    )
