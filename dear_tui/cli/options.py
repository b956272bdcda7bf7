"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        help="Where campaigns are kept.  [default: DEAR_STORE, else the platform's data folder]",
        readable=False,  # that it is not is no wrong usage: the store says so itself
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Start a new campaign even where this one is begun or finished.")
]
NoStartOption = Annotated[bool, typer.Option("--no-start", help="Start no worker where none runs.")]
