"""What stands on a screen that has nothing to show yet, and which key leads on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from dear_tui.widgets.common.status_text import MUTED
from engine.units import short_count

if TYPE_CHECKING:
    from dear_tui.access.store_location import Snapshot
    from engine.store import CampaignStatus

NO_CAMPAIGN = Content.from_markup(
    "No campaign yet.\n\n"
    "[b]d[/b] on the first screen runs the demo: LeNet-5 on MNIST, in some minutes.\n"
    "[b]n[/b] makes one of your own, in a form.\n\n"
    "From a shell: [b]dear-tui demo[/b] or [b]dear-tui submit CONFIG[/b];\n"
    "it appears here by itself."
)
READING = Content.styled("Reading the store ...", MUTED)


def unread(snapshot: Snapshot) -> Content:
    """In the place of campaigns that were never read: nothing where the trouble is said above."""
    return Content("") if snapshot.problem else READING


def missing(snapshot: Snapshot, campaign: int | None) -> Content | None:
    """In the place of a campaign that cannot be shown; None where there is one."""
    if snapshot.campaigns is None:
        return unread(snapshot)
    if snapshot.status(campaign) is not None:
        return None
    if not snapshot.campaigns:
        return NO_CAMPAIGN
    if campaign is None:
        return Content.from_markup("No campaign is chosen; [b]1[/b] lists them.")
    return Content.from_markup("Campaign $number is not in this store; [b]1[/b] lists what is.", number=campaign)


def no_curve(status: CampaignStatus, step: str) -> Content:
    """In the place of a curve that has no point yet; `step` is what is done before the first pair."""
    match status.state:
        case "running" if step and not status.is_prepared:
            text = f"{_sentence(step)}\n\nThen the faults are drawn, and injected into the first block of images."
        case "running" if step:
            text = f"{_sentence(step)}\n\nThen {status.faults:,} faults are injected into the first block of images."
        case "running":
            text = (
                f"Injecting {status.faults:,} faults into the first block of images,\n"
                f"{short_count(status.pairs_done)} of {short_count(status.pairs)} pairs done.\n\n"
                "The curve starts when the block is complete."
            )
        case "queued":
            done = f"{short_count(status.pairs_done)} pairs are" if status.pairs_done else "nothing is"
            text = f"Waiting for its turn; {done} done yet."
        case state:
            text = f"{state.capitalize()} before the first block of images was complete: there is no curve."
    return _leading_on(text, status, "[b]1[/b] lists the others, [b]5[/b] shows how busy the machine is.")


def no_results(status: CampaignStatus, step: str) -> Content:
    """In the place of results while there are none; `step` is what is done before the first pair."""
    match status.state:
        case "running" if step:
            text = f"{_sentence(step)}\n\nThe results of the first block of images appear here by themselves."
        case "running":
            text = "The first block of images is being computed; its results appear here by themselves."
        case "queued":
            text = "Waiting for its turn: no result yet."
        case "failed":
            text = "It failed before its first result."
        case state:
            text = f"It was {state} before its first result."
    return _leading_on(text, status, "[b]2[/b] watches this campaign, [b]1[/b] lists the others.")


def _sentence(step: str) -> str:
    return step[:1].upper() + step[1:]


def _leading_on(text: str, status: CampaignStatus, otherwise: str) -> Content:
    """The text, and the keys that change the state, or `otherwise`."""
    match status.state:
        case "queued":
            key = "[b]1[/b] shows who runs the queue; [b]w[/b] there starts a worker."
        case "paused":
            key = "[b]1[/b] lists it; [b]p[/b] there goes on with it."
        case "failed" | "cancelled":
            key = "[b]1[/b] lists it; [b]r[/b] there runs it again."
        case _:
            key = otherwise
    return Content.from_markup(f"$text\n\n{key}", text=text)
