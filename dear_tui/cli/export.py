"""`dear-tui export`: a campaign as files of its own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dear_tui.cli.options import CampaignArgument, StoreOption
from dear_tui.cli.printing.say import say, tell
from engine.errors import InputError
from engine.paths import exists, is_folder
from engine.units import percent

if TYPE_CHECKING:
    from engine.store import CampaignStatus


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
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
    store: StoreOption = None,
) -> None:
    """Write a campaign to files of its own, and print where.

    They need nothing else of the store. DuckDB is for finished campaigns; Parquet and CSV hold what is there of an
    unfinished one.
    """
    from dear_tui.query.output import check_output, replaced_file, replaced_folder
    from engine.store import Store, store_path
    from engine.store.export import export_sealed, export_tables

    path = store_path(store)
    with Store.open(path, read_only=True) as opened:
        status = opened.campaign(campaign)
        target = output or Path(f"campaign-{campaign}{'.duckdb' if format is ExportFormat.DUCKDB else ''}")
        check_output(target, path)
        _check_free(target, format, force)
        if format is ExportFormat.DUCKDB:
            with replaced_file(target) as written:
                export_sealed(opened, campaign, written)
        else:
            _say_what_is_there(status)
            with replaced_folder(target) as written:
                for table in export_tables(opened, campaign, format.value, written):
                    tell(f"{table}.{format}")
    say(target)


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
