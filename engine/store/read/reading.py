"""What every client may ask of a store, also of one that it cannot write to."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar

import duckdb
import numpy as np

from engine.analysis.accuracy_cost import CRITICAL, CRITICAL_RIGHT, NONFINITE
from engine.errors import InputError, UnreachableError
from engine.store.description import is_damaged, read_description
from engine.store.files import is_busy
from engine.store.layout import LAST_CAMPAIGN, Layout
from engine.store.parquet import connect, read_arrays, sql_text
from engine.store.read.audit import read_audit
from engine.store.read.confusion import read_confusion
from engine.store.read.curve import CurveReader
from engine.store.read.fault_results import (
    PAIR_FIELDS,
    choose_faults,
    population_of_strata,
    read_critical_images,
    read_faults,
    read_findings,
    read_flips,
    read_rates,
)
from engine.store.read.fault_totals import FaultTotals
from engine.store.read.image_counts import ImageCountsReader
from engine.store.read.image_results import read_images, read_mistakes
from engine.store.read.layer_progress import LayerReader
from engine.store.read.pairs import read_severity
from engine.store.read.summary import read_critical_faults, read_outcome, read_summary, read_table_one
from engine.store.records import FOUND_DAMAGE
from engine.store.sql.catalogue import create_views
from engine.store.state.commands import RULES, Action
from engine.store.state.heartbeat import WorkerStatus, read_worker
from engine.store.state.lock import expected, holder
from engine.store.state.state import StateFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

    from engine.analysis.accuracy_cost import Effect
    from engine.analysis.audit import AuditResults
    from engine.analysis.tables import TableOneRow
    from engine.conditions import Condition
    from engine.faults.group import FaultGroup
    from engine.store.layout import CampaignLayout
    from engine.store.read.confusion import Confusion
    from engine.store.read.fault_results import CriticalImages, FaultFindings, FaultOrder, FaultRates, FaultRows
    from engine.store.read.image_results import ImageOrder, ImageRows, Mistakes
    from engine.store.records import (
        CampaignStatus,
        CampaignSummary,
        CurveData,
        ImageCounts,
        LayerProgress,
        Outcome,
        Receipt,
    )
    from engine.store.state.lock import Holder
    from engine.store.state.state import CampaignRow

Reader = TypeVar("Reader")


class StoreReader:
    """A folder of campaigns, to be looked at while any process writes to it."""

    def __init__(self, path: Path, read_only: bool) -> None:
        self.layout = Layout.of(path)
        self._read_only = read_only
        self._state: StateFile | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._has_views = False
        self._curves: dict[int, CurveReader] = {}
        self._image_counts: dict[int, ImageCountsReader] = {}
        self._layers: dict[int, LayerReader] = {}
        self._totals: dict[int, FaultTotals] = {}
        self._faults: dict[int, int] = {}
        """of each campaign, when these four were made"""
        self._guard = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files, for good; a connection that another thread still asks is left to that one."""
        if self._state is not None:
            self._state.close()
        if self._connection is not None:
            with suppress(duckdb.Error):
                self._connection.close()

    def _forget(self) -> None:
        """Begin anew, with nothing that is known of the campaigns: in another store their ids mean other ones."""
        self.close()
        self._state, self._connection, self._has_views = None, None, False
        for kept in (self._curves, self._image_counts, self._layers, self._totals, self._faults):
            kept.clear()

    @property
    def state(self) -> StateFile:
        """state.sqlite.

        Raises:
            UnreachableError: there is no store here.
        """
        with self._guard:
            if self._read_only and self._state is not None and not self._state.is_in_place():
                self._forget()  # whoever only looks must not go on looking at one that was deleted
            if self._state is None:
                self._state = StateFile(self.layout.state, self._read_only)
            return self._state

    def campaigns(self) -> list[CampaignStatus]:
        """Every campaign, newest first."""
        return self.state.statuses(self.holder() is not None) if self._is_there() else []

    def campaign(self, campaign: int) -> CampaignStatus:
        """One campaign.

        Raises:
            InputError: there is none with this id.
        """
        can_be = campaign <= LAST_CAMPAIGN and self._is_there()
        found = self.state.statuses(self.holder() is not None, campaign) if can_be else []
        if not found:
            raise InputError(
                f"{self.layout.root}: there is no campaign {campaign}; `dear-tui list` shows which there are"
            )
        return found[0]

    def find(self, fingerprint: str) -> CampaignStatus | None:
        """The newest campaign with this fingerprint; one that is damaged comes before one that is not.

        Of several, made by --again, running the config would otherwise never mend any but the newest.
        """
        found = self.state.campaign_ids(fingerprint) if self._is_there() else []
        damaged = filter(self._is_to_be_mended, found if len(found) > 1 else ())
        chosen = next(damaged, found[0] if found else None)
        return None if chosen is None else self.campaign(chosen)

    def _is_to_be_mended(self, campaign: int) -> bool:
        row = self.state.campaign_row(campaign)
        try:
            found_damage = (row.error or "").startswith(FOUND_DAMAGE)
            return found_damage or is_damaged(read_description(self.layout.campaign(campaign)), row)
        except (OSError, ValueError):
            return True

    def curve(self, campaign: int) -> CurveData:
        """The detection curve so far, from summaries only; a part is read once.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: a file of it is damaged.
        """
        with self._reading(campaign):
            reader = self._reader(self._curves, campaign, CurveReader)
            return reader.read(self.state.receipts(campaign), self._duckdb())

    def image_counts(self, campaign: int) -> ImageCounts:
        """What each image shows so far, from summaries only; a part is read once.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: a file of it is damaged.
        """
        with self._reading(campaign):
            reader = self._reader(self._image_counts, campaign, ImageCountsReader)
            return reader.read(self.state.receipts(campaign), self._duckdb())

    def layers(self, campaign: int) -> list[LayerProgress]:
        """How far each layer is, in the order of execution, and what was found in it.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: a file of it is damaged.
        """
        with self._reading(campaign):
            self.curve(campaign)
            if campaign not in self._layers:
                self._layers[campaign] = LayerReader(self.layout.campaign(campaign), self._duckdb())
            receipts, images = self.state.receipts(campaign), self.state.campaign_row(campaign).images
            return self._layers[campaign].read(receipts, images, self._curves[campaign].first_critical)

    def summary(self, campaign: int) -> CampaignSummary:
        """Per-fault and per-image sums and the critical pairs, of the committed parts.

        Raises:
            InputError: there is no campaign with this id.
        """
        status, population = self.campaign(campaign), population_of_strata(self.description(campaign))
        with self._reading(campaign):
            metric, receipts = self.state.campaign_row(campaign).metric, self.state.receipts(campaign)
            totals, layout = self.fault_totals(campaign), self.layout.campaign(campaign)
            return read_summary(status, metric, layout, receipts, totals, population, self._duckdb(views=True))

    def summary_so_far(self, campaign: int) -> CampaignSummary:
        """Sum a campaign up over the images from the first rank on for which all faults are known.

        While a campaign runs in waves, it is of the faults of the waves that are done.

        Raises:
            InputError: there is no campaign with this id, or no such image yet.
        """
        status = self.campaign(campaign)
        if status.state == "finished":
            return self.summary(campaign)
        curve, population = self.curve(campaign), population_of_strata(self.description(campaign))
        if not len(curve.critical):
            raise InputError(
                f"campaign {campaign}: is {status.state}, and no image has met all faults yet; run it first"
            )
        with self._reading(campaign):
            metric, receipts = self.state.campaign_row(campaign).metric, self.state.receipts(campaign)
            totals, layout = self.fault_totals(campaign), self.layout.campaign(campaign)
            images = len(curve.critical)
            known = [
                each for each in receipts if each.span.rank_stop <= images and each.span.fault_stop <= curve.faults
            ]
            whole = read_summary(status, metric, layout, known, totals, population, self._duckdb(views=True))
        return whole.of_first(len(curve.critical))

    def fault_totals(self, campaign: int) -> FaultTotals:
        """What each fault has shown so far; a part is read once.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: a file of it is damaged.
        """
        with self._reading(campaign):
            totals = self._reader(self._totals, campaign, FaultTotals)
            totals.read(self.state.receipts(campaign), self._duckdb())
            return totals

    def faults(self, campaign: int, group: FaultGroup, order: FaultOrder) -> FaultRows:
        """The faults of a group, the first `MOST_ROWS` in this order.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: a file of it is damaged.
        """
        description = self.description(campaign)
        with self._reading(campaign):
            totals, receipts = self.fault_totals(campaign), self.state.receipts(campaign)
            flips = None if group.image_id is None else read_flips(self.read, campaign, group.image_id)
            if not PAIR_FIELDS.isdisjoint(condition.field.name for condition in group.having):
                totals.read_pairs(receipts, self._duckdb())
            if group.fault_id is None:
                chosen, total = choose_faults(totals, description, group, order, flips)
            else:
                chosen, total = np.array([group.fault_id]), None
            rows = read_faults(self._duckdb(), self.layout.campaign(campaign), receipts, chosen, total, totals)
            return rows if flips is None else rows.with_flips(flips)

    def confusion(self, campaign: int, group: FaultGroup) -> Confusion:
        """What the critical pairs of a group's faults take images for.

        Raises:
            UnreachableError: a file that it needs is damaged.
        """
        return read_confusion(self.read, campaign, group)

    def receipts(self, campaign: int) -> list[Receipt]:
        """The committed parts of a campaign."""
        with self._guard:
            return list(self.state.receipts(campaign))

    def severities(self, campaign: int, receipt: Receipt) -> NDArray[np.uint8]:
        """The severities of a committed part, [faults, images] in execution order and rank order.

        Raises:
            UnreachableError: the part is not what was committed.
        """
        try:
            with self._guard:
                return read_severity(self._duckdb(), self.layout.campaign(campaign), receipt)
        except (ValueError, OSError, duckdb.Error) as error:
            raise UnreachableError(str(error)) from None

    def critical_fault_ids(self, campaign: int) -> NDArray[np.uint32]:
        """The ids of the n faults found critical so far, [n] in any order, from the committed parts.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: a file of it is damaged.
        """
        self.campaign(campaign)
        with self._reading(campaign):
            return read_critical_faults(self.layout.campaign(campaign), self.state.receipts(campaign), self._duckdb())

    def table_one(self, campaign: int) -> TableOneRow:
        """Table I of a finished campaign.

        Raises:
            InputError: there is no campaign with this id.
        """
        self.campaign(campaign)
        with self._reading(campaign):
            return read_table_one(self.layout.campaign(campaign), self.state.receipts(campaign), self._duckdb())

    def outcome(self, campaign: int) -> Outcome:
        """What a finished campaign comes to, without all that a summary needs.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: a file of it is damaged.
        """
        self.campaign(campaign)
        with self._reading(campaign):
            return read_outcome(self.layout.campaign(campaign), self.state.receipts(campaign), self._duckdb())

    def audit(self, campaign: int) -> AuditResults | None:
        """What the screened pairs of a campaign hide at most; None where none were screened.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: a file of it is damaged.
        """
        status = self.campaign(campaign)
        with self._reading(campaign):
            if not status.screened and not status.audited:
                return None
            return read_audit(status, self.fault_totals(campaign), self._duckdb(views=True))

    def description(self, campaign: int) -> dict[str, Any]:
        """All that is fixed of a campaign: its config as given, its numerics, layers and population.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: its campaign.json cannot be read.
        """
        self.campaign(campaign)
        path = self.layout.campaign(campaign).description
        try:
            content = read_description(self.layout.campaign(campaign))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise UnreachableError(f"{path}: cannot be read ({reason}); `dear-tui run` writes it again") from None
        if is_damaged(content, self.state.campaign_row(campaign)):
            raise UnreachableError(f"{path}: damaged; submit the campaign's config again, which writes it again")
        return content

    def rates(self, campaign: int, effect: Effect = CRITICAL) -> FaultRates:
        """Faults and pairs by layer and bit, and the faults that have an effect.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: a file of it is damaged.
        """
        description = self.description(campaign)
        with self._reading(campaign):
            totals = self.fault_totals(campaign)
            if effect in (CRITICAL_RIGHT, NONFINITE):
                totals.read_pairs(self.state.receipts(campaign), self._duckdb())
            return read_rates(totals, description, effect)

    def findings(self, campaign: int) -> FaultFindings:
        """How many faults are critical so far and how many lower the accuracy, with their shares of the population.

        See `_glance` for what is kept.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: a file of it is damaged.
        """
        status, description = self.campaign(campaign), self.description(campaign)
        with self._reading(campaign):
            return read_findings(self._glance(status), description, status.dropped)

    def rates_at_a_glance(self, campaign: int) -> FaultRates:
        """The same as `rates`; see `_glance` for what is kept.

        Raises:
            InputError: there is no campaign with this id.
            UnreachableError: a file of it is damaged.
        """
        status, description = self.campaign(campaign), self.description(campaign)
        with self._reading(campaign):
            return read_rates(self._glance(status), description)

    def _glance(self, status: CampaignStatus) -> FaultTotals:
        """What each fault has shown so far; use it under the guard.

        Only of a campaign that runs is it kept, so that a list of hundreds does not fill the memory.
        """
        if status.state == "running" or status.id in self._totals:
            return self.fault_totals(status.id)
        totals = self._reader({}, status.id, FaultTotals)
        totals.read(self.state.receipts(status.id), self._duckdb())
        return totals

    def critical_images(self, campaign: int, fault_id: int) -> CriticalImages:
        """The images that a fault is critical for."""
        return read_critical_images(self.read, campaign, fault_id)

    def fault_ids(self, campaign: int, layers: Sequence[str], bits: Sequence[int]) -> NDArray[np.uint32]:
        """The ids of the n faults of some layers, and of some bits or, where none is named, of all, [n] in any order.

        Raises:
            UnreachableError: a file that it needs is damaged.
        """
        names = ", ".join(map(sql_text, layers))
        of_bits = f" AND bit IN ({', '.join(map(str, bits))})" if bits else ""
        query = f"SELECT fault_id FROM faults WHERE campaign = {campaign} AND layer IN ({names}){of_bits}"
        return self.read(query)["fault_id"]

    def fault_places(self, campaign: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The index of the layer of each fault, and its bit, [F] each by ascending id.

        Raises:
            UnreachableError: a file that it needs is damaged.
        """
        rows = self.read(
            f"SELECT layer_index::BIGINT AS layer, bit::BIGINT AS bit FROM faults WHERE campaign = {campaign} "
            "ORDER BY fault_id"
        )
        return rows["layer"], rows["bit"]

    def fault_ids_of(self, campaign: int) -> NDArray[np.uint32]:
        """The ids of all faults, [F] ascending.

        Raises:
            UnreachableError: a file that it needs is damaged.
        """
        return self.read(f"SELECT fault_id FROM faults WHERE campaign = {campaign} ORDER BY fault_id")["fault_id"]

    def faults_in_both(self, campaign: int, other: int) -> NDArray[np.uint32]:
        """The ids of the n faults of a campaign that another one has, too, [n]: the same change of the same weight.

        Raises:
            UnreachableError: a file that it needs is damaged.
        """
        same = " AND ".join(f"faults.{name} = others.{name}" for name in ("layer", "weight_index", "bit", "model"))
        rows = self.read(
            f"SELECT fault_id FROM faults WHERE campaign = {campaign} AND EXISTS (FROM faults AS others "
            f"WHERE others.campaign = {other} AND {same})"
        )
        return rows["fault_id"]

    def images(self, campaign: int, order: ImageOrder, having: tuple[Condition, ...] = ()) -> ImageRows:
        """The images of a campaign's workload, or those that meet conditions."""
        return read_images(self.read, campaign, order, having)

    def mistakes(self, campaign: int, image_id: int) -> Mistakes:
        """What an image is taken for under the faults that are critical for it."""
        return read_mistakes(self.read, campaign, image_id)

    def read(self, query: str) -> dict[str, NDArray[Any]]:
        """Run one of the engine's own queries over the views: its columns, name -> [rows].

        Raises:
            UnreachableError: a file that it needs is damaged.
        """
        with self._reading():
            return read_arrays(self._duckdb(views=True), query)

    def holder(self) -> Holder | None:
        """The process that has the lock now."""
        return holder(self.layout.lock)

    def expects_holder(self) -> bool:
        """Whether a process in the foreground has left the free lock for a moment only."""
        return expected(self.layout.lock)

    def orders(self) -> dict[int, Action]:
        """Running campaign -> the strongest of what is asked of it and not obeyed yet."""
        asked = self.state.commands().items()
        strongest = {campaign: next((each for each in RULES if each in actions), None) for campaign, actions in asked}
        return {campaign: action for campaign, action in strongest.items() if action is not None}

    def worker(self) -> WorkerStatus:
        """The worker, if one runs."""
        if not self._is_there():
            return WorkerStatus(running=False)
        return read_worker(self.state, holder(self.layout.worker_lock), self.holder())

    def _reader(
        self,
        kept: dict[int, Reader],
        campaign: int,
        make: Callable[[CampaignLayout, CampaignRow, duckdb.DuckDBPyConnection], Reader],
    ) -> Reader:
        """A campaign's own reader, made when it is first needed; use it under the guard.

        Raises:
            InputError: there is no campaign with this id.
        """
        faults = self.campaign(campaign).faults
        if self._faults.setdefault(campaign, faults) != faults:  # it has stopped early
            for known in (self._curves, self._image_counts, self._layers, self._totals):
                known.pop(campaign, None)
            self._faults[campaign] = faults
        if campaign not in kept:
            kept[campaign] = make(self.layout.campaign(campaign), self.state.campaign_row(campaign), self._duckdb())
        return kept[campaign]

    @contextmanager
    def _reading(self, campaign: int | None = None) -> Iterator[None]:
        """Have the guard, and say in a sentence that a file is damaged, of this campaign if it is known.

        Raises:
            UnreachableError: one is.
        """
        try:
            with self._guard:
                yield
        except (duckdb.Error, OSError, ValueError, IndexError) as error:
            reason = " ".join(str(error).split("\n\n")[0].split()).rstrip(".")
            if isinstance(error, OSError):
                reason = f"{error.filename}: {error.strerror}"
            verify = "dear-tui verify" if campaign is None else f"dear-tui verify {campaign}"
            raise UnreachableError(
                f"{self.layout.root}: what was found cannot be read ({reason}); `{verify}` sets aside what is damaged"
            ) from None

    def _check_readable(self) -> None:
        if not self.layout.root.exists():
            return
        names = {path.name for path in self.layout.root.iterdir()}
        if self.layout.state.name not in names and self.layout.campaign_ids():
            raise self._missing_state()
        if self.layout.state.name in names and not os.access(self.layout.state, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def _missing_state(self) -> UnreachableError:
        at_work = self.holder()
        mend = (
            f"process {at_work.pid}, which is at work in this store, rebuilds it after the part being computed"
            if at_work
            else "the next `dear-tui run` or `dear-tui worker start` in this store rebuilds it"
        )
        return UnreachableError(f"{self.layout.state}: missing; {mend}")

    def _is_there(self) -> bool:
        """Whether the store has its tables: a read-only one may be opened before the writer has made them.

        Raises:
            UnreachableError: it cannot be read any more: it was closed to this user, or something else is in its place.
        """
        try:
            return self._has_tables()
        except OSError as error:
            raise UnreachableError(
                f"{self.layout.root}: cannot be read ({error.strerror}); ask its owner, or put the folder back"
            ) from None

    def _has_tables(self) -> bool:
        if self._read_only and not os.path.lexists(self.layout.state):
            self._check_readable()
            return False
        is_being_made = is_busy(self.layout.root)  # looked at first: whoever makes it has its tables there afterwards
        if self.state.has_tables():
            return True
        if self._read_only and not is_being_made and self.layout.campaign_ids():
            raise self._missing_state()
        return False

    def _duckdb(self, views: bool = False) -> duckdb.DuckDBPyConnection:
        """This store's own connection, with its views if asked for; use it under the guard."""
        if self._connection is None:
            self._connection = connect(threads=1)
        if views and not self._has_views:
            create_views(self._connection, self.layout)
            self._has_views = True
        return self._connection
