"""The `fast` method: as `exact` until channels mix, then arithmetic that need not be equal to the bit.

A pair that reaches the first mixing layer differs from golden in one input channel: the layer's result is golden's plus
what that channel's difference adds. The layers after it run with batch norm folded in and channels last. The error that
this makes is measured at the start; a pair whose two best classes are closer than that is run again by `exact`. The
mathematics, and what of it is proved and what measured, stand in docs/engine.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch

from engine.errors import reason_of
from engine.injection.batch_rows import probe_batch_rows
from engine.injection.bounds.change_bound import change_bound_of
from engine.injection.bounds.margins import LayerBounds, Margins, bounds_of_layer, slopes
from engine.injection.exact.method import ExactMethod
from engine.injection.fast.batches import FastBatches
from engine.injection.fast.block import FastBlock
from engine.injection.fast.calibration import TAU_SAFETY, bounded_share, count_images, largest_error, sample_faults
from engine.injection.fast.channel_updates import ChannelUpdates, Leads, SingleUpdates, has_update_rule
from engine.injection.fast.runner import FastRunner
from engine.injection.memory import is_out_of_memory
from engine.injection.method import FAILURES, Method
from engine.injection.network.folded import fold_layers, sums_directly
from engine.injection.network.folded_suffix import FoldedSuffix, fold_suffix
from engine.injection.network.golden import LayerContext
from engine.injection.network.layers import flat_weight
from engine.injection.network.suffix import count_macs
from engine.injection.network.traced import LAYER_ROWS
from engine.injection.network.tracing import place_of
from engine.injection.recording import Recorder
from engine.steps import Step

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import NDArray
    from torch import Tensor, fx

    from engine.injection.batch_rows import BatchRows
    from engine.injection.method import Plan
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.network.traced import TracedNetwork
    from engine.injection.outcomes import Sites, WeightFaults
    from engine.injection.pairs import Pairs, PairSource
    from engine.steps import OnStep

_MOST_BOUNDED = 8
"""layers, from the last one on: the more layers follow, the less a bound says"""

_LEAST_BOUNDED = 0.1
"""share of its pairs that bounds must decide in a layer to be worth their time"""

_LARGEST = 2.0
"""times the layer's largest weight: by so much each weight of a fault in several may change where `fast` adds up what
the changes do; of larger ones that cancel, rounding would be left. A single one that changes by more is large, too"""

_FEW_MACS = 4096
"""multiplications after a layer, for a pair, up to which `exact` is quicker for large faults: measured on two cores, it
takes 0.5 to 0.85 of the time of `fast` with 0 to 840 of them, and 1.1 to 1.5 times as long with 10,000 or more"""

Faults = TypeVar("Faults")
Coefficients = dict["fx.Node", "Tensor"]
"""of a bound, by frontier node, [class pairs, ...] each"""


def fast_methods(traced: TracedNetwork) -> tuple[FastMethod, ExactMethod]:
    """The method `fast` for one network, and `exact`, which decides what is too close for it."""
    exact = ExactMethod(traced)
    return FastMethod(traced, exact), exact


class FastMethod(Method):
    """Runs updates of one channel, then the rest of the network as is fastest, and leaves near-ties to `exact`."""

    name = "fast"

    def __init__(self, traced: TracedNetwork, exact: ExactMethod) -> None:
        """`exact`: of the same network, started before this one."""
        folded = fold_layers(traced.network)
        self._exact = exact
        self._traced = traced
        self._suffixes: dict[int, FoldedSuffix] = {
            layer: fold_suffix(suffix, folded, traced.network)
            for layer, suffix in traced.suffixes.items()
            if traced.network.jumps.isdisjoint((*suffix.packed, *suffix.dense))
        }
        """by layer, of those that this method runs"""
        self._left = self._before_jumps()
        """why the others are left to `exact`"""
        self._copies = {node for suffix in self._suffixes.values() for node in suffix.golden}
        self._bounds: dict[int, Coefficients] = {}
        """of the layers where bounds are worth their time, see `bounds.change_bound`"""
        self._plan: Plan
        self.tau = 0.0
        """how close two classes may be, relative to the largest magnitude of their pair, before `exact` decides"""

    def _before_jumps(self) -> dict[int, str]:
        """The layers whose changes meet a value that jumps: the rounding of `fast` may become any error there."""
        left = [layer for layer in self._traced.suffixes if layer not in self._suffixes]
        if not left:
            return {}
        first = next(node for node in self._traced.network.nodes if node in self._traced.network.jumps)
        return dict.fromkeys(left, f"a value jumps ({place_of(first)}), where rounding may show")

    def left_to_the_next(self) -> Mapping[int, str]:
        """The layers before a value that jumps, and those that fail when they are tried out."""
        return self._left

    @property
    def _last_layers(self) -> list[int]:
        """The layers that may have bounds, the last one first."""
        return sorted(self._suffixes, reverse=True)[:_MOST_BOUNDED]

    def golden_copies(self) -> Mapping[fx.Node, int]:
        """A copy in channels-last memory beside the plain one, and what the bounds of the last layers take."""
        read_by_exact = self._exact.golden_copies()
        copies = {node: 1 if node in read_by_exact else 2 for node in self._copies}
        frontiers = [self._suffixes[layer].suffix.frontier for layer in self._last_layers]
        bounded = [node for frontier in frontiers for node in frontier]  # what margins use: of each layer
        for node in (*bounded, *set(bounded)):  # slopes: of each node
            copies[node] = copies.get(node, 0) + 1
        return copies

    def probe(self, images: Tensor, rows: BatchRows) -> Iterator[BatchRows]:
        """Batch sizes for the layers that are not run as torch does, found on the device of `images` [n, C, H, W]."""
        generator = torch.Generator().manual_seed(0)
        layers = {node: layer for suffix in self._suffixes.values() for node, layer in suffix.layers.items()}
        for node, layer in layers.items():
            run = layer.quick
            if node is self._traced.network.output and layer.is_linear:
                run = layer.from_transposed
            if run is not None:
                count = rows.largest if layer.is_linear else min(rows.largest, LAYER_ROWS)
                values = torch.randn(count, *self._traced.network.shapes[layer.source][1:], generator=generator)
                yield probe_batch_rows(run, values.to(images.device))

    def start(self, plan: Plan, images: Tensor, on_step: OnStep) -> None:
        """Measure the rounding error on a sample of faults, and in which layers bounds are worth their time.

        Args:
            plan: taken over.
            images: [n, C, H, W] of which the first few are run.
            on_step: told what is being done.
        """
        self._plan = plan
        if plan.rows.interchangeable:
            some = plan.load(images[: count_images(self._traced.suffixes.values())])
            self.tau = TAU_SAFETY * self._largest_error(some, on_step)
            self._bounds = self._useful_bounds(some, on_step)

    def _largest_error(self, golden: GoldenBlock, on_step: OnStep) -> float:
        """Over all bits of some weights of every layer, relative to the largest magnitude met since the fault."""
        block, layers = self._extended(golden, ()), list(self._suffixes)

        def error_of(layer: int) -> float | str:
            """What is found, or the reason why it is not."""
            try:
                with torch.inference_mode():
                    return self._error_of_layer(block, layer, len(layers))
            except FAILURES as error:
                if is_out_of_memory(error):
                    raise
                return reason_of(error)

        largest = 0.0
        on_step(Step("measuring rounding", 0, len(layers)))
        for done, (layer, found) in enumerate(
            zip(layers, self._plan.workers.map(error_of, layers), strict=True), start=1
        ):
            on_step(Step("measuring rounding", done, len(layers)))
            if isinstance(found, str):
                del self._suffixes[layer]
                self._left[layer] = f"fast fails ({found})"
            else:
                largest = max(largest, found)
        return largest

    def _error_of_layer(self, block: FastBlock, layer: int, layers: int) -> float:
        """The largest error of some faults of one of so many layers; 0 where the layer has no update rule."""
        updates = self._updates(block, layer, None)
        if updates is None:
            return 0.0
        faults = sample_faults(layer, self._traced.network.layers[layer].weight, layers)
        size = max(self._plan.sizes.dense[layer], self._plan.rows.floor)
        return largest_error(self._exact, updates, self._batches(block, layer), size, layer, faults)

    def _useful_bounds(self, golden: GoldenBlock, on_step: OnStep) -> dict[int, Coefficients]:
        """The coefficients of the bounds in the layers where they decide enough pairs."""
        useful: dict[int, Coefficients] = {}
        if golden.logits.shape[1] == 1:  # bounds compare classes
            return useful
        for number, layer in enumerate(self._last_layers):
            on_step(Step("measuring how far changes reach", number, len(self._last_layers)))
            coefficients = change_bound_of(self._suffixes[layer], self._traced.network)
            if coefficients is None:
                continue
            updates = self._updates(self._extended(golden, (layer,)), layer, coefficients)
            faults = sample_faults(layer, self._traced.network.layers[layer].weight, layers=1)
            if updates is not None and bounded_share(updates, faults) >= _LEAST_BOUNDED:
                useful[layer] = coefficients
        return useful

    @property
    def measured(self) -> Mapping[str, float]:
        """The rounding that was measured, `tau`."""
        return {"tau": self.tau}

    def macs(self, layer: int) -> int:
        """Multiplications of the dense nodes, the updates of one channel counted as that."""
        macs = self._exact.macs(layer)
        suffix = self._suffixes.get(layer)
        for update in suffix.updates.values() if suffix else ():
            whole = count_macs(self._traced.network, update.inner)
            channel_map = self._traced.suffixes[layer].frontier[update.source]
            macs -= whole - whole * channel_map.width // len(update.by_input)
        return macs

    def extend(self, block: GoldenBlock) -> FastBlock:
        """Golden values in channels-last memory, margins, and the slopes at the values that have bounds."""
        return self._extended(block, self._bounds)

    def _extended(self, block: GoldenBlock, bounded: Collection[int]) -> FastBlock:
        """Golden values in channels-last memory, margins, and the slopes at the values of the `bounded` layers."""
        nodes = {node for layer in bounded for node in self._suffixes[layer].suffix.frontier}
        at_once = self._plan.sizes.limits.gradient_rows
        gradients = slopes(self._traced.network, nodes, block, self._plan.workers, at_once)
        return FastBlock.of(block, self._copies, self._traced.network, gradients)

    def run(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
        """Record every pair that differs from golden; by `exact` where there is no update for the layer."""
        assert isinstance(block, FastBlock)
        updates = self._updates(block, layer, self._bounds.get(layer))
        if updates is None:
            self._exact.run(block, layer, faults, recorder)
            return
        if faults.more is None:
            by_exact = self._quicker_by_exact(block, layer, faults, updates)
        else:
            by_exact = self._large_of_several(layer, faults, faults.more, block.logits.device)
        if by_exact.any():
            self._exact.run(block, layer, replace(faults, changes=faults.changes & by_exact), recorder)
            faults = replace(faults, changes=faults.changes & ~by_exact)
        if faults.changes.any():
            self.run_some(block, layer, faults, recorder, updates)

    def updates(self, block: FastBlock, layer: int) -> ChannelUpdates:
        """The first stage for faults in single weights of a layer that has an update rule."""
        updates = self._updates(block, layer, self._bounds.get(layer))
        assert updates is not None
        return updates

    def run_some(
        self,
        block: FastBlock,
        layer: int,
        faults: WeightFaults,
        recorder: Recorder,
        source: PairSource[WeightFaults],
    ) -> None:
        """Record of the pairs that a first stage yields those that differ from golden, near-ties by `exact`.

        Args:
            block: as `extend` gives it.
            layer: index of the injectable layer.
            faults: of that layer.
            recorder: takes faults as rows of `faults`, and images as rows of the block.
            source: made of `updates`.
        """
        close = self.run_source(source, block, layer, faults, recorder)
        if close is not None:
            self._decide(block, layer, faults, recorder, close)

    def frontier(self, layer: int) -> Collection[fx.Node]:
        """The golden values after a layer that its changes are told of; none where this method does not run it."""
        return self._suffixes[layer].suffix.frontier if layer in self._suffixes else ()

    def _quicker_by_exact(
        self, block: FastBlock, layer: int, faults: WeightFaults, updates: ChannelUpdates
    ) -> NDArray[np.bool_]:
        """Which faults in single weights are left to `exact`, because `fast` would gain nothing, [faults].

        Only large ones, which change every pair beyond what bounds may decide: all where little is left to run after
        the layer, and elsewhere those that are too close to call on the first image and on the last. On a CPU alone:
        elsewhere nobody has measured it.
        """
        if block.logits.device.type != "cpu":
            return np.zeros(len(faults), np.bool_)
        large = faults.changes & self._is_large(layer, faults.value, faults.weight_index)
        if not large.any() or self._exact.macs(layer) < _FEW_MACS:
            return large
        images, fault = torch.tensor(sorted({0, block.count - 1})), torch.from_numpy(np.flatnonzero(large))
        tried = SingleUpdates(updates, fault.repeat_interleave(len(images)), images.repeat(len(fault)))
        close = self.run_source(tried, block, layer, faults, Recorder())
        rows = torch.zeros(0, dtype=torch.int64) if close is None else close.fault
        return np.asarray(rows.bincount(minlength=len(faults)) == len(images))

    def _large_of_several(
        self, layer: int, faults: WeightFaults, more: Sites, device: torch.device
    ) -> NDArray[np.bool_]:
        """Which faults in several weights change one of them by so much that changes may cancel, [faults].

        All of them where products of single weights say nothing of how sums are rounded.
        """
        is_several = np.isin(np.arange(len(faults)), more.fault)
        if not sums_directly(device):
            return is_several
        weights = flat_weight(self._traced.network.layers[layer].weight).size
        large: NDArray[np.bool_] = is_several & self._is_large(layer, faults.value, faults.weight_index)
        large[more.fault[self._is_large(layer, more.value, more.weight_index % weights)]] = True
        return large

    def _is_large(self, layer: int, value: NDArray[np.float32], weight_index: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which faulty values lie so far from golden that their layer has no such changes, [sites]."""
        golden = flat_weight(self._traced.network.layers[layer].weight)
        with np.errstate(invalid="ignore", over="ignore"):
            large: NDArray[np.bool_] = ~(np.abs(value - golden[weight_index]) <= _LARGEST * np.abs(golden).max())
        return large

    def run_source(
        self, source: PairSource[Faults], block: FastBlock, layer: int, faults: Faults, recorder: Recorder
    ) -> Pairs | None:
        """Run the pairs that any source yields through the rest of the network, and record those that are certain.

        Args:
            source: of pairs whose changes are added to golden values after `layer`.
            block: what the pairs' images are rows of.
            layer: index of the injectable layer after which values have changed.
            faults: what the source takes.
            recorder: is told of each pair whose top-1 is certain.

        Returns:
            The pairs whose top-1 is too close to call, for whoever runs them in another way; None if there is none.
        """
        sizes = self._plan.sizes
        together = sizes.dense[layer] * sizes.limits.batches_together
        runner = FastRunner(self._batches(block, layer), recorder, sizes.dense[layer], together, self.tau)
        for pairs in source.run(faults, recorder):
            runner.add(pairs)
        return runner.finish()

    def _updates(self, block: FastBlock, layer: int, coefficients: Coefficients | None) -> ChannelUpdates | None:
        """The first stage for faults in the weights of a layer; None where it has no update rule.

        Args:
            block: golden values; keeps the first stage for the next group of faults.
            layer: index of the injectable layer.
            coefficients: of the bound of a change after this layer, if it has one.
        """
        network, suffix = self._traced.network, self._suffixes[layer]
        sources = suffix.suffix.layer.all_input_nodes
        if not self._plan.rows.interchangeable or len(sources) != 1:
            return None
        if not has_update_rule(network.layers[layer], block.values[sources[0]]):
            return None
        kept = block.updates.get(layer)
        if kept is not None:
            return kept
        leads = Leads(block.top1_lead / self.tau, block.largest_of_all)
        context = LayerContext(network, network.layers[layer], block)
        bounds = None if coefficients is None else self._layer_bounds(block, layer, coefficients)
        return block.keep(layer, ChannelUpdates(context, suffix, leads, bounds, self._plan.sizes.limits))

    def _batches(self, block: FastBlock, layer: int) -> FastBatches:
        return FastBatches(self._traced.network, self._suffixes[layer], block, self._plan.rows)

    def _layer_bounds(self, block: FastBlock, layer: int, coefficients: Coefficients) -> LayerBounds:
        margins = Margins.of(block.logits, block.largest_of_all, self.tau)
        return bounds_of_layer(self._suffixes[layer].suffix.frontier, coefficients, block.slopes, margins)

    def _decide(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder, close: Pairs) -> None:
        """Run pairs that are too close to call by `exact`."""
        is_close = torch.zeros(len(faults), block.count, dtype=torch.bool, device=close.fault.device)
        is_close[close.fault, close.image] = True
        golden = block.logits.index_select(0, close.image)
        recorder.record(close.fault, close.image, golden)  # masked, unless the packed run says otherwise
        runner = self._exact.runner(block, layer, recorder)
        again = replace(faults, changes=is_close.any(1).cpu().numpy())
        for pairs in self._exact.packed_runs(block, layer).run(again, recorder, is_close):
            runner.add(pairs)
        runner.finish()
