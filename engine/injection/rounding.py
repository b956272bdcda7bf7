"""How far the fast method's arithmetic is from the exact one's, measured on the network at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.faults.bits import faulty_values
from engine.injection.outcomes import WeightFaults

if TYPE_CHECKING:
    from torch import Tensor

    from engine.injection.exact import ExactRunner
    from engine.injection.fast_batches import FastBatches
    from engine.injection.pairs import Pairs

_OVERFLOW = 1e37
"""beyond, a sum may overflow or not, depending on its order"""

_SAMPLED_WEIGHTS = 4


def sample_faults(layer: int, weight: Tensor) -> WeightFaults:
    """Flips of all bits, spread over some weights of one layer."""
    index = np.random.default_rng(layer).choice(weight.numel(), min(_SAMPLED_WEIGHTS, weight.numel()), replace=False)
    golden = weight.detach().cpu().contiguous().numpy().reshape(-1)[index].repeat(32)
    bit = np.tile(np.arange(32, dtype=np.uint8), len(index))
    value = faulty_values(golden, bit, np.full(len(bit), -1, dtype=np.int8))
    count = len(bit)
    return WeightFaults(
        np.arange(count), np.full(count, layer, np.int32), index.repeat(32), value, np.ones(count, dtype=bool)
    )


class ErrorMeter:
    """A recorder that compares the logits of `exact` with those of `fast`."""

    def __init__(self, batches: FastBatches) -> None:
        self._batches = batches
        self._logits: list[Tensor] = []

    def record(self, faults: Tensor, images: Tensor, logits: Tensor) -> None:  # noqa: ARG002 - called as a Recorder
        """What `exact` gives, in the order of the pairs."""
        self._logits.append(logits)

    def largest_error(self, pairs: Pairs, exact: ExactRunner) -> float:
        """Largest difference of a logit, relative to the largest magnitude of its pair; finite pairs only.

        Args:
            pairs: in ascending runs of one channel.
            exact: records here.
        """
        if len(pairs) == 0:
            return 0.0
        logits, magnitude = self._batches.run(pairs)
        self._logits = []
        exact.add(pairs)
        exact.finish()
        relative = (logits - torch.cat(self._logits)).abs().amax(1) / magnitude
        finite = relative[magnitude < _OVERFLOW].nan_to_num(0)
        return float(finite.max()) if len(finite) else 0.0
