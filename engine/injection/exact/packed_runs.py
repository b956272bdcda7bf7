"""The first stage of a replay: faults in different channels share one run until channels mix."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import fx

from engine.injection.exact.packs import Pack, channel_of, pack_by_channel
from engine.injection.pairs import Pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from engine.injection.network.golden import LayerContext
    from engine.injection.network.suffix import Suffix
    from engine.injection.outcomes import WeightFaults
    from engine.injection.recording import Recorder


class PackedRuns:
    """Runs some faults of one layer on one block, with the real operations at the real shapes."""

    def __init__(self, layer: LayerContext, suffix: Suffix, whole_blocks: bool) -> None:
        """`whole_blocks`: a fault that differs for one image keeps all rows of the block, padding included."""
        self._network = layer.network
        self._suffix = suffix
        self._module = deepcopy(layer.module)  # others run this layer at the same time
        self._block = layer.block
        self._whole_blocks = whole_blocks

    def run(
        self,
        faults: WeightFaults,
        recorder: Recorder,  # noqa: ARG002 - as a PairSource
        wanted: Tensor | None = None,
    ) -> Iterator[Pairs]:
        """The pairs that differ from golden, by fault and image within each pack; a fault's sites share a channel.

        `wanted` [faults, count] are the only pairs that anybody asks for; None: all of them. Not with whole blocks.
        """
        rows = np.flatnonzero(faults.changes)
        for pack in pack_by_channel(channel_of(self._module, faults.weight_index[rows]), rows):
            yield self._differing(pack, self._values(pack, faults), wanted)

    def _values(self, pack: Pack, faults: WeightFaults) -> dict[fx.Node, Any]:
        """Values of the layer and the packed nodes with one fault in each channel of the pack."""
        values: dict[fx.Node, Any] = {}

        def value_of(node: fx.Node) -> Any:
            return values[node] if node in values else self._block.values[node]

        weight = self._module.weight.detach()
        weight_index, value = faults.weight_index[pack.rows], faults.value[pack.rows]
        if faults.more is not None:
            more = faults.more.take(pack.rows)
            weight_index = np.concatenate([weight_index, more.weight_index])
            value = np.concatenate([value, more.value])
        index = np.unravel_index(weight_index, tuple(weight.shape))
        places = tuple(torch.as_tensor(of_dim, device=weight.device) for of_dim in index)
        golden = weight[places]
        weight[places] = torch.as_tensor(value, device=weight.device)
        layer = self._suffix.layer
        args, kwargs = fx.node.map_arg((layer.args, layer.kwargs), value_of)
        values[layer] = self._module(*args, **kwargs)
        weight[places] = golden
        for node in self._suffix.packed:
            values[node] = self._network.evaluate(node, value_of)
        return values

    def _differing(self, pack: Pack, values: dict[fx.Node, Any], wanted: Tensor | None) -> Pairs:
        device = self._module.weight.device
        count = len(self._block.images) if self._whole_blocks else self._block.count
        channels = torch.as_tensor(pack.channels, device=device)
        changed: dict[fx.Node, Tensor] = {}
        alive = torch.zeros(count, len(channels), dtype=torch.bool, device=device)
        is_full = len(channels) == self._suffix.channels
        for node, channel_map in self._suffix.frontier.items():
            faulty, golden = (channel_map.apart(of[node])[:count] for of in (values, self._block.values))
            if not is_full:
                faulty, golden = faulty.index_select(1, channels), golden.index_select(1, channels)
            alive |= (faulty != golden).flatten(2).any(2)
            changed[node] = faulty
        if self._whole_blocks:
            alive |= alive.any(0)
        fault = torch.as_tensor(pack.rows, device=device)
        if wanted is not None:
            alive &= wanted.index_select(0, fault).T
        member, image = alive.T.nonzero(as_tuple=True)
        return Pairs(
            fault=fault.index_select(0, member),
            image=image,
            channel=channels.index_select(0, member),
            changed={node: faulty[image, member] for node, faulty in changed.items()},
        )
