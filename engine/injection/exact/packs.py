"""Faults of one layer that share a run: at most one for each output channel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from engine.injection.network.layers import injectable_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from engine.injection.network.layers import Injectable
    from engine.injection.outcomes import WeightFaults


@dataclass(frozen=True)
class Pack:
    """Faults in distinct output channels of one layer."""

    rows: NDArray[np.int64]
    """[n] rows of the faults"""
    channels: NDArray[np.int64]
    """[n] output channel of each, ascending"""


def channel_of(module: Injectable, weight_index: NDArray[np.int64]) -> NDArray[np.int64]:
    """The output channel of a layer that each of its weights works on.

    Args:
        module: an injectable layer.
        weight_index: [n] flat, C order.

    >>> channel_of(nn.Conv2d(2, 3, 5), np.array([0, 49, 50, 149]))
    array([0, 0, 1, 2])
    """
    shape = tuple(module.weight.shape)
    if isinstance(module, nn.Linear) or not module.transposed:
        return np.asarray(weight_index // math.prod(shape[1:]), dtype=np.int64)
    of_input, rest = np.divmod(weight_index, math.prod(shape[1:]))  # weights [in, out / groups, ...]
    group = of_input // (shape[0] // module.groups)
    return np.asarray(group * shape[1] + rest // math.prod(shape[2:]), dtype=np.int64)


def first_inputs(module: nn.Conv2d | nn.Linear) -> NDArray[np.int64]:
    """The first input channel that each output channel of a layer reads, [out].

    >>> first_inputs(nn.Conv2d(4, 4, 3, groups=2))
    array([0, 0, 2, 2])
    """
    channels = np.arange(len(module.weight))
    if isinstance(module, nn.Linear):
        return np.zeros_like(channels)
    return np.asarray(channels // (len(channels) // module.groups) * module.weight.shape[1])


def spread_faults(faults: WeightFaults, model: nn.Module) -> NDArray[np.bool_] | None:
    """Which faults have sites in several output channels or layers, [n]; None where each fault has one site.

    Such a fault shows in more than one channel before channels mix, so that it can share no run and have no update.
    """
    more = faults.more
    if more is None:
        return None
    layer, index = faults.layer[more.fault], faults.weight_index[more.fault]
    is_elsewhere = more.layer != layer
    for number, (_, module) in enumerate(injectable_modules(model)):
        sites = np.flatnonzero((layer == number) & (more.layer == number))
        is_elsewhere[sites] = channel_of(module, more.weight_index[sites]) != channel_of(module, index[sites])
    spread = np.zeros(len(faults), dtype=bool)
    spread[more.fault[is_elsewhere]] = True
    return spread


def pack_by_channel(channels: NDArray[np.int64], rows: NDArray[np.int64]) -> Iterator[Pack]:
    """Spread faults over as few packs as their fullest channel allows.

    An output channel of a convolution or linear layer reads its own weights alone, so a weight with one fault for
    every channel gives, channel by channel, exactly the bits that each fault gives on its own.

    Args:
        channels: [n] output channel of each fault.
        rows: [n] row of each fault.

    >>> [pack.channels.tolist() for pack in pack_by_channel(np.array([2, 0, 2]), np.arange(3))]
    [[0, 2], [2]]
    """
    order = np.argsort(channels, kind="stable")
    ordered = channels[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    turn = np.arange(len(ordered)) - starts  # how many faults of the same channel come before
    for pack in range(int(turn.max(initial=-1)) + 1):
        members = order[turn == pack]
        yield Pack(rows[members], channels[members])
