"""The `exact` method: logits equal, to the bit, to flipping the bit in place and running the whole network.

Only what lies after the faulty layer is run again, from golden values kept per block, and in two stages. Until channels
mix, faults in different output channels share one run of the real operations (see `packs`), and pairs in which nothing
differs from golden any more are masked and dropped. The pairs that are left, of many faults, are gathered into large
batches for the rest of the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.func import functional_call

from engine.injection.batch_rows import probe_batch_rows, probe_images
from engine.injection.dense import DenseBatch
from engine.injection.golden import GoldenBlock, golden_block
from engine.injection.graph import UntraceableError
from engine.injection.layers import injectable_modules
from engine.injection.naive import naive_logits
from engine.injection.packs import Pack, pack_by_channel
from engine.injection.pairs import Pairs
from engine.injection.severity import Recorder, SeverityMatrix
from engine.injection.sizes import UNTRACED_SIZES
from engine.injection.traced import TracedNetwork, trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.injection.outcomes import Outcomes, WeightFaults

_GROUP_PAIRS = 1_000_000
_GROUP_MACS = 2 * 10**11
"""what one group of faults may cost: seconds on two cores, so that progress and ctrl+c stay prompt"""


class ExactInjection:
    """Injects faults into one network, block of images by block of images."""

    def __init__(self, model: nn.Module, images: Tensor, memory: int) -> None:
        """Trace the network and find the batch sizes to use.

        Args:
            model: on its device; put into eval mode.
            images: to probe with, [n, C, H, W] real ones on the same device, at least one.
            memory: bytes for golden values and batches together.
        """
        self.model = model.eval()
        self.modules = [module for _, module in injectable_modules(model)]
        self.notes: list[str] = []
        """sentences the user should read: what could not be traced"""
        with torch.inference_mode():
            self._traced = self._trace(images, memory)
            sizes = self._traced.sizes if self._traced else UNTRACED_SIZES
            probe = probe_images(images, sizes.largest)
            self.rows = self._traced.probe(probe) if self._traced else probe_batch_rows(self.model, probe)
        if not self.rows.interchangeable:
            self.notes.append(
                "logits depend on an image's place in the batch: batches are whole blocks, which is slower"
            )
        self.block_rows = max(sizes.block, self.rows.floor)
        """most images a block can hold"""

    def _trace(self, images: Tensor, memory: int) -> TracedNetwork | None:
        try:
            traced = trace(self.model, images, memory)
        except UntraceableError as error:
            self.notes.append(f"the network cannot be traced ({error}): every fault runs the whole network")
            return None
        for index, (name, _) in enumerate(injectable_modules(self.model)):
            if index not in traced.suffixes:
                self.notes.append(f"{name} is shared or called other than once: its faults run the whole network")
        return traced

    def load(self, images: Tensor) -> GoldenBlock:
        """Golden values of a block of images [n, C, H, W], n at most `block_rows`."""
        with torch.inference_mode():
            return golden_block(self.model, self._traced, images, self.rows.fit(len(images)))

    def inject(self, block: GoldenBlock, faults: WeightFaults) -> Iterator[Outcomes]:
        """Inject faults, sorted by layer, into a block: outcomes of a few seconds' work at a time, in order."""
        start = 0
        while start < len(faults):
            layer = int(faults.layer[start])
            same_layer = int(np.searchsorted(faults.layer, layer, side="right"))
            stop = min(same_layer, start + self._group_size(layer, block.count))
            yield self._inject_group(block, layer, faults.take(slice(start, stop)))
            start = stop

    def _group_size(self, layer: int, images: int) -> int:
        if self._traced is None or layer not in self._traced.suffixes:
            return 1
        macs = max(1, self._traced.suffixes[layer].macs)
        return max(1, min(_GROUP_PAIRS, _GROUP_MACS // macs) // images)

    def _inject_group(self, block: GoldenBlock, layer: int, faults: WeightFaults) -> Outcomes:
        severities = SeverityMatrix(len(faults), block.logits)
        self.replay(block, layer, faults, severities)
        return severities.outcomes(faults.positions)

    def replay(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
        """Hand the faulty logits of faults of one layer to `recorder`; pairs it never hears of are masked."""
        with torch.inference_mode():
            if self._traced is None or layer not in self._traced.suffixes:
                self._run_whole(block, faults, recorder)
            else:
                LayerReplay(self, self._traced, layer, block, faults, recorder).run()

    def _run_whole(self, block: GoldenBlock, faults: WeightFaults, recorder: Recorder) -> None:
        images = torch.arange(block.count, device=block.logits.device)
        rows = np.flatnonzero(faults.changes)
        all_logits = naive_logits(self.model, faults.take(rows), block.images, len(block.images))
        for row, logits in zip(rows, all_logits, strict=True):
            recorder.record(torch.full_like(images, int(row)), images, logits[: block.count])


class LayerReplay:
    """Some faults of one layer, replayed on one block."""

    def __init__(
        self,
        injection: ExactInjection,
        traced: TracedNetwork,
        layer: int,
        block: GoldenBlock,
        faults: WeightFaults,
        recorder: Recorder,
    ) -> None:
        self._network = traced.network
        self._suffix = traced.suffixes[layer]
        self._rows = injection.rows
        self._dense_rows = max(traced.sizes.dense[layer], injection.rows.floor)
        if not injection.rows.interchangeable:
            self._dense_rows = len(block.images)
        self._run_rows = block.count if injection.rows.interchangeable else len(block.images)
        self._module = injection.modules[layer]
        self._weight = self._module.weight.detach().clone(memory_format=torch.contiguous_format)
        self._block = block
        self._faults = faults
        self._recorder = recorder

    def run(self) -> None:
        """Packed runs until enough pairs wait for a dense batch, and so on until all faults are done."""
        rows = np.flatnonzero(self._faults.changes)
        channels = self._faults.weight_index[rows] // self._weight[0].numel()
        waiting: list[Pairs] = []
        for pack in pack_by_channel(channels, rows):
            waiting.append(self._run_packed(pack))
            if sum(map(len, waiting)) >= self._dense_rows:
                waiting = [self._run_full_batches(Pairs.concat(waiting))]
        if sum(map(len, waiting)):
            self._run_dense(Pairs.concat(waiting))

    def _run_full_batches(self, pairs: Pairs) -> Pairs:
        full = len(pairs) - len(pairs) % self._dense_rows
        for start in range(0, full, self._dense_rows):
            self._run_dense(pairs.take(slice(start, start + self._dense_rows)))
        return pairs.take(slice(full, None))

    def _run_packed(self, pack: Pack) -> Pairs:
        """Run the layer with one fault in each channel of the pack, and find the pairs that differ from golden."""
        values = self._packed_values(pack)
        count, device = self._run_rows, self._weight.device
        channels = torch.as_tensor(pack.channels, device=device)
        thin: dict[fx.Node, Tensor] = {}
        alive = torch.zeros(count, len(channels), dtype=torch.bool, device=device)
        for node, channel_map in self._suffix.frontier.items():
            thin[node] = channel_map.apart(values[node])[:count, channels]
            golden = channel_map.apart(self._block.values[node])[:count, channels]
            alive |= (thin[node] != golden).flatten(2).any(2)
        if not self._rows.interchangeable:
            alive |= alive.any(0)  # every image of the block, in its own place
        member, image = alive.T.nonzero(as_tuple=True)
        return Pairs(
            fault=torch.as_tensor(pack.rows, device=device)[member],
            image=image,
            channel=channels[member],
            thin={node: faulty[image, member] for node, faulty in thin.items()},
        )

    def _packed_values(self, pack: Pack) -> dict[fx.Node, Any]:
        values: dict[fx.Node, Any] = {}

        def value_of(node: fx.Node) -> Any:
            return values[node] if node in values else self._block.values[node]

        flat = self._weight.view(-1)
        index = torch.as_tensor(self._faults.weight_index[pack.rows], device=flat.device)
        golden = flat[index]
        flat[index] = torch.as_tensor(self._faults.value[pack.rows], device=flat.device)
        layer = self._suffix.layer
        args, kwargs = fx.node.map_arg((layer.args, layer.kwargs), value_of)
        values[layer] = functional_call(self._module, {"weight": self._weight}, args, kwargs)
        flat[index] = golden
        for node in self._suffix.packed:
            values[node] = self._network.evaluate(node, value_of)
        return values

    def _run_dense(self, pairs: Pairs) -> None:
        """Run the rest of the network on one batch of pairs, padded to a usable size."""
        count = len(pairs)
        padding = torch.arange(self._rows.fit(count), device=pairs.fault.device).clamp(max=count - 1)
        padded = pairs if len(padding) == count else pairs.take(padding)
        logits = DenseBatch(self._network, self._block, self._suffix, padded).logits()[:count]
        if self._run_rows > self._block.count:
            real = pairs.image < self._block.count
            pairs, logits = pairs.take(real), logits[real]
        self._recorder.record(pairs.fault, pairs.image, logits)
