"""`dear-tui verify`: whether the campaigns are what was written."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from dear_tui.cli.each import for_each
from dear_tui.cli.options import JsonOption, StoreOption, campaigns_that_begin
from dear_tui.cli.printing.say import say, shown_steps, tell
from engine.steps import Step

if TYPE_CHECKING:
    from engine.store import Store


@dataclass(frozen=True)
class Verified:
    """What was found of one campaign."""

    id: int
    name: str
    state: str
    """after it was verified: one in which something is bad is paused"""
    parts: int
    rebuilt: int
    """parts whose receipts were lost, and with them the hashes from when the parts were written"""
    problems: list[str]

    @property
    def verdict(self) -> str:
        """That nothing is bad."""
        sealed = " and the sealed file" if self.state == "finished" else ""
        how = "agree with themselves" if self.rebuilt else "are as written"
        return f"{self.parts} parts{sealed} {how}"


def verify(
    campaigns: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="ID...",
            help="The campaigns' numbers in `dear-tui list`.  [default: all]",
            autocompletion=campaigns_that_begin,
        ),
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that campaigns are as they were written.

    Every file is checked against its hash, and its rows against each other. What is bad is renamed to *.bad; the
    campaign's config, run again, computes just that anew.

    Exit code 1 if something was bad.
    """
    from engine.store import Store, store_path
    from engine.store.layout import Layout

    path = store_path(store)
    Layout.of(path).check_is_there()
    found: list[Verified] = []
    ended: typer.Exit | None = None
    with Store.open(path) as opened:

        def verify_one(campaign: int) -> None:
            found.append(_verified(opened, campaign))
            if not as_json:
                _say(found[-1])
            if found[-1].problems:
                raise typer.Exit(1)

        with opened.lock():
            chosen = campaigns or [status.id for status in opened.campaigns()[::-1]]
            try:
                for_each(chosen, verify_one)
            except typer.Exit as error:
                ended = error
        for note in opened.take_notes():
            tell(f"note: {note}")
    if as_json:
        say(json.dumps([asdict(each) for each in found], indent=2))
    if not chosen:
        tell(f"no campaigns in {path}; start with: dear-tui demo")
    if ended is not None:
        raise ended


def _verified(store: Store, campaign: int) -> Verified:
    store.campaign(campaign)
    with shown_steps() as on_step:
        problems = store.verify(
            campaign, lambda done, parts: on_step(Step(f"checking the parts of campaign {campaign}", done, parts))
        )
    receipts, status = store.state.receipts(campaign), store.campaign(campaign)
    rebuilt = sum(receipt.rebuilt for receipt in receipts)
    return Verified(campaign, status.name, status.state, len(receipts), rebuilt, list(problems))


def _say(verified: Verified) -> None:
    if verified.rebuilt:
        tell(
            f"note: campaign {verified.id}: the receipts of {verified.rebuilt} parts were lost, and with them the "
            "hashes from when the parts were written",
        )
    for finding in verified.problems or [verified.verdict]:
        say(f"campaign {verified.id}: {finding}")
