"""Images moved at random: each by its own amounts, and nothing but what the recipe says."""

from __future__ import annotations

from dataclasses import replace

import torch

from engine.running.recipes import Recipe

STILL = Recipe(epochs=1, batch_size=4, learning_rate=0.1, weight_decay=0)


def random() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def images(count: int = 64, side: int = 6) -> torch.Tensor:
    """Every pixel of an image another number."""
    one = torch.arange(3.0 * side * side).view(1, 3, side, side)
    return one.expand(count, -1, -1, -1).contiguous()


def test_without_moves_the_images_are_the_same() -> None:
    assert torch.equal(STILL.augment(images(), random()), images())


def test_crops_are_all_the_windows_of_the_padded_image_and_their_mirror_images() -> None:
    moved = replace(STILL, crop=1, mirror=True).augment(images(500), random())
    padded = torch.nn.functional.pad(images(1), (1, 1, 1, 1), mode="reflect")[0]
    windows = [padded[:, top : top + 6, left : left + 6] for top in range(3) for left in range(3)]
    possible = {tuple(each.flatten().tolist()) for window in windows for each in (window, window.flip(2))}
    assert moved.shape == (500, 3, 6, 6)
    assert {tuple(image.flatten().tolist()) for image in moved} == possible


def test_an_image_is_only_mirrored_where_nothing_is_cropped() -> None:
    moved = replace(STILL, mirror=True).augment(images(), random())
    kinds = [torch.equal(one, images(1)[0]) - torch.equal(one, images(1)[0].flip(2)) for one in moved]
    assert set(kinds) == {1, -1}


def test_the_same_seed_moves_alike() -> None:
    recipe = replace(STILL, rotation=8, zoom=0.1, shift=0.06, crop=2, mirror=True)
    assert torch.equal(recipe.augment(images(), random()), recipe.augment(images(), random()))
    assert not torch.equal(recipe.augment(images(), random()), recipe.augment(images(), random().manual_seed(2)))
