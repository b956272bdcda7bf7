"""How far the fast method's arithmetic is from the exact one's, measured on the network at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.formats.fault_model import FLIPPED
from engine.formats.float32 import FLOAT32
from engine.injection.outcomes import WeightFaults

if TYPE_CHECKING:
    from torch import Tensor

    from engine.injection.exact.pairs import Pairs

OVERFLOW = 1e33
"""beyond, a sum of products may overflow or not, depending on how it is formed: transforms and norms scale between"""

PLAIN_OVERFLOW = 1.7e38
"""the same where sums of products are formed directly: half of float32's largest"""

_ROUNDING = 1e-3
"""of the largest magnitude of a value: less may be another order of summation"""

_SAMPLED_WEIGHTS = 20
"""over all layers, at least one in each"""


def is_close(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors differ by no more than another order of summation, or another kernel, can make."""
    if one.shape != other.shape or not torch.equal(one.isfinite(), other.isfinite()):
        return False
    one, other = (value.double().nan_to_num(0, 0, 0) for value in (one, other))
    return not one.numel() or bool((one - other).abs().max() <= _ROUNDING * one.abs().max())


def sample_faults(layer: int, weight: Tensor, layers: int) -> WeightFaults:
    """Flips of all bits, spread over some weights of one of `layers` layers."""
    count = min(-(-_SAMPLED_WEIGHTS // layers), weight.numel())
    index = np.random.default_rng(layer).choice(weight.numel(), count, replace=False)
    golden = weight.detach().cpu().contiguous().numpy().reshape(-1)[index].repeat(FLOAT32.bits)
    bit = np.tile(np.array(FLOAT32.all_bits, dtype=np.uint8), len(index))
    value = FLOAT32.faulty_values(golden, bit, np.full(len(bit), FLIPPED, dtype=np.int8))
    count, of_layer = len(bit), np.full(len(bit), layer, np.int32)
    return WeightFaults(np.arange(count), of_layer, index.repeat(FLOAT32.bits), value, np.ones(count, dtype=bool))


class ErrorMeter:
    """A recorder that keeps the logits of `exact`, to compare those of `fast` with."""

    looks_at_doubt = False

    def __init__(self, faults: int, golden: Tensor) -> None:
        """`golden`: logits [images, classes]."""
        self._logits = golden.expand(faults, *golden.shape).clone()

    def record(self, faults: Tensor, images: Tensor, logits: Tensor) -> None:
        """Logits of pairs that are not masked."""
        self._logits[faults, images] = logits

    def settle(self, faults: Tensor, images: Tensor, severity: Tensor, doubt: Tensor | None) -> None:
        """Nothing: `exact` settles no pair without its logits."""

    def settle_images(self, faults: Tensor, images: slice, severity: Tensor, doubt: Tensor | None) -> None:
        """Nothing: `exact` settles no pair without a run."""

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
