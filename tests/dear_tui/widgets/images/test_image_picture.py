"""How an image finds its size on the screen."""

import numpy as np
import pytest

from dear_tui.widgets.images.image_picture import fit, lines_for


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize(("width", "height", "times"), [(28, 28, 1), (55, 99, 1), (56, 56, 2), (100, 90, 3)])
def test_it_grows_by_whole_numbers(width: int, height: int, times: int) -> None:
    pixels = image(28, 28)
    np.testing.assert_array_equal(fit(pixels, width, height), pixels.repeat(times, axis=0).repeat(times, axis=1))


@pytest.mark.parametrize(
    ("shape", "room"), [((28, 28), (22, 99)), ((224, 224), (34, 40)), ((30, 200), (34, 40)), ((9, 7), (1, 1))]
)
def test_it_shrinks_into_its_room_and_keeps_its_shape(shape: tuple[int, int], room: tuple[int, int]) -> None:
    small = fit(image(*shape), *room)
    assert small.dtype == np.uint8
    assert small.shape[1] <= room[0]
    assert small.shape[0] <= room[1]
    assert small.shape[0] / small.shape[1] == pytest.approx(shape[0] / shape[1], rel=0.2, abs=1)


def test_shrinking_takes_the_mean_of_areas() -> None:
    pixels = np.array([[0, 100, 10, 10], [100, 200, 10, 10]], np.uint8)[:, :, None]
    np.testing.assert_array_equal(fit(pixels, 2, 1)[:, :, 0], [[100, 10]])


def test_lines_are_half_as_many_as_pixels() -> None:
    assert lines_for(image(28, 28), 34, 17) == 14
    assert lines_for(image(27, 28), 34, 17) == 14
    assert lines_for(image(28, 28), 34, 10) == 10
