"""Layers as the fast method runs them: batch norm folded in, in the memory order that is fastest, and an update for one
changed channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from engine.injection.kernels.convolutions import quick_convolution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from engine.injection.network.channels import ChannelMap
    from engine.injection.network.graph import Network


def sums_directly(device: torch.device) -> bool:
    """Whether torch's layers are known to form sums of products; libraries of a GPU may transform their inputs.

    A transform rounds what one large weight gives into places that it does not reach.
    """
    return device.type == "cpu"


@dataclass(frozen=True)
class FoldedLayer:
    """A convolution or linear layer, together with the batch norm that alone reads it, as one operation."""

    source: fx.Node
    """what it reads"""
    inner: fx.Node
    """the layer's own node"""
    result: fx.Node
    """the layer's node, or the batch norm's"""
    ndim: int
    """dimensions of what it reads, rows included"""
    module: nn.Conv2d | nn.Linear
    weight: Tensor
    """[out, in per group, kh, kw] in the memory order of the result, or [out, in]"""
    by_input: Tensor
    """the weight of each input channel: [in, out, 1, kh, kw] or [in, out]"""
    gain: float
    """the largest magnitude of a weight"""
    bias: Tensor | None
    """[out]; None where nothing is added"""
    quick: Callable[[Tensor], Tensor] | None
    """[n, in, h, w] -> [n, out, h, w]: the convolution with fewer multiplications; None where there is no such way"""

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
        """Whether each result is the sum of its products, without a norm or a transform."""
        return self.result is self.inner and self.quick is None and sums_directly(self.weight.device)

    def __call__(self, x: Tensor) -> Tensor:
        """The result [n, out, ...] for a whole input `x` [n, in, ...]."""
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
        """The result [rows, out] of a linear layer for `x` [rows, in], multiplied as `transposed` does."""
        return self.transposed(x).T

    def is_row_wise(self, channel_map: ChannelMap) -> bool:
        """Whether an update is one multiplication for each result, whatever the channel."""
        return channel_map.width == 1 and self.is_linear

    @property
    def is_pair_wise(self) -> bool:
        """Whether an update is one product for each pair: on a GPU, many small convolutions are launches, not work."""
        is_known = isinstance(self.module, nn.Conv2d) and not isinstance(self.module.padding, str)
        return is_known and _is_on_gpu(self.weight)

    def update(
        self, golden: Tensor, delta: Tensor, channel: Tensor, runs: Sequence[ChannelRun], channel_map: ChannelMap
    ) -> Tensor:
        """The result where one channel of the input has changed; overwrites `golden`.

        Args:
            golden: [pairs, ...] the golden result of each pair's image.
            delta: [pairs, width, ...] what is added to the channel.
            channel: [pairs] which.
            runs: `channel` as runs of equal values; not read where the update is row-wise or pair-wise.
            channel_map: where channels lie in the input.
        """
        if self.is_row_wise(channel_map):
            return golden.addcmul_(delta.view(-1, 1), self.by_input.index_select(0, channel_map.offset + channel))
        if self.is_pair_wise:
            return self.update_pair_wise(golden, delta, channel_map.offset + channel)
        for run in runs:
            first = channel_map.offset + run.channel * channel_map.width
            if isinstance(self.module, nn.Linear):
                golden[run.rows].addmm_(delta[run.rows].flatten(1), self.by_input[first : first + channel_map.width])
            else:
                golden[run.rows] += self._convolve(delta[run.rows], self._of_one_input(first), None, 1)
        return golden

    def _of_one_input(self, channel: int) -> Tensor:
        """The weight of one input channel, [out, 1, kh, kw], in the memory order of the result."""
        weight = self.by_input[channel]
        return weight if self.weight.is_contiguous() else as_channels_last(weight)

    def update_pair_wise(self, golden: Tensor, delta: Tensor, channel: Tensor) -> Tensor:
        """The result of a convolution where one input channel of each pair has changed; overwrites `golden`.

        Args:
            golden: [pairs, out, h, w], in either memory order.
            delta: [pairs, 1, h, w] what is added to the channel.
            channel: [pairs] which.
        """
        assert isinstance(self.module, nn.Conv2d)
        height, width = golden.shape[2:]
        patches = _patches(self.module, delta, height, width)
        weight = self.by_input.index_select(0, channel).flatten(2)
        if golden.is_contiguous():
            golden.flatten(2).baddbmm_(weight, patches)
        else:
            golden.permute(0, 2, 3, 1).flatten(1, 2).baddbmm_(patches.transpose(1, 2), weight.transpose(1, 2))
        return golden

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> Tensor:
        assert isinstance(self.module, nn.Conv2d)
        padding = self.module.padding
        return F.conv2d(x, weight, bias, self.module.stride, padding, self.module.dilation, groups)


@dataclass(frozen=True)
class ChannelRun:
    """Consecutive pairs with one faulty channel."""

    channel: int
    rows: slice


def runs_of(channel: Tensor) -> list[ChannelRun]:
    """The runs of equal values of `channel` [pairs]; the host waits for it."""
    values, counts = torch.unique_consecutive(channel, return_counts=True)
    stops = counts.cumsum(0)
    of_runs = torch.stack([values, stops - counts, stops], dim=1).tolist()
    return [ChannelRun(value, slice(start, stop)) for value, start, stop in of_runs]


class Affine:
    """A batch norm in eval mode as one multiplication and one addition, whatever the memory layout.

    torch's own is slow where images lie last in memory (measured: 7 ms instead of 1 on CPU).
    """

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        """`norm` has running statistics."""
        assert norm.running_mean is not None
        self._scale = norm_scale(norm).view(-1, 1, 1)
        shift = -norm.running_mean.view(-1, 1, 1) * self._scale
        self._shift = shift if norm.bias is None else shift + norm.bias.detach().view(-1, 1, 1)

    def __call__(self, value: Tensor) -> Tensor:
        """The result for `value` [images, channels, height, width]."""
        return torch.addcmul(self._shift, value, self._scale)


def norm_scale(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> Tensor:
    """What a batch norm with running statistics multiplies each feature with, [features]."""
    assert norm.running_var is not None
    scale = torch.rsqrt(norm.running_var + norm.eps)
    return (scale if norm.weight is None else scale * norm.weight).detach()


def find_norms(network: Network, nodes: Iterable[fx.Node]) -> dict[fx.Node, Affine]:
    """The batch norms among `nodes`."""
    norms = {node: network.module_of(node) for node in nodes if _is_affine(network, node)}
    return {node: Affine(norm) for node, norm in norms.items() if isinstance(norm, nn.BatchNorm2d)}


_CHANNELS_LAST_FROM = 256
"""channels, on a GPU. Measured on an H100: a convolution of 16 channels runs four times faster the other way, one of 64
by a fifth to two thirds; of 256 no faster, and matrix products, which are, read channels last"""


def in_order(value: Any) -> Any:
    """`value` [n, channels, height, width], golden or a weight's results, in the memory order that is fastest."""
    if not isinstance(value, Tensor) or value.ndim != 4:
        return value
    return value.contiguous(memory_format=_memory_format(value.device, value.shape[1]))


def _memory_format(device: torch.device, channels: int) -> torch.memory_format:
    """In which results of so many channels lie: on a CPU always channels last."""
    is_last = device.type == "cpu" or channels >= _CHANNELS_LAST_FROM
    return torch.channels_last if is_last else torch.contiguous_format


def _is_on_gpu(weight: Tensor) -> bool:
    return weight.device.type != "cpu"


def _patches(module: nn.Conv2d, value: Tensor, height: int, width: int) -> Tensor:
    """What each of height x width results reads of one channel, [n, kernel, results]; `value` [n, 1, ...].

    In one operation: torch's own `unfold` launches one for each of n on a GPU.
    """
    padding, dilation, stride = module.padding, module.dilation, module.stride
    assert not isinstance(padding, str)
    padded = F.pad(value[:, 0], (padding[1], padding[1], padding[0], padding[0]))
    of_image, of_row, of_column = padded.stride()
    views = padded.as_strided(
        (len(value), *module.kernel_size, height, width),
        (of_image, dilation[0] * of_row, dilation[1] * of_column, stride[0] * of_row, stride[1] * of_column),
    )
    return views.reshape(len(value), -1, height * width)


def as_channels_last(value: Tensor) -> Tensor:
    """A view of `value` [n, 1, height, width] whose strides say so: with one channel they could mean either.

    A convolution then gives channels-last results (measured: 465 us instead of 7,056 us on CPU).
    """
    _, _, height, width = value.shape
    return value.as_strided(value.shape, (height * width, 1, width, 1), value.storage_offset())


def fold_layers(network: Network) -> dict[fx.Node, FoldedLayer]:
    """Every layer that can be run this way, by its result's node."""
    folded = {}
    for node in network.nodes:
        if network.kind(node) not in (nn.Conv2d, nn.Linear) or node.kwargs or node.all_input_nodes != list(node.args):
            continue
        module, (source,) = network.module_of(node), node.all_input_nodes
        assert isinstance(module, nn.Conv2d | nn.Linear)
        if source not in network.batch_dependent or source not in network.shapes or node not in network.shapes:
            continue
        if isinstance(module, nn.Conv2d) and (module.padding_mode != "zeros" or len(network.shapes[source]) != 4):
            continue
        layer = _fold(network, node, module)
        folded[layer.result] = layer
    return folded


def _fold(network: Network, node: fx.Node, module: nn.Conv2d | nn.Linear) -> FoldedLayer:
    weight, bias, result = module.weight.detach(), module.bias, node
    norm = _norm_after(network, node)
    if norm is not None and isinstance(module, nn.Conv2d):
        batch_norm = network.module_of(norm)
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
        quick = quick_convolution(module, weight, bias, network.shapes[source])
        by_input = weight.transpose(0, 1).unsqueeze(2).contiguous()
        weight = weight.contiguous(memory_format=_memory_format(weight.device, len(weight)))
    else:
        by_input = weight.T.contiguous()
    ndim, gain = len(network.shapes[source]), float(weight.abs().max())
    return FoldedLayer(source, node, result, ndim, module, weight, by_input, gain, bias, quick)


def _norm_after(network: Network, node: fx.Node) -> fx.Node | None:
    """The batch norm that reads this node, if nothing else does."""
    users = list(node.users)
    return users[0] if len(users) == 1 and node is not network.output and _is_affine(network, users[0]) else None


def _is_affine(network: Network, node: fx.Node) -> bool:
    """Whether a node is a batch norm that only scales and shifts what it reads."""
    norm = network.module_of(node)
    if not isinstance(norm, nn.BatchNorm2d) or network.kind(node) is not nn.BatchNorm2d:
        return False
    return norm.running_mean is not None and not norm.training and node.all_input_nodes == list(node.args)
