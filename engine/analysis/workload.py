"""Which images a campaign runs, in words for somebody who does not know the names of selections."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.store import CampaignStatus

_OTHERS = {
    "random": "{images} of {data_set} images, drawn at random",
    "list": "{images} of {data_set} images, of a list that was given",
    "central": "the {images} of {data_set} images between two classes, which are harder than the others",
}
_HARDEST = "the {images} hardest of {data_set} images"


def is_hardest(status: CampaignStatus, data_set: int) -> bool:
    """Whether the images are those of the data set that are the hardest for the network.

    Args:
        status: of the campaign.
        data_set: images in the data set, of which the campaign may run a part.
    """
    return status.images < data_set and status.select not in _OTHERS


def images_in_words(status: CampaignStatus, data_set: int) -> str:
    """Which images are run.

    Args:
        status: of the campaign.
        data_set: images in the data set, of which the campaign may run a part.
    """
    if status.images == data_set:
        return f"all {status.images:,} images of the data set"
    words = _OTHERS.get(status.select, _HARDEST)
    return words.format(images=f"{status.images:,}", data_set=f"{data_set:,}")


def right_in_words(right: int) -> str:
    """How many of the images the network classifies as labelled without a fault, for the end of a sentence."""
    return f"the network without faults has {right:,} of them right"
