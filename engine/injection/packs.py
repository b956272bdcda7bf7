"""Faults of one layer that share a run: at most one for each output channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Pack:
    """Faults in distinct output channels of one layer."""

    rows: NDArray[np.int64]
    """[n] rows of the faults"""
    channels: NDArray[np.int64]
    """[n] output channel of each, ascending"""


def pack_by_channel(channels: NDArray[np.int64], rows: NDArray[np.int64]) -> Iterator[Pack]:
    """Spread faults over as few packs as their fullest channel allows.

    Output channel o of a convolution or linear layer reads weight row o alone, so a weight with one fault in every
    row gives, channel by channel, exactly the bits that each fault gives on its own.

    Args:
        channels: [n] output channel of each fault.
        rows: [n] row of each fault.
    """
    order = np.argsort(channels, kind="stable")
    ordered = channels[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    turn = np.arange(len(ordered)) - starts  # how many faults of the same channel come before
    for pack in range(int(turn.max(initial=-1)) + 1):
        members = order[turn == pack]
        yield Pack(rows[members], channels[members])
