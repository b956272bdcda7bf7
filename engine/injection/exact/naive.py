"""The naive loop: flip the bit in place, run the whole network, restore. The judge of every faster method."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.injection.network.layers import injectable_modules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from engine.injection.outcomes import WeightFaults


@contextmanager
def injected(weight: Tensor, weight_index: int, value: np.float32) -> Iterator[None]:
    """`weight`, of any shape, with the value at one flat index (C order) replaced; restored on the way out."""
    element = weight.detach()[np.unravel_index(weight_index, weight.shape)]  # a view of that one value
    golden = element.clone()
    element.copy_(torch.as_tensor(value))
    try:
        yield
    finally:
        element.copy_(golden)


def naive_logits(model: nn.Module, faults: WeightFaults, images: Tensor, batch: int) -> Iterator[Tensor]:
    """The logits [images, classes] under each fault in turn.

    Args:
        model: in eval mode; its weights are flipped in place and restored.
        faults: what to inject, each into the whole network.
        images: [N, C, H, W], on the model's device; each run gets a copy, which the network may overwrite.
        batch: images run at once.
    """
    weights = [module.weight for _, module in injectable_modules(model)]
    for row, (layer, weight_index, value) in enumerate(
        zip(faults.layer, faults.weight_index, faults.value, strict=True)
    ):
        with torch.inference_mode(), ExitStack() as sites:
            sites.enter_context(injected(weights[layer], int(weight_index), value))
            if faults.more is not None:
                more = faults.more.take(np.array([row]))
                for site in zip(more.layer, more.weight_index, more.value, strict=True):
                    sites.enter_context(injected(weights[site[0]], int(site[1]), site[2]))
            # of one image, a forward may leave out the dimension of the images
            yield torch.cat([model(part.clone()).reshape(len(part), -1) for part in torch.split(images, batch)])
