"""The `screened` method: pairs whose first-order bound is small are not run, all others as by `fast`.

What is called critical was run and seen. What was not run is called screened, not masked or non-critical. The bound and
what it rests on stand in docs/screening.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from engine.errors import reason_of
from engine.injection.exact.packs import first_inputs
from engine.injection.fast.block import FastBlock
from engine.injection.fast.channel_updates import SingleUpdates, WantedUpdates, has_update_rule
from engine.injection.fast.method import fast_methods
from engine.injection.memory import is_out_of_memory
from engine.injection.method import FAILURES, Method
from engine.injection.network.folded import sums_directly
from engine.injection.network.layers import flat_weight
from engine.injection.screened.direction import direction_of
from engine.injection.screened.growth import growth_of
from engine.injection.screened.second_stage import SafePairs, SecondStage
from engine.injection.screened.tables import LARGEST, LayerScreen, Reach, rivals_of, screens_of
from engine.injection.screened.trial import nodes_without_gradient

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, fx

    from engine.injection.fast.method import FastMethod
    from engine.injection.method import Plan
    from engine.injection.methods import Thetas
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.network.traced import TracedNetwork
    from engine.injection.outcomes import WeightFaults
    from engine.injection.pairs import PairSource
    from engine.injection.recording import Recorder
    from engine.steps import OnStep

_PRODUCTS = 2**24
"""bounds computed at once"""

_LEAST_THETA = 0.01
"""below which a layer's bounds say too little: nothing is left out there"""

_SINGLE_COST = 3
"""how much longer a pair takes by itself than an image of a run that changes all channels"""

_TRIED = 16
"""images on which gradients are tried out; of two, one near a bend may look as if it had none"""

_FALLEN = "theta of layer "


def screened_methods(traced: TracedNetwork, thetas: Thetas) -> Sequence[Method]:
    """The method `screened` for one network, and those that run what it does not screen."""
    fast, exact = fast_methods(traced)
    return ScreenedMethod(traced, fast, thetas), fast, exact


@dataclass(frozen=True)
class ScreenedBlock(FastBlock):
    """What `fast` reads of a block, and the tables of its layers."""

    screens: dict[int, LayerScreen] = field(default_factory=dict)


class ScreenedMethod(Method):
    """Bounds every pair by one multiplication, those above by their exact change, and leaves the rest to `fast`."""

    name = "screened"

    def __init__(self, traced: TracedNetwork, fast: FastMethod, thetas: Thetas) -> None:
        """`fast`: of the same network, started before this one."""
        self._traced = traced
        self._fast = fast
        self._thetas = thetas
        self._fallen: dict[int, float] = {}
        """theta of the layers in which a screened pair turned out to be critical"""
        self._left: dict[int, str] = {}
        self._reaches: dict[int, Reach] = {}
        self._plan: Plan

    def left_to_the_next(self) -> Mapping[int, str]:
        """The layers that something after them has no known factor for, or no gradient."""
        return self._left

    def golden_copies(self) -> Mapping[fx.Node, int]:
        """The slopes of every lead, in half of the memory of golden values, beside what `fast` keeps."""
        logits = self._traced.network.shapes[self._traced.network.output]
        rivals = rivals_of(logits[1])
        copies: dict[fx.Node, int] = {}
        for layer in self._traced.suffixes:
            for node in self._fast.frontier(layer):
                copies[node] = copies.get(node, 0) + -(-rivals // 2)
        return copies

    def start(self, plan: Plan, images: Tensor, on_step: OnStep) -> None:  # noqa: ARG002 - as a Method
        """Find the layers whose changes can be followed, and try their gradients out.

        Args:
            plan: taken over.
            images: [n, C, H, W] of which the first few are run.
            on_step: told nothing.
        """
        self._plan = plan
        for layer, suffix in self._traced.suffixes.items():
            growth = growth_of(suffix, self._traced.network)
            if layer in self._fast.left_to_the_next() or not self._has_rule(layer):
                self._left[layer] = "its faults have no update of one channel"
            elif growth is None:
                self._left[layer] = "what follows it has no known growth"
            else:
                is_direct = sums_directly(images.device)  # elsewhere a large weight may change other places, too
                direction = direction_of(suffix, self._traced.network) if is_direct else None
                self._reaches[layer] = Reach(suffix, growth, direction)
        if not plan.rows.interchangeable:
            self._leave_all("logits depend on an image's place in the batch")
            return
        try:
            self._try_gradients(plan.load(images[:_TRIED]))
        except FAILURES as error:
            if is_out_of_memory(error):
                raise
            self._leave_all(f"it has no gradient ({reason_of(error)})")

    def _try_gradients(self, block: GoldenBlock) -> None:
        """Leave the layers after which gradients do not say what small changes do, and all where there is one class."""
        if block.logits.shape[1] == 1:
            self._leave_all("there is no second class that could win")
            return
        nodes = {node for reach in self._reaches.values() for node in reach.growth.frontier}
        wrong = nodes_without_gradient(self._traced.network, nodes, block)
        for layer, reach in list(self._reaches.items()):
            if not wrong.isdisjoint(reach.growth.frontier):
                self._left[layer] = "its gradient does not say what a small change does"
                del self._reaches[layer]
        self._screens(block)

    def _has_rule(self, layer: int) -> bool:
        sources = self._traced.suffixes[layer].layer.all_input_nodes
        if len(sources) != 1 or sources[0] not in self._traced.network.shapes:
            return False
        return has_update_rule(self._traced.network.layers[layer], torch.empty(self._traced.network.shapes[sources[0]]))

    def _leave_all(self, reason: str) -> None:
        self._left |= dict.fromkeys(self._reaches, reason)
        self._reaches = {}

    def theta(self, layer: int) -> float:
        """Share of a lead that a bound may reach in a layer without its pair being run."""
        return self._fallen.get(layer, self._thetas.bound)

    def _theta_of_changes(self, layer: int) -> float:
        """Share of a lead that an exact change may take without its pair being run; it falls as `theta` does."""
        return self._thetas.change * self.theta(layer) / self._thetas.bound

    @property
    def measured(self) -> Mapping[str, float]:
        """theta, and what it is in the layers where it has fallen; that of exact changes falls with it."""
        fallen = {f"{_FALLEN}{layer}": theta for layer, theta in sorted(self._fallen.items())}
        return {"theta": self._thetas.bound, "theta2": self._thetas.change, **fallen}

    def recall(self, measured: Mapping[str, float | str]) -> None:
        """Take over where theta had fallen; it never rises."""
        for name, theta in measured.items():
            if name.startswith(_FALLEN):
                layer = int(name.removeprefix(_FALLEN))
                self._fallen[layer] = min(float(theta), self.theta(layer))

    def tighten(self, layer: int, bound: float) -> None:
        """Let theta fall to half of the bound that was too small."""
        self._fallen[layer] = min(bound, self.theta(layer)) / 2

    def extend(self, block: GoldenBlock) -> ScreenedBlock:
        """The tables of all layers, beside what `fast` reads."""
        assert isinstance(block, FastBlock)
        kept = {one.name: getattr(block, one.name) for one in fields(FastBlock)}
        return ScreenedBlock(**kept, screens=self._screens(block))

    def _screens(self, block: GoldenBlock) -> dict[int, LayerScreen]:
        thetas = {layer: self.theta(layer) for layer in self._reaches}
        plan = self._plan
        return screens_of(self._traced.network, self._reaches, block, thetas, plan.workers, plan.sizes.limits)

    def macs(self, layer: int) -> int:
        """Multiplications left for a pair, as `fast` counts them."""
        return self._fast.macs(layer)

    def run(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
        """Run the pairs above the bound by `fast`, and call the others screened; of these run what is drawn."""
        assert isinstance(block, ScreenedBlock)
        if self.theta(layer) < _LEAST_THETA:
            self._fast.run(block, layer, faults, recorder)
            return
        bounds = FaultBounds.of(block.screens[layer], self._traced.network.layers[layer], faults)
        wanted = self._above(bounds, block, faults)
        changes = torch.as_tensor(faults.changes, device=wanted.device)[:, None]
        screened, drawn = changes & ~wanted, AuditedPairs.of(block, layer, self.theta(layer), faults)
        audited = [
            SafePairs(fault, image, bounds.of_pairs(fault, image) * self.theta(layer))
            for fault, image in (drawn.of_single(screened), drawn.of_whole(screened))
        ]
        wanted[drawn.whole] = True
        wanted &= changes
        self._run_several(block, layer, faults, recorder, wanted)
        safe = self._run_wanted(block, layer, faults, recorder, wanted, drawn, audited[0])
        safe = safe.take(~screened[safe.fault, safe.image])  # of whole faults, those above the bound
        screened[safe.fault, safe.image] = True
        is_drawn = drawn.has_single(safe.fault, safe.image), drawn.is_whole[safe.fault]
        audited = [SafePairs.concat(before, safe.take(is_so)) for before, is_so in zip(audited, is_drawn, strict=True)]
        for some in audited:
            screened[some.fault, some.image] = False
        doubt = None
        if recorder.looks_at_doubt:
            doubt = bounds.of_faults(np.arange(len(faults)))
            doubt[safe.fault, safe.image] = safe.share / self._theta_of_changes(layer)
        recorder.record_screened(screened, len(safe.fault), doubt)
        for drawn_as, some in enumerate(audited):
            if len(some.fault):
                recorder.record_audit(some.fault, some.image, some.share, drawn_as)

    def _above(self, bounds: FaultBounds, block: GoldenBlock, faults: WeightFaults) -> Tensor:
        """[faults, count] the pairs that the bound does not call safe, and all of faults in several weights."""
        wanted = torch.zeros(len(faults), block.count, dtype=torch.bool, device=block.logits.device)
        rows = np.flatnonzero(faults.changes & bounds.may_matter)
        for some in np.array_split(rows, -(-len(rows) * block.count // _PRODUCTS) or 1):
            wanted[torch.as_tensor(some, device=wanted.device)] = ~(bounds.of_faults(some) <= 1)
        if faults.more is not None:
            wanted[torch.as_tensor(np.unique(faults.more.fault), device=wanted.device)] = True
        return wanted

    def _run_wanted(
        self,
        block: ScreenedBlock,
        layer: int,
        faults: WeightFaults,
        recorder: Recorder,
        wanted: Tensor,
        drawn: AuditedPairs,
        audited: SafePairs,
    ) -> SafePairs:
        """Run pairs [faults, count] by `fast`, but for those that the second stage calls safe, which it returns.

        Each pair is run by itself where a fault has few of them, as those of the `audited` that were `drawn` singly.
        """
        count = wanted.sum(1)
        channels = len(self._traced.network.layers[layer].weight)
        is_few = count * channels * _SINGLE_COST < block.count
        single = wanted & is_few[:, None]
        single[audited.fault, audited.image] = True
        many, (fault, image) = count.bool() & ~is_few, single.nonzero(as_tuple=True)
        found = [SafePairs.none(fault.device)]
        if many.any():
            wide = WantedUpdates(self._fast.updates(block, layer), wanted)
            some = replace(faults, changes=many.cpu().numpy())
            found += self._run_unsafe(wide, block, layer, some, recorder, drawn)
        if len(fault):
            narrow = SingleUpdates(self._fast.updates(block, layer), fault, image)
            found += self._run_unsafe(narrow, block, layer, faults, recorder, drawn)
        return SafePairs.concat(*found)

    def _run_unsafe(
        self,
        source: PairSource[WeightFaults],
        block: ScreenedBlock,
        layer: int,
        faults: WeightFaults,
        recorder: Recorder,
        drawn: AuditedPairs,
    ) -> Sequence[SafePairs]:
        """Run pairs but for those that the second stage calls safe and nobody has drawn; returns the safe ones."""
        slopes = block.screens[layer].slopes
        if slopes is None:
            self._fast.run_some(block, layer, faults, recorder, source)
            return ()
        second = SecondStage(source, slopes, self._theta_of_changes(layer), drawn.contains)
        self._fast.run_some(block, layer, faults, recorder, second)
        return second.safe

    def _run_several(
        self, block: ScreenedBlock, layer: int, faults: WeightFaults, recorder: Recorder, wanted: Tensor
    ) -> None:
        """Run faults in several weights by `fast`, all pairs, and take them out of those `wanted` [faults, count]."""
        if faults.more is not None:
            is_several = np.isin(np.arange(len(faults)), faults.more.fault)
            self._fast.run(block, layer, replace(faults, changes=faults.changes & is_several), recorder)
            wanted[torch.as_tensor(is_several, device=wanted.device)] = False


@dataclass(frozen=True)
class FaultBounds:
    """The bounds of some faults of one layer and all images of a block, in units of theta: (1) in docs/screening.md."""

    screen: LayerScreen
    change: NDArray[np.float32]
    """[faults] what is added to the weight"""
    channel: NDArray[np.int64]
    """[faults] the output channel that it works on"""
    source: NDArray[np.int64]
    """[faults] the input channel that it reads"""

    @classmethod
    def of(cls, screen: LayerScreen, module: nn.Module, faults: WeightFaults) -> FaultBounds:
        """The bounds of faults in the weights of a layer, by their first weights."""
        assert isinstance(module, nn.Conv2d | nn.Linear)
        weight = module.weight
        with np.errstate(invalid="ignore", over="ignore"):
            change = faults.value - flat_weight(weight)[faults.weight_index]
        channel, place = np.divmod(faults.weight_index, weight[0].numel())
        source = first_inputs(module)[channel] + place // weight[0, 0].numel()
        return cls(screen, change, channel, source)

    @property
    def may_matter(self) -> NDArray[np.bool_]:
        """[faults] whether each may have a pair above the bound: one product for each, for all images together."""
        factor, inputs = self.screen.largest
        size = np.abs(self.change)
        with np.errstate(over="ignore", invalid="ignore"):
            may: NDArray[np.bool_] = ~(size * factor[self.channel] * inputs[self.source] <= 1)
            if self.screen.removal is not None:
                share, magnitude, most = self.screen.removal.largest
                is_small = size * most[self.channel] * magnitude[self.source] < LARGEST
                may &= ~(self._goes_down & is_small & (share[self.channel] <= 1))
        return may

    @cached_property
    def _goes_down(self) -> NDArray[np.bool_]:
        """[faults] whether what is above zero falls, where channels mix."""
        if self.screen.removal is None:
            return np.zeros(len(self.change), np.bool_)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sign(self.change) * self.screen.removal.direction[self.channel] < 0)

    def of_faults(self, rows: NDArray[np.int64]) -> Tensor:
        """The bounds of some faults, by `rows` [n], and all images: [n, count]."""
        return self._at(torch.as_tensor(rows), None)

    def of_pairs(self, fault: Tensor, image: Tensor) -> Tensor:
        """The bounds of some pairs, by `fault` [pairs] and `image` [pairs]: [pairs]."""
        return self._at(fault, image)

    def _at(self, rows: Tensor, image: Tensor | None) -> Tensor:
        """The bounds of faults by `rows` [n] with an `image` [n] each, [n]; with all images if None, [n, count]."""
        channel, source, change, down = self._on_device(rows)
        place = () if image is None else (image,)
        bound = self.screen.factor[(channel, *place)]
        bound = bound.mul_(self.screen.inputs[(source, *place)]).mul_(change[:, None] if image is None else change)
        if self.screen.removal is not None and len(down):
            of_down = None if image is None else image[down]
            cap = self.screen.removal.cap(change[down], channel[down], source[down], of_down)
            bound[down] = torch.minimum(bound[down], cap)
        return bound

    def _on_device(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Channel, source and size of the changes of some faults, [rows], and which of them go down."""
        device = self.screen.factor.device
        arrays = self.channel, self.source, np.abs(self.change), self._goes_down
        channel, source, change, down = (torch.as_tensor(values, device=device)[rows] for values in arrays)
        return channel, source, change, down.nonzero().squeeze(1)


@dataclass(frozen=True)
class AuditedPairs:
    """What was drawn of some faults (rows) and a block (columns), to be run although it is safe."""

    pair: Tensor
    """[pairs] those drawn by themselves, ascending: row times count plus column"""
    is_whole: Tensor
    """[faults] those of which every safe pair is run"""
    count: int

    @classmethod
    def of(cls, block: GoldenBlock, layer: int, theta: float, faults: WeightFaults) -> AuditedPairs:
        """What the block's plan has drawn."""
        device = block.logits.device
        if block.audit is None:
            none = torch.zeros(0, dtype=torch.int64, device=device)
            return cls(none, torch.zeros(len(faults), dtype=torch.bool, device=device), block.count)
        drawn = block.audit.drawn(layer, theta, faults.positions)
        pair = torch.as_tensor(np.sort(drawn.fault * block.count + drawn.image), device=device)
        return cls(pair, torch.as_tensor(drawn.whole, device=device), block.count)

    @property
    def whole(self) -> Tensor:
        """[n] rows of the whole faults."""
        return self.is_whole.nonzero().squeeze(1)

    def has_single(self, fault: Tensor, image: Tensor) -> Tensor:
        """Which of some pairs were drawn by themselves, [pairs]."""
        pair = fault * self.count + image
        if not len(self.pair):
            return torch.zeros_like(pair, dtype=torch.bool)
        place = torch.searchsorted(self.pair, pair).clamp(max=len(self.pair) - 1)
        return self.pair[place] == pair

    def contains(self, fault: Tensor, image: Tensor) -> Tensor:
        """Which of some pairs were drawn in one way or the other, [pairs]."""
        return self.has_single(fault, image) | self.is_whole[fault]

    def of_single(self, screened: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column of each `screened` pair [faults, count] that was drawn by itself."""
        fault, image = self.pair // self.count, self.pair % self.count
        is_screened = screened[fault, image]
        return fault[is_screened], image[is_screened]

    def of_whole(self, screened: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column of each `screened` pair [faults, count] of the whole faults."""
        member, image = screened[self.whole].nonzero(as_tuple=True)
        return self.whole[member], image
