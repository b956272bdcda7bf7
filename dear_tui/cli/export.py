"""`dear-tui export`: a campaign as files of its own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from dear_tui.cli.options import CampaignArgument, StoreOption
from dear_tui.cli.printing.say import say, tell
from engine.errors import InputError
from engine.paths import exists, is_folder
from engine.units import byte_count, percent

if TYPE_CHECKING:
    from engine.store import CampaignStatus, Store


class ExportFormat(StrEnum):
    """How a campaign is written."""

    DUCKDB = "duckdb"
    PARQUET = "parquet"
    CSV = "csv"


def export(
    campaign: CampaignArgument,
    format: Annotated[
        ExportFormat,
        typer.Option("--format", help="duckdb: one file; parquet, csv: a folder with a file for each view."),
    ] = ExportFormat.DUCKDB,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="[default: campaign-ID.duckdb, or the folder campaign-ID, here]", show_default=False
        ),
    ] = None,
    view: Annotated[
        list[str] | None,
        typer.Option("--view", metavar="VIEW", help="Only this view; may be given several times. [default: all]"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
    store: StoreOption = None,
) -> None:
    """Write a campaign to files of its own, and print where.

    They need nothing else of the store. DuckDB is for finished campaigns; Parquet and CSV hold what is there of an
    unfinished one. CSV is large: how large is said before.
    """
    from dear_tui.cli.printing.say import Working
    from dear_tui.query.output import check_output, replaced_file, replaced_folder
    from engine.store import Store, store_path
    from engine.store.export import export_sealed, export_tables

    views = _views(view, format)
    path = store_path(store)
    with Store.open(path, read_only=True) as opened:
        status = opened.campaign(campaign)
        target = output or Path(f"campaign-{campaign}{'.duckdb' if format is ExportFormat.DUCKDB else ''}")
        check_output(target, path)
        _check_free(target, format, force)
        if format is ExportFormat.DUCKDB:
            with replaced_file(target) as written, Working("copying the file"):
                export_sealed(opened, campaign, written)
        else:
            _say_what_is_there(status)
            size = _say_how_much(opened, campaign, views) if format is ExportFormat.CSV else 0
            with replaced_folder(target) as written, Working(FolderSize(written, size)):
                for table in export_tables(opened, campaign, format.value, written, views):
                    tell(f"{table}.{format}")
    say(target)


@dataclass(frozen=True)
class FolderSize:
    """How much has been written into a folder, in words, whenever it is looked at."""

    folder: Path
    expected: int
    """bytes; 0: not known"""

    def __rich__(self) -> Text:
        """In words."""
        size = 0
        with suppress(OSError):  # it has just got its name
            size = sum(path.stat().st_size for path in self.folder.iterdir())
        about = f" of about {byte_count(self.expected)}" if self.expected else ""
        return Text(f"writing: {byte_count(size)}{about}" if size else "checking the files")


def _views(chosen: list[str] | None, format: ExportFormat) -> tuple[str, ...]:
    """The views to write.

    Raises:
        InputError: there is none of such a name, or the format has them all.
    """
    from engine.store.schema import VIEWS

    if chosen and format is ExportFormat.DUCKDB:
        raise InputError("--view is for files of single views; add --format parquet or csv, or leave it out")
    for name in chosen or []:
        if name not in VIEWS:
            near = get_close_matches(name, VIEWS, n=1)
            raise InputError(
                f"--view {name}: there is no such view; "
                + (f"did you mean {near[0]}?" if near else f"there are {', '.join(VIEWS)}")
            )
    return tuple(name for name in VIEWS if not chosen or name in chosen)


def _say_how_much(store: Store, campaign: int, views: tuple[str, ...]) -> int:
    """Bytes that are about to be written."""
    from engine.store.export import estimate_csv

    sizes = estimate_csv(store, campaign, views)
    if not sizes:
        return 0
    total, largest = sum(size.bytes for size in sizes.values()), max(sizes, key=lambda name: sizes[name].bytes)
    of_all = "" if len(views) == 1 else f"; {byte_count(sizes[largest].bytes)} of it {largest}.csv"
    tell(
        f"note: about {byte_count(total)}{of_all} ({sizes[largest].rows:,} rows); "
        "--view VIEW writes single views, --format parquet takes less"
    )
    return total


def _check_free(target: Path, format: ExportFormat, force: bool) -> None:
    found_folder, wanted = is_folder(target), "a file" if format is ExportFormat.DUCKDB else "a folder"
    if exists(target) and found_folder == (format is ExportFormat.DUCKDB):
        raise InputError(
            f"{target}: is a {'folder' if found_folder else 'file'}, but {format} is written to {wanted}; "
            "give --output another name"
        )
    if exists(target) and not force:
        raise InputError(f"{target}: is there already; give --output another name, or write over it with --force")


def _say_what_is_there(status: CampaignStatus) -> None:
    if status.state == "finished":
        return
    done = status.count()
    meanwhile = "; parts that are written meanwhile may be in some files only" if status.state == "running" else ""
    tell(
        f"note: campaign {status.id} is {status.state}, with {percent(done, status.pairs)} of its pairs{meanwhile}",
    )
