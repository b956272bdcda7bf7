"""What `fast` measures at the start, on the network at hand: its rounding error, and which bounds are worth their time.

What tau is, and what its safety factor rests on, stands in docs/engine.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.formats.fault_model import FLIPPED
from engine.formats.float32 import FLOAT32
from engine.injection.bounds.margins import BoundedCounter
from engine.injection.network.layers import flat_weight
from engine.injection.outcomes import WeightFaults
from engine.injection.recording import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from engine.injection.exact.method import ExactMethod
    from engine.injection.fast.batches import FastBatches
    from engine.injection.fast.channel_updates import ChannelUpdates
    from engine.injection.network.suffix import Suffix
    from engine.injection.pairs import Pairs

TAU_SAFETY = 8.0
"""how much larger than the largest error seen at the start an error may be before it could change a top-1"""

_IMAGES = 8
_MACS = 4 * 10**11
"""about what the start may multiply to measure rounding: a large network does it on fewer images"""

_SAMPLED_WEIGHTS = 20
"""over all layers, at least one in each"""


def count_images(suffixes: Iterable[Suffix]) -> int:
    """How many images the start measures rounding on, for a network with these suffixes."""
    macs = sum(FLOAT32.bits * suffix.macs for suffix in suffixes)
    return max(2, min(_IMAGES, _MACS // max(1, macs)))


def sample_faults(layer: int, weight: Tensor, layers: int) -> WeightFaults:
    """Flips of all bits of some weights of one of `layers` layers, whose `weight` has any shape."""
    count = min(-(-_SAMPLED_WEIGHTS // layers), weight.numel())
    index = np.random.default_rng(layer).choice(weight.numel(), count, replace=False)
    golden = flat_weight(weight)[index].repeat(FLOAT32.bits)
    bit = np.tile(np.array(FLOAT32.all_bits, dtype=np.uint8), len(index))
    value = FLOAT32.faulty_values(golden, bit, np.full(len(bit), FLIPPED, dtype=np.int8))
    count, of_layer = len(bit), np.full(len(bit), layer, np.int32)
    return WeightFaults(np.arange(count), of_layer, index.repeat(FLOAT32.bits), value, np.ones(count, dtype=bool))


class ErrorMeter(Recorder):
    """Keeps the logits of `exact`, which has some of each pair that it runs, to compare those of `fast` with."""

    def __init__(self, faults: int, golden: Tensor) -> None:
        """`golden`: logits [images, classes]."""
        self._logits = golden.expand(faults, *golden.shape).clone()

    def record(self, faults: Tensor, images: Tensor, logits: Tensor) -> None:
        """Keep the `logits` [pairs, classes] of pairs that are not masked; `faults` [pairs] and `images` [pairs]."""
        self._logits[faults, images] = logits

    def largest_error(self, pairs: Pairs, logits: Tensor, bound: Tensor, overflow: float) -> float:
        """Largest difference of a logit, relative to the bound of its pair's magnitudes; finite pairs only.

        Args:
            pairs: what `fast` has run.
            logits: [classes, pairs] what it gave.
            bound: [pairs] of the magnitudes met.
            overflow: the bound from which a pair's results may not be finite.
        """
        relative = (logits.T - self._logits[pairs.fault, pairs.image]).abs().amax(1) / bound
        finite = relative[bound < overflow].nan_to_num(0)
        return float(finite.max()) if len(finite) else 0.0


def largest_error(
    exact: ExactMethod, updates: ChannelUpdates, batches: FastBatches, size: int, layer: int, faults: WeightFaults
) -> float:
    """The largest error of a logit under these faults, relative to the bound of its pair's magnitudes.

    Args:
        exact: what the logits are compared with.
        updates: the first stage of `fast` after the layer.
        batches: its second stage.
        size: pairs to run at once.
        layer: index of the injectable layer.
        faults: of that layer.
    """
    meter = ErrorMeter(len(faults), batches.block.logits)
    exact.run(batches.block, layer, faults, meter)
    pairs = batches.gather(list(updates.run(faults, meter)))
    if pairs is None:
        return 0.0
    logits, met = batches.run(pairs, size)
    bound = torch.maximum(met, batches.bound_of_updates(pairs))
    return meter.largest_error(pairs, logits, bound, batches.suffix.overflow)


def bounded_share(updates: ChannelUpdates, faults: WeightFaults) -> float:
    """The share of the pairs that differ from golden under these faults that bounds decide without a run."""
    counter = BoundedCounter()
    left = sum(map(len, updates.run(faults, counter)))
    return counter.pairs / max(1, counter.pairs + left)
