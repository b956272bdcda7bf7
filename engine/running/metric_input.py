"""What metrics are computed from: golden logits, and the features or pixels that a metric says it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.errors import InputError
from engine.injection.batch_rows import pad_rows
from engine.injection.network.layers import injectable_modules
from engine.metrics.metric import MetricInput
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from engine.datasets import Dataset
    from engine.metrics.metric import Metric


def metric_input(
    metric: Metric,
    logits: NDArray[np.float32],
    model: nn.Module,
    dataset: Dataset,
    device: str,
    rows: int,
    on_step: OnStep = nobody_waits,
) -> MetricInput:
    """What a metric of the N images needs; features and pixels cost nothing where it needs none.

    Args:
        metric: says what it needs.
        logits: [N, K] of the fault-free network.
        model: the network, in eval mode.
        dataset: of the images.
        device: of the model.
        rows: images run at once.
        on_step: told how many images are done.

    Raises:
        InputError: the network has no such layer as the metric reads, or does not run it.
    """
    if metric.needs == "features":
        features = take_features(metric, model, dataset, device, rows, on_step)
        return MetricInput(logits, dataset.labels, taken=features, on_step=on_step)
    if metric.needs == "pixels":

        def batches() -> Iterator[NDArray[np.uint8] | NDArray[np.float32]]:
            return map(dataset.images.__getitem__, dataset.blocks())

        return MetricInput(logits, dataset.labels, batches=batches, on_step=on_step)
    return MetricInput(logits, dataset.labels)


def take_features(
    metric: Metric, model: nn.Module, dataset: Dataset, device: str, rows: int, on_step: OnStep = nobody_waits
) -> NDArray[np.float32]:
    """What the metric's layer reads, [N, D], each image's flattened.

    They are taken by a hook in a pass of their own: the pass that gives the golden logits is spread over threads, and
    its batches are padded.

    Args:
        metric: names the layer.
        model: in eval mode, on its device.
        dataset: of N images.
        device: of the model.
        rows: images run at once.
        on_step: told how many images are done.

    Raises:
        InputError: the network has no such layer, or does not run it.
    """
    name, layer = _layer_of(metric, model)
    seen: list[Tensor] = []
    parts: list[Tensor] = []

    def see(_module: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Tensor]) -> None:
        read = (*inputs, *named.values())[0]
        seen[:] = [read.flatten(1).float().clone()]  # the network may write to it later

    handle = layer.register_forward_pre_hook(see, with_kwargs=True)
    try:
        for start in range(0, len(dataset), rows):
            on_step(Step("taking the features", start, len(dataset)))
            batch = torch.from_numpy(dataset.batch(slice(start, start + rows)))
            with torch.inference_mode():
                model(pad_rows(batch, 2).to(device))  # of one image, a forward may leave out their dimension
            if not seen:
                raise InputError(
                    f"[workload] metric: {metric.name} reads the layer {name}, which the network does not run; "
                    "choose another metric"
                )
            parts.append(seen.pop()[: len(batch)].cpu())
    finally:
        handle.remove()
    return np.asarray(torch.cat(parts).numpy())


def _layer_of(metric: Metric, model: nn.Module) -> tuple[str, nn.Module]:
    """Name and module of the layer whose input is taken."""
    if not metric.layer:
        return injectable_modules(model)[-1]
    modules = dict(model.named_modules())
    if metric.layer not in modules:
        names = ", ".join(name for name, _ in injectable_modules(model))
        raise InputError(
            f"[workload] metric: {metric.name} reads the layer {metric.layer}, which the network lacks; "
            f"choose another metric, or name one of {names} where the metric is made"
        )
    return metric.layer, modules[metric.layer]
