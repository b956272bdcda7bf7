"""The order in which faults are executed and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def execution_order(
    layer: npt.NDArray[np.integer], channel: npt.NDArray[np.integer], fault_id: npt.NDArray[np.integer]
) -> npt.NDArray[np.int64]:
    """Positions by layer, and within a layer in turns of one fault for each output channel, [F].

    Faults in different channels can share a run (`engine.injection.exact.packs`), so that consecutive ones should be.

    Args:
        layer: [F] index of the layer.
        channel: [F] output channel of the weight.
        fault_id: [F] decides the turn among faults of the same channel.
    """
    by_channel = np.lexsort((fault_id, channel, layer))
    same = (np.diff(layer[by_channel]) == 0) & (np.diff(channel[by_channel]) == 0)
    starts = np.flatnonzero(np.concatenate([[True], ~same])) if len(layer) else np.zeros(0, np.int64)
    turn = np.empty(len(layer), np.int64)
    turn[by_channel] = np.arange(len(layer)) - np.repeat(starts, np.diff([*starts, len(layer)]))
    return np.lexsort((channel, turn, layer)).astype(np.int64)
