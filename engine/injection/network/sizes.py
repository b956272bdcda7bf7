"""How many images a block holds and how many pairs a batch, within the memory budget."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from torch import Tensor, nn

from engine.errors import InputError
from engine.injection.batch_rows import pad_rows
from engine.injection.network.suffix import count_macs, row_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import fx

    from engine.injection.network.traced import TracedNetwork


class TooLittleMemoryError(InputError):
    """What a run may take does not hold one image."""


_MOST_ROWS = 4096
_LIVE_VALUES = 4
"""values alive at once while a network runs: an operation's inputs, its output, a skip connection"""


@dataclass(frozen=True)
class DeviceLimits:
    """What a batch should stay under to run fast on a kind of device."""

    macs: int
    """multiplications of one whole-network batch: probing runs several of them"""
    value_bytes: int
    """one value of a batch: on CPU it should stay in the cache"""
    block_rows: int
    """images of a block"""
    thin_bytes: int
    """one value of the first stage of `fast`, of all faults that share a run"""
    thin_pairs: int
    """pairs of such a run, where faults beyond one for each channel may share it; 0 where they may not"""
    batches_together: int
    """batches whose logits are looked at together: each look is many small operations, and the host waits for it"""
    group_pairs: int
    group_macs: int
    """what one group of faults may cost: some seconds, so that progress and ctrl+c stay prompt"""
    gradient_rows: int = field(compare=False)
    """images whose gradients are computed at once; of no batch, so that sizes which differ in it alone are the same"""


LIMITS = {
    "cpu": DeviceLimits(
        macs=2 * 10**10,
        value_bytes=4 * 2**20,
        block_rows=1024,
        thin_bytes=4 * 2**20,
        thin_pairs=0,
        batches_together=16,
        group_pairs=2 * 10**6,
        group_macs=10**11,
        gradient_rows=512,
    ),
    # Measured on an H100: what fits a CPU's cache is launches, not work (LeNet-5: 12 ms of kernels in 140 ms).
    "cuda": DeviceLimits(
        macs=2 * 10**12,
        value_bytes=512 * 2**20,
        block_rows=4096,
        thin_bytes=256 * 2**20,
        thin_pairs=8 * 10**6,
        batches_together=64,
        group_pairs=10**8,
        group_macs=5 * 10**13,
        gradient_rows=1024,
    ),
}

_THIN_VALUES = 32
"""so many times a value of the first stage fits the budget, with its inputs, its differences and its pairs"""

_GRADIENT_SHARE = 8
"""part of the budget that gradients take"""
_GRADIENT_VALUES = 3
"""all values of the network that an image's gradients need: its own, what is read beside them, and the gradients"""

_PAIR_BYTES = 16
"""of the budget for each pair of a group: its severity, and its place where those of a kind are looked for"""


@dataclass(frozen=True)
class Sizes:
    """Rows, each a power of two."""

    block: int
    """images whose golden values are kept at once"""
    dense: dict[int, int]
    """pairs run at once after a fault in each layer"""
    limits: DeviceLimits
    """of the device, within the budget"""

    @property
    def largest(self) -> int:
        """The largest batch of all."""
        return max(self.block, *self.dense.values(), 1)

    def within_block(self) -> Sizes:
        """The sizes with no batch larger than a block: where only the largest one can be used, blocks are no larger."""
        return replace(self, dense={layer: min(size, self.block) for layer, size in self.dense.items()})


_WHOLE_ROWS = 64
"""images of a whole-network run: near the best batch of the naive loop"""


def whole_network_sizes(model: nn.Module, images: Tensor, memory: int) -> Sizes:
    """The sizes for a network without a graph, whose runs keep no golden values.

    Args:
        model: in eval mode; two of the images are run to see how large its values become.
        images: [n, C, H, W], on its device.
        memory: bytes that a run may take.

    Raises:
        TooLittleMemoryError: the memory does not hold one image.
    """
    row = _largest_row(model, pad_rows(images[:2], 2))
    block = min(_WHOLE_ROWS, memory // (_LIVE_VALUES * row))
    if block < 1:
        raise TooLittleMemoryError(
            f"[run] memory: {memory:,} bytes do not hold one image, which needs {_LIVE_VALUES * row:,}; raise it"
        )
    return Sizes(_power_of_two(block), {}, LIMITS[images.device.type])


def _largest_row(model: nn.Module, images: Tensor) -> int:
    """Bytes for each image of the largest value that a module of the network gives."""
    sizes = [images[0].numel() * images.element_size()]

    def note(module: nn.Module, read: object, gave: object) -> None:  # noqa: ARG001 - as a hook
        if isinstance(gave, Tensor):
            sizes.append(gave.numel() * gave.element_size() // len(images))

    handles = [module.register_forward_hook(note) for module in model.modules()]
    try:
        model(images.clone())
    finally:
        for handle in handles:
            handle.remove()
    return max(sizes)


def plan_sizes(
    traced: TracedNetwork, copies: Mapping[fx.Node, int], device: torch.device, memory: int, workers: int
) -> Sizes:
    """Half the budget for a block's golden values and its runs, a quarter for dense batches.

    Args:
        copies: of the golden value of each node that is kept.
        workers: how many run at once.

    Raises:
        TooLittleMemoryError: if the budget does not hold one image.
    """
    network, limits = traced.network, LIMITS[device.type]
    kept = sum(count * row_bytes(network, node) for node, count in copies.items())
    live = workers * _LIVE_VALUES * max(row_bytes(network, node) for node in network.nodes)
    macs = sum(count_macs(network, node) for node in network.nodes)
    whole = max(1, memory // 2 // live)  # every batch size is tried out with the whole network
    most = min(_MOST_ROWS, max(64, limits.macs // max(1, macs)), whole)
    block = min(memory // 2 // (kept + live), most, limits.block_rows)
    if block < 1:
        raise TooLittleMemoryError(
            f"[run] memory: {memory:,} bytes do not hold one image, which needs {2 * (kept + live):,}; raise it"
        )
    dense = {}
    for index, suffix in traced.suffixes.items():
        in_budget = memory // 4 // (workers * _LIVE_VALUES * suffix.row_bytes)
        dense[index] = _power_of_two(min(in_budget, max(16, limits.value_bytes // suffix.row_bytes), most))
    of_image = _GRADIENT_VALUES * sum(row_bytes(network, node) for node in network.nodes)
    limits = replace(
        limits,
        gradient_rows=max(1, min(limits.gradient_rows, memory // _GRADIENT_SHARE // (workers * of_image))),
        thin_bytes=min(limits.thin_bytes, memory // _THIN_VALUES),
        group_pairs=min(limits.group_pairs, memory // _PAIR_BYTES),
    )
    return Sizes(_power_of_two(block), dense, limits)


def _power_of_two(limit: int) -> int:
    """The largest power of two within `limit`, at least 1."""
    return 1 << max(0, limit.bit_length() - 1)
