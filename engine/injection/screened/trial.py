"""Whether gradients say what small changes do, tried out: they do not after `detach`, or where code cuts them off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from engine.injection.bounds.margins import replayed

if TYPE_CHECKING:
    from collections.abc import Collection

    from torch import Tensor, fx

    from engine.injection.network.golden import GoldenBlock
    from engine.injection.network.graph import Network

_SIZES = (1e-3, 3e-4, 1e-4)
"""of a change, relative to the largest value: what bends is less with each, what is cut off is not"""

_MOST_APART = 0.25
"""of what a change does, that the gradient may not foretell: the rest of the network bends"""

_ROUNDING = 1e-5
"""of the largest logit, that tells nothing"""

_MIXES = 4
"""of the logits, whose gradients are looked at"""


def nodes_without_gradient(network: Network, nodes: Collection[fx.Node], block: GoldenBlock) -> set[fx.Node]:
    """The nodes at which a small change does something else than its gradient says, on the images of `block`."""
    after = {reached for node in nodes for reached in network.downstream(node)}
    wanted, generator = [node for node in network.nodes if node in nodes], torch.Generator().manual_seed(0)
    with torch.inference_mode(False), torch.enable_grad():
        values = replayed(network, set(wanted), after, block.values, slice(0, block.count))
        logits = values[network.output]
        mixes = torch.randn(logits.shape[1], _MIXES, generator=generator).to(logits)
        gradients = [
            torch.autograd.grad(mix, [values[node] for node in wanted], retain_graph=True, materialize_grads=True)
            for mix in (logits @ mixes).sum(0)
        ]
    golden = logits.detach()
    rounding = _ROUNDING * golden.abs().amax() * mixes.norm()
    wrong = set()
    for place, node in enumerate(wanted):
        value = values[node].detach()
        direction = value.abs().amax() * torch.randn(value.shape, generator=generator).to(value)
        slope = torch.stack([(of_mix[place] * direction).flatten(1).sum(1) for of_mix in gradients], dim=1)
        for size in _SIZES:
            done = (_logits_with(network, node, value + size * direction, values) - golden) @ mixes
            largest = torch.maximum(done.norm(), (size * slope).norm())
            is_foretold = (done - size * slope).norm() <= _MOST_APART * largest + rounding
            if is_foretold and (size == _SIZES[0] or largest > 4 * rounding):
                break
        else:
            wrong.add(node)
    return wrong


def _logits_with(network: Network, node: fx.Node, value: Tensor, golden: dict[fx.Node, Any]) -> Tensor:
    """The logits where one value is another one."""
    after = network.downstream(node)
    values: dict[fx.Node, Any] = {node: value}

    def value_of(parent: fx.Node) -> Any:
        return values[parent] if parent in values else golden[parent]

    for other in network.nodes:
        if other in after and other is not node:
            values[other] = network.evaluate(other, value_of)
    logits: Tensor = value_of(network.output)
    return logits.detach()
