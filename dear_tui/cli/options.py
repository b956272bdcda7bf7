"""Options that several commands share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from engine.analysis.renderers.registry import RENDERERS
from engine.config.option_words import AGAIN
from engine.printable import printable_line


def _folder(text: str | Path) -> Path:
    """A folder that is named: an empty text, as of a variable that is not set, would be the present one."""
    if not str(text):
        raise typer.BadParameter("it is empty; name a folder, or leave --store out")
    return Path(text)


def campaigns_that_begin(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """For the shell's completion: the numbers of campaigns that begin so, each with its name and state."""
    from engine.errors import DearError
    from engine.store import Store, store_path

    try:
        with Store.open(store_path(context.params.get("store")), read_only=True) as opened:
            campaigns = opened.campaigns()
    except (DearError, OSError):
        return []
    return [
        (str(status.id), printable_line(f"{status.name}, {status.state}"))
        for status in campaigns
        if str(status.id).startswith(incomplete)
    ]


FORMATS = (*RENDERERS, "json")


def one_of(names: Sequence[str]) -> Callable[[str | None], str | None]:
    """What refuses another value of an option that may be left out."""

    def checked(name: str | None) -> str | None:
        if name is not None and name not in names:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(names)}")
        return name

    return checked


CampaignArgument = Annotated[
    int,
    typer.Argument(metavar="ID", help="The campaign's number in `dear-tui list`.", autocompletion=campaigns_that_begin),
]
CampaignsArgument = Annotated[
    list[int],
    typer.Argument(
        metavar="ID...", help="The campaigns' numbers in `dear-tui list`.", autocompletion=campaigns_that_begin
    ),
]
ConfigArgument = Annotated[Path, typer.Argument(metavar="CONFIG", help="A campaign's config, a TOML file.")]
StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        help="Where campaigns are kept.  [default: DEAR_STORE, else the platform's data folder]",
        parser=_folder,  # whether it can be the store is no question of usage: the store says so itself
        metavar="PATH",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
AgainOption = Annotated[bool, typer.Option("--again", help=f"{AGAIN.capitalize()}.")]
NoStartOption = Annotated[bool, typer.Option("--no-start", help="Start no worker where none runs.")]
TryOutOption = Annotated[
    bool, typer.Option("--try-out", help="Load what they name first; queue nothing unless all can run.")
]
FormatOption = Annotated[
    str,
    typer.Option("--format", metavar="|".join(FORMATS), help="How the tables are written.", callback=one_of(FORMATS)),
]
