"""One command for several campaigns: each is tried, whatever becomes of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from dear_tui.cli.printing.say import tell_refused
from engine.errors import DearError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def for_each(campaigns: Sequence[int], act: Callable[[int], None]) -> None:
    """Do it to one campaign after the other; what is refused is a sentence on standard error, as for a single one.

    Args:
        campaigns: their ids; one that is named twice is one.
        act: what is done.

    Raises:
        DearError: there is one campaign, and it was refused.
        typer.Exit: some of several were; with the exit code of the first.
    """
    different = list(dict.fromkeys(campaigns))
    if len(different) == 1:
        act(different[0])
        return
    codes = [code for campaign in different if (code := _code_of(act, campaign))]
    if codes:
        raise typer.Exit(codes[0])


def _code_of(act: Callable[[int], None], campaign: int) -> int:
    try:
        act(campaign)
    except DearError as error:
        tell_refused(str(error))
        return error.exit_code
    except typer.Exit as end:
        return int(end.exit_code)
    return 0
