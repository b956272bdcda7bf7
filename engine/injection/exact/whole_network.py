"""The slowest method, which needs no graph: the whole network once for each fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.injection.exact.naive import naive_logits
from engine.injection.method import Method

if TYPE_CHECKING:
    from torch import nn

    from engine.injection.network.golden import GoldenBlock
    from engine.injection.outcomes import WeightFaults
    from engine.injection.recording import Recorder


class WholeNetwork(Method):
    """Flips, runs the whole network on the whole block, and restores; its faults may lie in several layers."""

    name = "whole network"
    is_bit_equal = True
    runs_alone = True

    def __init__(self, model: nn.Module, macs: int) -> None:
        """`model`: in eval mode; its weights are changed for each run. `macs`: multiplications of it for one image."""
        self._model = model
        self._macs = macs

    def macs(self, layer: int) -> int:  # noqa: ARG002 - as a Method
        """All of the network's."""
        return self._macs

    def run(self, block: GoldenBlock, layer: int, faults: WeightFaults, recorder: Recorder) -> None:  # noqa: ARG002 - as a Method
        """Record the logits of every image under each fault."""
        images = torch.arange(block.count, device=block.logits.device)
        rows = np.flatnonzero(faults.changes)
        all_logits = naive_logits(self._model, faults.take(rows), block.images, len(block.images))
        for row, logits in zip(rows, all_logits, strict=True):
            recorder.record(torch.full_like(images, int(row)), images, logits[: block.count])
