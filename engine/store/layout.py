"""Where everything lies in a store."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from engine.errors import UnreachableError
from engine.paths import LONGEST_NAME_BYTES, NO_HOME, own_folder
from engine.store.schema import AUDIT, PART_TABLES

CAMPAIGN_DIGITS = PART_DIGITS = 6
LAST_CAMPAIGN = 10**CAMPAIGN_DIGITS - 1
"""the largest id that a folder's name has room for"""


LONGEST_BYTES = 480
"""of the path of a store: SQLite opens no file whose path has more than 504, its own name included"""

UNUSABLE = "?\\"
"""characters that DuckDB does not take as part of the path of a file"""


def store_path(given: Path | None = None) -> Path:
    """The store to use: the one given, else `DEAR_STORE`, else the platform's data directory.

    Raises:
        UnreachableError: no store can have this path, or none was given and there is no home; nothing has been made.
    """
    named = os.environ.get("DEAR_STORE")
    path = given or (Path(named) if named else own_folder(user_data_path))
    if path == NO_HOME:
        raise UnreachableError("there is no home folder to keep the store in; name another one with --store")
    _resolved(path)
    return path.expanduser()


def _resolved(path: Path) -> Path:
    """The one absolute path of a store, whatever links lead to it.

    Raises:
        UnreachableError: there is none, or no store can have it.
    """
    try:
        found = path.expanduser().resolve()
        found.exists()
    except RuntimeError:  # of pathlib
        why = "no user of that name has a home" if str(path).startswith("~") else "a link that leads to itself"
        raise _refused(path, why) from None
    except OSError as error:
        raise _refused(path, str(error.strerror)) from None
    encoded = os.fsencode(found)
    if encoded.decode(errors="ignore").encode() != encoded:
        raise _refused(path, "its path is not UTF-8")
    if any(len(name) > LONGEST_NAME_BYTES for name in encoded.split(b"/")):
        raise _refused(path, os.strerror(errno.ENAMETOOLONG))
    if len(encoded) > LONGEST_BYTES:
        raise _refused(path, f"its path has {len(encoded)} bytes, and may have {LONGEST_BYTES}")
    if bad := next((character for character in UNUSABLE if character in str(found)), None):
        raise _refused(path, f"its path has a {bad}, which DuckDB cannot read")
    return found


def _refused(path: Path, reason: str) -> UnreachableError:
    shown = os.fsencode(path).decode(errors="backslashreplace")
    return UnreachableError(f"{shown}: cannot be the store ({reason}); choose another with --store")


@dataclass(frozen=True)
class Layout:
    """The paths of one store."""

    root: Path
    """absolute, so that the views work from anywhere"""

    @classmethod
    def of(cls, path: Path) -> Layout:
        """The layout of the store at `path`, by the same absolute path whatever links lead to it.

        Raises:
            UnreachableError: no store can have this path.
        """
        return cls(_resolved(path))

    def check_is_there(self) -> None:
        """Whether there is a store, whole or not.

        Raises:
            UnreachableError: there is none, or it cannot be read.
        """
        try:
            is_there = self.state.exists() or self.campaigns.is_dir()
        except OSError as error:
            raise UnreachableError(
                f"{self.root}: cannot be read ({error.strerror}); ask its owner, or choose another with --store"
            ) from None
        if not is_there:
            raise UnreachableError(f"{self.root}: there is no store here; `dear-tui demo` or `dear-tui run` makes one")

    @property
    def catalogue(self) -> Path:
        """The DuckDB file whose views any client can read."""
        return self.root / "dear.duckdb"

    @property
    def state(self) -> Path:
        """The SQLite file: campaigns, queue, receipts."""
        return self.root / "state.sqlite"

    @property
    def state_logs(self) -> list[Path]:
        """SQLite's own files beside state.sqlite."""
        return [self.state.with_name(f"{self.state.name}-{kind}") for kind in ("wal", "shm")]

    @property
    def lock(self) -> Path:
        """The lock that whoever runs a campaign holds."""
        return self.root / "lock"

    @property
    def worker_lock(self) -> Path:
        """The lock of the one worker, which may be waiting for the store's lock."""
        return self.root / "worker.lock"

    @property
    def reserve(self) -> Path:
        """The room that is given up on a full disk."""
        return self.root / "reserve"

    @property
    def campaigns(self) -> Path:
        """The folder of the campaigns' folders."""
        return self.root / "campaigns"

    def campaign(self, campaign: int) -> CampaignLayout:
        """The paths of one campaign, which need not exist."""
        return CampaignLayout(self.campaigns / f"campaign={campaign:0{CAMPAIGN_DIGITS}d}")

    def campaign_ids(self) -> list[int]:
        """The campaigns on disk, ascending, without the one with the zero-row files, 0."""
        names = (re.fullmatch(r"campaign=(\d{6})", path.name) for path in self.campaigns.glob("campaign=*"))
        return sorted(int(name[1]) for name in names if name and int(name[1]) > 0)


@dataclass(frozen=True)
class CampaignLayout:
    """The paths of one campaign."""

    folder: Path

    @property
    def folders(self) -> list[Path]:
        """The campaign's own folder, then those of its parts."""
        return [self.folder, *(self.folder / table for table in (*PART_TABLES, AUDIT))]

    @property
    def description(self) -> Path:
        """What is fixed of the campaign, and its state."""
        return self.folder / "campaign.json"

    @property
    def faults(self) -> Path:
        """The list of faults."""
        return self.folder / "faults.parquet"

    @property
    def images(self) -> Path:
        """All images of the data set, with rank and metrics."""
        return self.folder / "images.parquet"

    @property
    def sites(self) -> Path:
        """Where faults change more than one bit; other campaigns have no such file."""
        return self.folder / "sites.parquet"

    @property
    def sealed(self) -> Path:
        """The DuckDB file of a finished campaign."""
        return self.folder / "campaign.duckdb"

    def part(self, table: str, number: int) -> Path:
        """The file of one table of one part."""
        return self.folder / table / f"part-{number:0{PART_DIGITS}d}.parquet"

    def parts(self, table: str) -> list[int]:
        """The numbers of the parts of one table that are on disk, ascending."""
        names = (re.fullmatch(r"part-(\d{6})\.parquet", path.name) for path in (self.folder / table).glob("part-*"))
        return sorted(int(name[1]) for name in names if name)
