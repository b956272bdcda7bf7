"""The order in which faults are executed and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def execution_order(
    layer: npt.NDArray[np.integer],
    channel: npt.NDArray[np.integer],
    fault_id: npt.NDArray[np.integer],
    wave: npt.NDArray[np.integer],
) -> npt.NDArray[np.int64]:
    """Positions by wave, within a wave by layer, and within a layer in turns of one fault for each output channel, [F].

    Faults in different channels can share a run (`engine.injection.exact.packs`), so that consecutive ones should be.

    Args:
        layer: [F] index of the layer.
        channel: [F] output channel of the weight.
        fault_id: [F] decides the turn among faults of the same channel.
        wave: [F] see `engine.faults.waves`.
    """
    if not len(layer):
        return np.zeros(0, np.int64)
    group = layer
    if wave.any():
        group = wave.astype(np.int64) * (int(layer.max()) + 1) + layer
    by_layer = np.argsort(group, kind="stable")
    order = np.empty(len(layer), np.int64)
    counts = np.bincount(group)
    stops = np.cumsum(counts[counts > 0]).tolist()
    for start, stop in zip([0, *stops], stops, strict=False):  # layer by layer it takes a fifth of the time
        rows = by_layer[start:stop]
        order[start:stop] = rows[_in_turns(channel[rows], fault_id[rows])]
    return order


def _in_turns(channel: npt.NDArray[np.integer], fault_id: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Places of the faults of one layer in turns of one for each channel."""
    by_channel = np.lexsort((fault_id, channel))
    first = np.flatnonzero(np.concatenate([[True], np.diff(channel[by_channel]) != 0]))
    turn = np.arange(len(channel)) - np.repeat(first, np.diff(first, append=len(channel)))
    places: npt.NDArray[np.int64] = by_channel[np.argsort(turn, kind="stable")]
    return places
