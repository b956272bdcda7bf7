"""The `screened` method: pairs whose first-order bound is small are not run, all others as by `fast`.

What is called critical was run and seen. What was not run is called screened, not masked or non-critical. The bound and
what it rests on stand in docs/screening.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from engine.errors import reason_of
from engine.injection.exact.packs import first_inputs
from engine.injection.fast.block import FastBlock
from engine.injection.fast.channel_updates import has_update_rule
from engine.injection.fast.method import fast_methods
from engine.injection.memory import is_out_of_memory
from engine.injection.method import FAILURES, Method
from engine.injection.network.layers import flat_weight
from engine.injection.screened.growth import growth_of
from engine.injection.screened.tables import LayerScreen, Reach, screens_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, fx

    from engine.injection.fast.method import FastMethod
    from engine.injection.method import Plan
    from engine.injection.network.golden import GoldenBlock
    from engine.injection.network.traced import TracedNetwork
    from engine.injection.outcomes import WeightFaults
    from engine.injection.recording import Recorder
    from engine.steps import OnStep

THETA = 0.3
"""share of a lead that a pair's bound may reach without being run"""

_PRODUCTS = 2**24
"""bounds computed at once"""


def screened_methods(traced: TracedNetwork, theta: float = THETA) -> Sequence[Method]:
    """The method `screened` for one network, and those that run what it does not screen."""
    fast, exact = fast_methods(traced)
    return ScreenedMethod(traced, fast, theta), fast, exact


@dataclass(frozen=True)
class ScreenedBlock(FastBlock):
    """What `fast` reads of a block, and the tables of its layers."""

    screens: dict[int, LayerScreen] = field(default_factory=dict)


class ScreenedMethod(Method):
    """Bounds every pair by one multiplication, and leaves those above to `fast`."""

    name = "screened"

    def __init__(self, traced: TracedNetwork, fast: FastMethod, theta: float) -> None:
        """`fast`: of the same network, started before this one; `theta`: share of a lead."""
        self._traced = traced
        self._fast = fast
        self._theta = theta
        self._left: dict[int, str] = {}
        self._reaches: dict[int, Reach] = {}
        self._plan: Plan

    def left_to_the_next(self) -> Mapping[int, str]:
        """Those that something after them has no known factor for, or no gradient."""
        return self._left

    def golden_copies(self) -> Mapping[fx.Node, int]:
        """Nothing beside what `fast` keeps."""
        return {}

    def start(self, plan: Plan, images: Tensor, on_step: OnStep) -> None:  # noqa: ARG002 - as a Method
        """Find the layers whose changes can be followed, and try their gradients out."""
        self._plan = plan
        for layer, suffix in self._traced.suffixes.items():
            growth = growth_of(suffix, self._traced.network, self._traced.shapes)
            if layer in self._fast.left_to_the_next() or not self._has_rule(layer):
                self._left[layer] = "its faults have no update of one channel"
            elif growth is None:
                self._left[layer] = "what follows it has no known growth"
            else:
                self._reaches[layer] = Reach(suffix, growth)
        if not plan.rows.interchangeable:
            self._leave_all("logits depend on an image's place in the batch")
            return
        try:
            screens_of(self._traced.network, self._reaches, plan.load(images[:2]), self._theta, 2)
        except FAILURES as error:
            if is_out_of_memory(error):
                raise
            self._leave_all(f"it has no gradient ({reason_of(error)})")

    def _has_rule(self, layer: int) -> bool:
        sources = self._traced.suffixes[layer].layer.all_input_nodes
        if len(sources) != 1 or sources[0] not in self._traced.shapes:
            return False
        return has_update_rule(self._traced.network.layers[layer], torch.empty(self._traced.shapes[sources[0]]))

    def _leave_all(self, reason: str) -> None:
        self._left |= dict.fromkeys(self._reaches, reason)
        self._reaches = {}

    @property
    def measured(self) -> Mapping[str, float]:
        """theta."""
        return {"theta": self._theta}

    def extend(self, block: GoldenBlock) -> ScreenedBlock:
        """The tables of all layers, beside what `fast` reads."""
        assert isinstance(block, FastBlock)
        at_once = self._plan.sizes.limits.gradient_rows
        screens = screens_of(self._traced.network, self._reaches, block, self._theta, at_once)
        return ScreenedBlock(**{one.name: getattr(block, one.name) for one in fields(FastBlock)}, screens=screens)

    def macs(self, layer: int) -> int:
        """Those of `fast`."""
        return self._fast.macs(layer)

    def run(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:
        """Run the pairs above the bound by `fast`, and call the others screened."""
        assert isinstance(block, ScreenedBlock)
        screen, module = block.screens[layer], self._traced.network.layers[layer]
        assert isinstance(module, nn.Conv2d | nn.Linear)
        change, channel, source = _updates(module, faults)
        candidates = faults.changes & _may_matter(screen, change, channel, source)
        if faults.more is not None:
            candidates[faults.more.fault] = faults.changes[faults.more.fault]
        rows = np.flatnonzero(candidates)
        wanted = torch.zeros(len(faults), block.count, dtype=torch.bool, device=block.logits.device)
        for some in np.array_split(rows, -(-len(rows) * block.count // _PRODUCTS) or 1):
            on_device = torch.as_tensor(some, device=wanted.device)
            bound = screen.factor[torch.as_tensor(channel[some], device=wanted.device)]
            bound *= screen.inputs[torch.as_tensor(source[some], device=wanted.device)]
            bound *= torch.as_tensor(np.abs(change[some]), device=wanted.device)[:, None]
            wanted[on_device] = ~(bound <= 1)
        if faults.more is not None:
            wanted[torch.as_tensor(np.unique(faults.more.fault), device=wanted.device)] = True
        is_run = candidates & wanted.any(1).cpu().numpy()
        if is_run.any():
            self._fast.run(block, layer, replace(faults, changes=is_run), recorder, wanted)
        screened = torch.as_tensor(faults.changes, device=wanted.device)[:, None] & ~wanted
        recorder.record_screened(screened)


def _may_matter(
    screen: LayerScreen, change: NDArray[np.float32], channel: NDArray[np.int64], source: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which faults may have a pair above the bound: one product for each, for all images together."""
    factor, inputs = screen.largest
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(~(np.abs(change) * factor[channel] * inputs[source] <= 1))


def _updates(
    module: nn.Conv2d | nn.Linear, faults: WeightFaults
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """What is added to each fault's weight, the output channel it works on and the input channel it reads, [faults]."""
    weight = module.weight
    with np.errstate(invalid="ignore", over="ignore"):
        change = faults.value - flat_weight(weight)[faults.weight_index]
    channel, place = np.divmod(faults.weight_index, weight[0].numel())
    return change, channel, first_inputs(module)[channel] + place // weight[0, 0].numel()
