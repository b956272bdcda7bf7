"""Layers as the fast method runs them: batch norm folded in, channels last, and an update for one changed channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from engine.injection.convolutions import quick_convolution
from engine.injection.layers import is_injectable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from engine.injection.channels import ChannelMap
    from engine.injection.graph import Network


@dataclass(frozen=True)
class FoldedLayer:
    """A convolution or linear layer, together with the batch norm that alone reads it, as one operation."""

    source: fx.Node
    """what it reads"""
    inner: fx.Node
    """the layer's own node"""
    result: fx.Node
    """the layer's node, or the batch norm's"""
    module: nn.Conv2d | nn.Linear
    weight: Tensor
    """channels last for a convolution"""
    by_input: Tensor
    """the weight of each input channel: [in, out, 1, kh, kw] or [in, out]"""
    gain: float
    """the largest magnitude of a weight"""
    bias: Tensor | None
    quick: Callable[[Tensor], Tensor] | None
    """the same convolution with fewer multiplications, where there is one"""

    @property
    def is_linear(self) -> bool:
        """Whether it is a linear layer."""
        return isinstance(self.module, nn.Linear)

    @property
    def largest_gain(self) -> float:
        """By how much a sum of products of magnitudes can exceed the largest input."""
        return float(self.weight.abs().flatten(1).sum(1).max())

    @property
    def is_direct(self) -> bool:
        """Whether each result is the sum of its products, without a norm or a transform; unknown on CUDA."""
        return self.result is self.inner and self.quick is None and self.weight.device.type == "cpu"

    def __call__(self, x: Tensor) -> Tensor:
        """The result for a whole input."""
        if isinstance(self.module, nn.Linear):
            return F.linear(x, self.weight, self.bias)
        if self.quick is not None:
            return self.quick(x)
        return self._convolve(x, self.weight, self.bias, self.module.groups)

    def transposed(self, x: Tensor) -> Tensor:
        """The result [out, rows] of a linear layer for `x` [rows, in]."""
        product = self.weight @ x.T
        return product if self.bias is None else product.add_(self.bias[:, None])

    def from_transposed(self, x: Tensor) -> Tensor:
        """The same as [rows, out]."""
        return self.transposed(x).T

    def is_row_wise(self, channel_map: ChannelMap) -> bool:
        """Whether an update is one multiplication for each result, whatever the channel."""
        return channel_map.width == 1 and self.is_linear

    def update(self, golden: Tensor, delta: Tensor, channel: Tensor, channel_map: ChannelMap) -> Tensor:
        """The result where one channel of the input has changed; overwrites `golden`.

        Args:
            golden: [pairs, ...] the golden result of each pair's image.
            delta: [pairs, width, ...] what is added to the channel.
            channel: [pairs] which; in ascending runs, unless the update is row-wise.
            channel_map: where channels lie in the input.
        """
        if self.is_row_wise(channel_map):
            return golden.addcmul_(delta.view(-1, 1), self.by_input.index_select(0, channel_map.offset + channel))
        values, counts = torch.unique_consecutive(channel, return_counts=True)
        start = 0
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            rows = slice(start, start + count)
            first = channel_map.offset + value * channel_map.width
            if isinstance(self.module, nn.Linear):
                golden[rows].addmm_(delta[rows].flatten(1), self.by_input[first : first + channel_map.width])
            else:
                golden[rows] += self._convolve(delta[rows], as_channels_last(self.by_input[first]), None, 1)
            start += count
        return golden

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> Tensor:
        assert isinstance(self.module, nn.Conv2d)
        padding = self.module.padding
        return F.conv2d(x, weight, bias, self.module.stride, padding, self.module.dilation, groups)


class Affine:
    """A batch norm in eval mode as one multiplication and one addition, whatever the memory layout.

    torch's own is slow where images lie last in memory (measured: 7 ms instead of 1 on CPU).
    """

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        """`norm` has running statistics."""
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = torch.rsqrt(norm.running_var + norm.eps)
        self._scale = (scale if norm.weight is None else scale * norm.weight).detach().view(-1, 1, 1)
        shift = -norm.running_mean.view(-1, 1, 1) * self._scale
        self._shift = shift if norm.bias is None else shift + norm.bias.detach().view(-1, 1, 1)

    def __call__(self, value: Tensor) -> Tensor:
        """The result for `value` [images, channels, height, width]."""
        return torch.addcmul(self._shift, value, self._scale)


def find_norms(network: Network, nodes: Iterable[fx.Node]) -> dict[fx.Node, Affine]:
    """The batch norms among `nodes`."""
    modules = {node: network.modules.get(str(node.target)) for node in nodes if node.op == "call_module"}
    return {
        node: Affine(norm)
        for node, norm in modules.items()
        if isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None
    }


def as_channels_last(value: Tensor) -> Tensor:
    """A view of `value` [n, 1, height, width] whose strides say so: with one channel they could mean either.

    A convolution then gives channels-last results (measured: 465 us instead of 7,056 us on CPU).
    """
    _, _, height, width = value.shape
    return value.as_strided(value.shape, (height * width, 1, width, 1), value.storage_offset())


def fold_layers(network: Network, shapes: Mapping[fx.Node, torch.Size]) -> dict[fx.Node, FoldedLayer]:
    """Every layer that can be run this way, by its result's node; `shapes` of every value."""
    folded = {}
    for node in network.nodes:
        module = network.modules.get(str(node.target)) if node.op == "call_module" else None
        if module is None or not is_injectable(module) or len(node.args) != 1 or node.kwargs:
            continue
        if isinstance(module, nn.Conv2d) and module.padding_mode != "zeros":
            continue
        layer = _fold(network, node, module, shapes)
        folded[layer.result] = layer
    return folded


def _fold(
    network: Network, node: fx.Node, module: nn.Conv2d | nn.Linear, shapes: Mapping[fx.Node, torch.Size]
) -> FoldedLayer:
    weight, bias, result = module.weight.detach(), module.bias, node
    norm = _norm_after(network, node)
    if norm is not None and isinstance(module, nn.Conv2d):
        batch_norm = network.modules[str(norm.target)]
        assert isinstance(batch_norm, nn.BatchNorm2d)
        assert batch_norm.running_mean is not None
        assert batch_norm.running_var is not None
        weight, bias = fuse_conv_bn_weights(
            module.weight,
            module.bias,
            batch_norm.running_mean,
            batch_norm.running_var,
            batch_norm.eps,
            batch_norm.weight,
            batch_norm.bias,
        )
        weight, bias, result = weight.detach(), bias.detach(), norm
    (source,) = node.all_input_nodes
    quick = None
    if isinstance(module, nn.Conv2d):
        quick = quick_convolution(module, weight, bias, shapes[source])
        by_input = weight.transpose(0, 1).unsqueeze(2).contiguous()
        weight = weight.contiguous(memory_format=torch.channels_last)
    else:
        by_input = weight.T.contiguous()
    return FoldedLayer(source, node, result, module, weight, by_input, float(weight.abs().max()), bias, quick)


def _norm_after(network: Network, node: fx.Node) -> fx.Node | None:
    """The batch norm that reads this node, if nothing else does."""
    users = list(node.users)
    if len(users) != 1 or users[0].op != "call_module" or node is network.output:
        return None
    norm = network.modules[str(users[0].target)]
    is_foldable = isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None
    return users[0] if is_foldable else None
