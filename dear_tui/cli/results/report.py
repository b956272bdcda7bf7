"""`dear-tui report`: what one hands in."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dear_tui.cli.options import JsonOption, StoreOption, one_of
from dear_tui.cli.printing.say import say, shown_steps, tell
from engine.errors import InputError
from engine.report.formats import FILE_FORMATS, JSON, REPORT_FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.report.document import Document
    from engine.store import Store

MOST_COLUMNS = 100
"""of a paragraph: longer lines are hard to read"""


def report(
    what: Annotated[
        list[str], typer.Argument(metavar="ID...|STUDY", help="Campaigns, or the name or file of a study.")
    ],
    store: StoreOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write files there; without --format, of every format.")
    ] = None,
    report_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(REPORT_FORMATS),
            help="Write this one only; pdf, svg and png need --out.",
            callback=one_of(REPORT_FORMATS),
        ),
    ] = None,
    fit_per_mbit: Annotated[
        float,
        typer.Option("--fit-per-mbit", min=0, help="How often a bit flips: in a billion hours of a million bits."),
    ] = 1000.0,
    budget: Annotated[
        float | None,
        typer.Option("--budget", min=0, help="FIT (failures in a billion hours) that the weights may have in all."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the report of campaigns, to read here or to hand in.

    The paper's tables and figures, and the numbers of a safety argument. Of a campaign that is not finished, what is
    known of the images that have met all faults; of a study, its finished members.
    """
    from engine.report.build import build_report
    from engine.report.fit import MOST_FIT_PER_MBIT, FitRate
    from engine.report.folder import write_folder
    from engine.report.material import read_material
    from engine.report.record import as_record
    from engine.report.writers.registry import TEXTS
    from engine.store import Store, store_path

    for option, value, what_it_is in (("--budget", budget, "number of FIT"), ("--fit-per-mbit", fit_per_mbit, "rate")):
        if value is not None and not value <= MOST_FIT_PER_MBIT:
            raise InputError(f"{option}: {value:g} is no {what_it_is}; give one up to {MOST_FIT_PER_MBIT:g}")
    if as_json:
        if report_format not in (None, JSON):
            raise InputError(f"--json and --format {report_format}: ask for one of the two")
        report_format = JSON
    if out is None and report_format in FILE_FORMATS:
        raise InputError(f"--format {report_format}: writes files; add --out DIR")
    path, rate = store_path(store), FitRate(fit_per_mbit, budget)
    if out is not None:
        _check_folder(out, path)
    with Store.open(path, read_only=True) as opened, shown_steps() as on_step:
        campaigns, title = _campaigns(opened, what)
        materials = [read_material(opened, campaign, on_step) for campaign in campaigns]
        document = build_report(materials, rate, datetime.now(UTC), title, on_step)
        record = as_record(document, materials, rate)
    if out is not None:
        written, missing = write_folder(out, document, record, report_format, force)
        for file in written:
            say(file)
        for sentence in missing:
            tell(f"note: {sentence}")
    elif report_format == JSON:
        say(json.dumps(record, indent=2))
    elif report_format in (None, "text"):
        _print(document.with_legends_once())
    else:
        say(TEXTS[report_format](document.with_legends_once()), end="")


def _check_folder(out: Path, store: Path) -> None:
    """Refuse what is no folder, or the store itself.

    Raises:
        InputError: it is one of these.
    """
    from dear_tui.query.output import check_outside
    from engine.paths import exists, is_folder, shown

    check_outside(out, store, "--out")
    if exists(out) and not is_folder(out):
        raise InputError(f"{shown(out)}: is a file; give --out a folder")


def _campaigns(store: Store, what: Sequence[str]) -> tuple[list[int], str | None]:
    """The campaigns that are asked for, and the title of several.

    Raises:
        InputError: a study has no finished member, or there is none of this name.
    """
    if all(each.isdecimal() for each in what):
        campaigns = [int(each) for each in dict.fromkeys(what)]
        return campaigns, None if len(campaigns) == 1 else f"Campaigns {', '.join(map(str, campaigns))}"
    if len(what) > 1:
        raise InputError(f"{' '.join(what)}: give numbers of campaigns, or one study")
    name = _study_name(what[0])
    members = [status for status in reversed(store.campaigns()) if store.description(status.id).get("study") == name]
    if not members:
        raise InputError(f"{name}: is neither the number of a campaign nor a study of this store; see `dear-tui list`")
    finished = [status.id for status in members if status.state == "finished"]
    if not finished:
        raise InputError(f"study {name}: none of its {len(members)} campaigns is finished; run them first")
    if len(finished) < len(members):
        tell(
            f"note: {len(members) - len(finished)} of the {len(members)} campaigns of the study are not finished, "
            "left out"
        )
    return finished, f"Study {name}"


def _study_name(what: str) -> str:
    """The name that is given, or that a study's file has."""
    from engine.config.study import load_study

    return load_study(Path(what)).name if what.endswith(".toml") else what


def _print(document: Document) -> None:
    """To a terminal as wide as it is, else as the file would be."""
    from dear_tui.cli.printing.terminal_table import print_table
    from engine.report.document import Answers, NamedTable, Paragraph
    from engine.report.writers.text_pages import answered, as_text, title_lines, wrapped

    if not sys.stdout.isatty():
        say(as_text(document), end="")
        return
    width = min(shutil.get_terminal_size().columns, MOST_COLUMNS)
    for line in title_lines(document, width):
        say(line)
    for chapter in document.chapters:
        say(f"\n{chapter.title}\n{'-' * len(chapter.title)}")
        for block in chapter.blocks:
            if isinstance(block, NamedTable):
                say()
                print_table(block.table)
            elif isinstance(block, Paragraph):
                say(f"\n{wrapped(block.text, width)}")
            elif isinstance(block, Answers):
                say(f"\n{answered(block, width)}")
