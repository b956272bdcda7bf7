"""state.sqlite: what changes while campaigns run. All of it but the progress can be rebuilt from the campaigns."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DiskFullError, NewerStoreError, UnreachableError
from engine.severity import COUNTS
from engine.store.files import check_own, give_up_reserve, make_private
from engine.store.records import CampaignStatus, Receipt, Span
from engine.store.schema import AUDIT, AUDIT_COUNTS, FORMAT, MIGRATIONS, PART_TABLES
from engine.store.state.old_tables import shadow_old_tables

if TYPE_CHECKING:
    from collections.abc import Iterator


PATIENCE_SECONDS = 30
"""how long another process may write before that is an error"""
WAIT_MILLISECONDS = 100
"""how long SQLite itself waits for it, deaf to everything else"""

STATUS = f"""
SELECT id, name, state, network, dataset, "select", method, goal, faults, drawn, images,
    faults * images AS pairs,
    created, started, finished, error, notes, rate, eta_s, coalesce(progress.pairs_done, 0) AS progressed,
    {", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in (*COUNTS, *AUDIT_COUNTS))}
FROM campaigns LEFT JOIN progress ON progress.campaign = id LEFT JOIN receipts ON receipts.campaign = id
"""

STOP = "stop"
"""the command whose target is a worker's process id instead of a campaign"""

NO_PROCESS = 0
"""the target of one that was meant for a process that is dead"""


@dataclass(frozen=True)
class CampaignRow:
    """What the table `campaigns` keeps of one campaign; the same fields are in campaign.json."""

    id: int
    fingerprint: str
    name: str
    network: str
    dataset: str
    select: str
    metric: str
    method: str
    faults: int
    images: int
    state: str
    created: str
    started: str | None = None
    finished: str | None = None
    error: str | None = None
    goal: str = "severities"
    notes: str | None = None
    drawn: int | None = None
    """faults that were drawn; more than `faults` where it stopped before it had run all of them"""

    @property
    def shown_state(self) -> str:
        """The state that every client shows: a running campaign with an error waits for room on the disk, `paused`."""
        return "paused" if self.state == "running" and self.error is not None else self.state


def now() -> str:
    """This second in UTC, ISO 8601."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class StateFile:
    """One connection to state.sqlite, shared by the threads of a process."""

    def __init__(self, path: Path, read_only: bool = False) -> None:
        """Open the file, and make or migrate its tables unless `read_only`.

        Raises:
            UnreachableError: it is not SQLite, cannot be opened, or was made by a newer version.
        """
        self.path = path
        self._lock = threading.RLock()
        self._read_only = read_only
        self._shadowed = FORMAT
        for kind in ("", "-wal", "-shm", "-journal"):  # SQLite opens them by their names
            check_own(path.with_name(path.name + kind))
        with self._reported(), ExitStack() as opened:
            if read_only:
                # in a directory that cannot be written SQLite needs an index of the WAL that is there already, which a
                # killed writer leaves with its WAL; where there is no WAL, there is no writer
                wal = path.with_name(f"{path.name}-wal")
                has_wal = wal.exists() and wal.stat().st_size > 0
                options = "mode=ro" if has_wal or os.access(path.parent, os.W_OK) else "immutable=1"
                self._connection = self._connect(f"{Path(os.path.realpath(path)).as_uri()}?{options}", uri=True)
                opened.callback(self._connection.close)
                self._check_version()
            else:
                make_private(path)
                self._connection = self._connect(str(path))
                opened.callback(self._connection.close)
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._migrate()
            self._connection.execute(f"PRAGMA busy_timeout = {WAIT_MILLISECONDS}")
            file = path.stat()
            self._identity = (file.st_dev, file.st_ino)
            opened.pop_all()  # it is whole, and stays open

    def close(self) -> None:
        """Close the file; a thread that reads it is waited for."""
        with self._lock:
            self._connection.close()

    def is_in_place(self) -> bool:
        """Whether the open file is still the one that others find."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._identity

    @property
    def loss(self) -> str:
        """What to say where it is not in place any more."""
        return f"{self.path}: lost or replaced while it was in use; it is rebuilt from the campaigns"

    def has_tables(self) -> bool:
        """Whether the tables have been made."""
        return self._check_version() > 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is there at once, for every process, or not at all."""
        with self._lock:
            self._rows("BEGIN IMMEDIATE")
            try:
                yield
                self._rows("COMMIT")
            except BaseException as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, DiskFullError):
                    self._make_room()  # for the next attempt
                raise

    def setting(self, key: str) -> str | None:
        """A value that was kept under a key; None where there is none."""
        row = self._row("SELECT value FROM meta WHERE key = ?", key)
        return None if row is None else str(row["value"])

    def set_setting(self, key: str, value: str) -> None:
        """Keep a value under a key."""
        self._rows("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    def add_campaign(self, row: CampaignRow, sealed_sha256: str | None = None) -> None:
        """Add a campaign's row; of a finished one the SHA-256 of its sealed file, too."""
        columns = vars(row) | {"sealed_sha256": sealed_sha256}
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        self._rows(f"INSERT INTO campaigns ({names}) VALUES ({marks})", *columns.values())

    def replace_campaign(self, row: CampaignRow) -> None:
        """Write a campaign's row again; its place in the queue and its results stay."""
        names = ", ".join(f'"{name}" = ?' for name in vars(row))
        self._rows(f"UPDATE campaigns SET {names} WHERE id = ?", *vars(row).values(), row.id)

    def campaign_row(self, campaign: int) -> CampaignRow:
        """One campaign.

        Raises:
            KeyError: there is none with this id.
        """
        row = self._row("SELECT * FROM campaigns WHERE id = ?", campaign)
        if row is None:
            raise KeyError(campaign)
        return CampaignRow(**{name: row[name] for name in CampaignRow.__dataclass_fields__})

    def remove_campaign(self, campaign: int) -> None:
        """Delete all rows of a campaign."""
        with self.transaction():
            for table in ("receipts", "progress", "deaths"):
                self._rows(f"DELETE FROM {table} WHERE campaign = ?", campaign)
            self._rows("DELETE FROM campaigns WHERE id = ?", campaign)

    def sealed_sha256(self, campaign: int) -> str | None:
        """Hash of the campaign's sealed file."""
        row = self._row("SELECT sealed_sha256 FROM campaigns WHERE id = ?", campaign)
        return None if row is None else row["sealed_sha256"]

    def campaign_ids(self, fingerprint: str | None = None) -> list[int]:
        """Ids, newest first; of one fingerprint if given."""
        rows = self._rows("SELECT id FROM campaigns WHERE ?1 IS NULL OR fingerprint = ?1 ORDER BY id DESC", fingerprint)
        return [row["id"] for row in rows]

    def statuses(self, is_locked: bool, campaign: int | None = None) -> list[CampaignStatus]:
        """Statuses, newest first; of one campaign if given.

        Args:
            is_locked: whether a process holds the store's lock; otherwise nothing runs, whatever was written last.
            campaign: its id.
        """
        rows = self._rows(f"{STATUS} WHERE ?1 IS NULL OR id = ?1 GROUP BY id ORDER BY id DESC", campaign)
        return [_status(row, is_locked) for row in rows]

    def set_state(self, campaign: int, state: str, error: str | None, sealed_sha256: str | None = None) -> None:
        """Change the state; the first `running` is the start, `finished` the end.

        A campaign that was taken from the queue has its place there as long as it is queued, running or paused; one
        that was paused and is run by somebody else than the worker is not from the queue any more.
        """
        time = now()
        self._rows(
            "UPDATE campaigns SET state = ?1, error = ?2, sealed_sha256 = ?4,"
            " started = iif(?1 = 'running', coalesce(started, ?3), started),"
            " finished = iif(?1 = 'finished', ?3, NULL),"
            " position = iif(?1 IN ('queued', 'paused') OR (?1 = 'running' AND state IN ('queued', 'running')),"
            " position, NULL) WHERE id = ?5",
            *(state, error, time, sealed_sha256, campaign),
        )
        if state == "running":
            self.set_progress(campaign, 0, None, None)

    def set_name(self, campaign: int, name: str) -> None:
        """Give a campaign another name."""
        self._rows("UPDATE campaigns SET name = ? WHERE id = ?", name, campaign)

    def set_notes(self, campaign: int, notes: str | None) -> None:
        """Keep the user's own words about a campaign; None: there are none."""
        self._rows("UPDATE campaigns SET notes = ? WHERE id = ?", notes, campaign)

    def set_error(self, campaign: int, error: str | None) -> None:
        """Say why a running campaign waits, or that it goes on."""
        self._rows("UPDATE campaigns SET error = ? WHERE id = ?", error, campaign)

    def set_progress(self, campaign: int, pairs_done: int, rate: float | None, eta_s: float | None) -> None:
        """Note how far a running campaign is, and that it is alive."""
        self._note(
            "INSERT OR REPLACE INTO progress (campaign, pairs_done, rate, eta_s) VALUES (?, ?, ?, ?)",
            *(campaign, pairs_done, rate, eta_s),
        )

    def waiting(self) -> list[int]:
        """The queued campaigns, first to run first."""
        rows = self._rows(
            "SELECT id FROM campaigns WHERE state = 'queued' AND position IS NOT NULL ORDER BY position, id"
        )
        return [row["id"] for row in rows]

    def queued_by_nobody(self) -> list[int]:
        """The campaigns that are queued without a place in the queue, as an earlier version left them."""
        return [row["id"] for row in self._rows("SELECT id FROM campaigns WHERE state = 'queued' AND position IS NULL")]

    def running(self) -> dict[int, bool]:
        """Campaign -> whether it came from the queue, of those whose state is "running", whoever lives."""
        rows = self._rows("SELECT id, position IS NOT NULL AS from_queue FROM campaigns WHERE state = 'running'")
        return {row["id"]: bool(row["from_queue"]) for row in rows}

    def set_position(self, campaign: int, position: int) -> None:
        """Give a campaign this place in the queue."""
        self._rows("UPDATE campaigns SET position = ? WHERE id = ?", position, campaign)

    def put_first(self, campaign: int) -> None:
        """Give a campaign the place before all that are queued."""
        first = "SELECT min(position) - 1 FROM campaigns WHERE state = 'queued'"
        self._rows(f"UPDATE campaigns SET position = coalesce(({first}), 1) WHERE id = ?", campaign)

    def put_last(self, campaign: int) -> None:
        """Give a campaign the last place of the queue; one that has a place keeps it."""
        last = "SELECT coalesce(max(position), 0) + 1 FROM campaigns"
        self._rows(f"UPDATE campaigns SET position = coalesce(position, ({last})) WHERE id = ?", campaign)

    def add_command(self, action: str, target: int) -> None:
        """Note what is asked of a campaign, or for `STOP` of a process."""
        self._rows("INSERT INTO commands (action, target) VALUES (?, ?)", action, target)

    def commands(self) -> dict[int, set[str]]:
        """Campaign -> what is asked of it."""
        asked: dict[int, set[str]] = {}
        for row in self._rows("SELECT action, target FROM commands WHERE action <> ?", STOP):
            asked.setdefault(row["target"], set()).add(row["action"])
        return asked

    def remove_commands(self, campaign: int, action: str | None = None) -> bool:
        """Forget what is asked of a campaign, or only this action; returns whether there was anything."""
        query = "DELETE FROM commands WHERE target = ?1 AND action <> ?2 AND (?3 IS NULL OR action = ?3) RETURNING id"
        return bool(self._rows(query, campaign, STOP, action))

    def stops(self) -> list[int]:
        """The processes that were asked to end, once for each time."""
        return [row["target"] for row in self._rows("SELECT target FROM commands WHERE action = ?", STOP)]

    def remove_stops(self, pid: int) -> None:
        """Forget that a process was asked to end."""
        self._rows("DELETE FROM commands WHERE action = ? AND target = ?", STOP, pid)

    def disown_stops(self, pid: int) -> None:
        """What was asked of a process with this id was meant for another one, which is dead."""
        self._rows("UPDATE commands SET target = ? WHERE action = ? AND target = ?", NO_PROCESS, STOP, pid)

    def deaths(self, campaign: int) -> int:
        """How often the process that ran a campaign died since its last part was committed."""
        parts = "SELECT count(*) FROM receipts WHERE campaign = ?1"
        row = self._row(f"SELECT count FROM deaths WHERE campaign = ?1 AND parts = ({parts})", campaign)
        return 0 if row is None else int(row["count"])

    def set_deaths(self, campaign: int, deaths: int) -> None:
        """Keep that number, with how many parts there are; 0 forgets it."""
        if not deaths:
            self._rows("DELETE FROM deaths WHERE campaign = ?", campaign)
            return
        parts = "SELECT count(*) FROM receipts WHERE campaign = ?1"
        self._rows(
            f"INSERT OR REPLACE INTO deaths (campaign, parts, count) VALUES (?1, ({parts}), ?2)", campaign, deaths
        )

    def set_worker(self, **columns: object) -> None:
        """Write the one row of the table `worker`."""
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        self._note(f"INSERT OR REPLACE INTO worker (id, {names}) VALUES (1, {marks})", *columns.values())

    def worker(self) -> sqlite3.Row | None:
        """The one row of the table `worker`; None before the first worker."""
        return self._row("SELECT * FROM worker")

    def receipts(self, campaign: int) -> list[Receipt]:
        """The committed part sets, by number."""
        rows = self._rows("SELECT * FROM receipts WHERE campaign = ? ORDER BY part", campaign)
        return [_receipt(row) for row in rows]

    def add_receipt(self, campaign: int, receipt: Receipt) -> None:
        """Keep what is known of a committed part set."""
        columns: dict[str, object] = {"campaign": campaign, "part": receipt.part, **vars(receipt.span)}
        columns |= {name: getattr(receipt, name) for name in (*COUNTS, *AUDIT_COUNTS)}
        columns |= {f"{table}_sha256": hashed for table, hashed in receipt.sha256.items()}
        columns |= {"seconds": receipt.seconds, "rebuilt": int(receipt.rebuilt), "engine": receipt.engine}
        columns |= {"statistics": json.dumps(dict(receipt.statistics)) if receipt.statistics else None}
        marks = ", ".join("?" * len(columns))
        self._rows(f"INSERT INTO receipts ({', '.join(columns)}) VALUES ({marks})", *columns.values())

    def remove_receipt(self, campaign: int, part: int) -> None:
        """Delete the receipt of a part."""
        self._rows("DELETE FROM receipts WHERE campaign = ? AND part = ?", campaign, part)

    def _connect(self, database: str, uri: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(
            database, uri=uri, isolation_level=None, check_same_thread=False, timeout=PATIENCE_SECONDS
        )
        connection.row_factory = sqlite3.Row
        return connection

    def _check_version(self) -> int:
        """The format of the file; of an older one that may not be written, what it lacks is made up beside it.

        Raises:
            NewerStoreError: it is newer than this program.
        """
        version: int = self._rows("PRAGMA user_version")[0][0]
        if version > FORMAT:
            raise NewerStoreError(f"{self.path}: made by a newer version of dear-tui; update this one to use the store")
        if self._read_only and version not in (0, self._shadowed):
            with self._lock, self._reported():
                shadow_old_tables(self._connection, version)
            self._shadowed = version
        return version

    def _migrate(self) -> None:
        for version, step in enumerate(MIGRATIONS):
            if version >= self._check_version():
                self._connection.executescript(f"BEGIN; {step} PRAGMA user_version = {version + 1}; COMMIT;")

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """The rows of one statement.

        Raises:
            DiskFullError: there is no room to write.
            UnreachableError: the file cannot be used.
        """
        with self._lock, self._reported():
            is_part = self._connection.in_transaction  # before: on a full disk SQLite may end it by itself
            try:
                return self._executed(query, values)
            except sqlite3.OperationalError as error:
                if not _is_full(error) or is_part:
                    raise
                self._make_room()
                return self._executed(query, values)

    def _note(self, query: str, *values: object) -> None:
        """Write what is soon written anew: on a full disk it gives way, and leaves the reserve for what must be said.

        Raises:
            DiskFullError: there is no room to write.
            UnreachableError: the file cannot be used.
        """
        with self._lock, self._reported():
            self._executed(query, values)

    def _executed(self, query: str, values: tuple[object, ...]) -> list[sqlite3.Row]:
        """The rows of one statement, once no other process writes; between two attempts Python heeds ctrl+c."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # in the upper bits is why
                if not is_busy or time.monotonic() > deadline:
                    raise

    def _make_room(self) -> None:
        """On a full disk: with the reserve's room the log can be merged into the file, which frees the log's own."""
        give_up_reserve(self.path.with_name("reserve"))
        with suppress(sqlite3.OperationalError):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _row(self, query: str, *values: object) -> sqlite3.Row | None:
        return next(iter(self._rows(query, *values)), None)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if _is_full(error):
                raise DiskFullError(f"{self.path}: cannot be written ({error}); free some space") from None
            mend = "check the file, or move it away: it is rebuilt"
            raise UnreachableError(f"{self.path}: cannot be used ({error}); {mend}") from None


def _is_full(error: Exception) -> bool:
    """Whether there was no room to write, or for the index of the log, which readers need too."""
    return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)


def _status(row: sqlite3.Row, is_locked: bool) -> CampaignStatus:
    committed = sum(row[name] for name in COUNTS)
    # one that has an error waits for room, see `shown_state`
    running = row["state"] == "running" and is_locked and row["error"] is None
    computed = {"state", "pairs_done", "rate", "eta_s"}
    return CampaignStatus(
        **{name: row[name] for name in CampaignStatus.__dataclass_fields__.keys() - computed},
        state="paused" if row["state"] == "running" and not running else row["state"],
        pairs_done=max(committed, row["progressed"]) if running else committed,
        rate=row["rate"] if running else None,
        eta_s=row["eta_s"] if running else None,
    )


def _receipt(row: sqlite3.Row) -> Receipt:
    hashes = {table: row[f"{table}_sha256"] for table in (*PART_TABLES, AUDIT)}
    return Receipt(
        part=row["part"],
        span=Span(row["rank_start"], row["rank_stop"], row["fault_start"], row["fault_stop"]),
        sha256={table: hashed for table, hashed in hashes.items() if hashed is not None},
        seconds=row["seconds"],
        rebuilt=bool(row["rebuilt"]),
        engine=row["engine"],
        statistics=_statistics(row["statistics"]),
        **{name: row[name] for name in (*COUNTS, *AUDIT_COUNTS)},
    )


def _statistics(text: str | None) -> dict[str, Any]:
    """What the method measured of itself; nothing where it was damaged, for the results do not depend on it."""
    with suppress(ValueError):
        found = json.loads(text or "{}")
        if isinstance(found, dict):
            return found
    return {}
