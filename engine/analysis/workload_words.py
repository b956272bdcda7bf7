"""Which images a campaign runs, for somebody who does not know the names of selections."""

from __future__ import annotations


def is_ranked(select: str) -> bool:
    """Whether the images are run with the most challenging ones first."""
    return select not in ("random", "list")


def images_in_words(select: str, images: int, data_set: int, is_whole: bool = True) -> str:
    """Which images were run.

    Args:
        select: the name of the selection.
        images: that were run.
        data_set: images that there are.
        is_whole: whether the campaign is finished; else they are those that were run first.
    """
    of_all = f"of {data_set:,}"
    if images == data_set:
        return f"all {images:,} images of the data set"
    if not is_whole and is_ranked(select):
        return f"the {images:,} hardest {of_all} images, because they were run first and the campaign is not finished"
    words = {
        "random": f"{images:,} {of_all} images, drawn at random",
        "list": f"{images:,} {of_all} images, of a list that was given",
        "central": f"the {images:,} {of_all} images between two classes, which are harder than the others",
    }
    return words.get(select, f"the {images:,} hardest {of_all} images")
