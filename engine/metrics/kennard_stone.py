"""The order of Kennard and Stone: the two images farthest apart, then always the one farthest from all before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.steps import Step, nobody_waits

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.steps import OnStep

    Points = npt.NDArray[np.float64]

STEPS = 100
"""of the whole way, that are told"""


def earliness(points: Points, on_step: OnStep = nobody_waits) -> npt.NDArray[np.float64]:
    """N - k for each of `points` [N, D], the one that is picked after k others, [N]: the highest is picked first."""
    order = kennard_stone(points, on_step)
    early = np.empty(len(points))
    early[order] = np.arange(len(points), 0, -1)
    return early


def kennard_stone(points: Points, on_step: OnStep = nobody_waits) -> npt.NDArray[np.int64]:
    """The indices of all points, [N] in the order they are picked by Euclidean distance; of equal ones the lower first.

    Source: Kennard and Stone, Technometrics 11(1), 1969. It takes O(N^2 D) time and O(N D) memory.

    Args:
        points: [N, D]; distances of whole numbers below 2^26 are exact.
        on_step: told how many are picked.

    >>> kennard_stone(np.array([[0.0], [1.0], [10.0], [6.0]])).tolist()
    [0, 2, 3, 1]
    """
    if len(points) < 2:
        return np.arange(len(points))
    squares = np.einsum("nd,nd->n", points, points)
    order = [*_farthest_pair(points, squares, on_step)]
    # what is left, in ascending order: the points, their squares, and how near the nearest picked one is
    left = np.delete(np.arange(len(points)), order)
    rest, rest_squares = points[left], squares[left]
    nearest = np.full(len(left), np.inf)
    latest: list[int] = order.copy()
    is_left = np.ones(len(left), np.bool_)
    while len(order) < len(points):
        for picked in latest:
            np.minimum(nearest, rest_squares - 2 * (rest @ points[picked]) + squares[picked], out=nearest)
        nearest[~is_left] = -np.inf
        place = int(nearest.argmax())
        is_left[place] = False
        order.append(int(left[place]))
        latest = order[-1:]
        if 2 * np.count_nonzero(is_left) < len(left):  # a half less to go through from now on
            left, rest, rest_squares, nearest = left[is_left], rest[is_left], rest_squares[is_left], nearest[is_left]
            is_left = np.ones(len(left), np.bool_)
        if len(order) % max(1, len(points) // STEPS) == 0:
            on_step(Step("picking images far apart", len(order), len(points)))
    return np.array(order, np.int64)


def _farthest_pair(points: Points, squares: npt.NDArray[np.float64], on_step: OnStep) -> tuple[int, int]:
    """The two points farthest apart, the lower index first; of several pairs the first one."""
    count, dimensions = points.shape
    rows = max(1, min(count, dimensions))  # so many distances take no more memory than the points
    best, pair = -np.inf, (0, 1)
    for start in range(0, count, rows):
        on_step(Step("finding the images farthest apart", start, count))
        some = slice(start, min(start + rows, count))
        distance = squares[some, None] - 2 * (points[some] @ points[start:].T) + squares[None, start:]
        np.fill_diagonal(distance, -np.inf)
        place = int(distance.argmax())
        first, second = divmod(place, count - start)
        if distance[first, second] > best:
            best, pair = float(distance[first, second]), (start + first, start + second)
    return min(pair), max(pair)
