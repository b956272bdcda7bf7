"""What a network makes of the images: logits, or a sentence that says what to mend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin

from engine.errors import InputError, reason_of
from engine.models.lenet5 import LeNet5

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.datasets import Dataset


MOST_CLASSES = 2**16
"""that a prediction of a critical pair is kept for"""


def materialise(arch: str, model: nn.Module, dataset: Dataset) -> None:
    """Let lazy modules take their shapes from the images, by one forward pass; nothing where there are none.

    Raises:
        InputError: images and network do not go together, or such a module is never called.
    """
    if not any(isinstance(module, LazyModuleMixin) for module in model.modules()):
        return
    _run(arch, model.eval(), dataset)
    for name, module in model.named_modules():
        if isinstance(module, LazyModuleMixin):
            raise InputError(f"{arch}: its lazy module {name} is never called; give it its shape, or leave it out")


def count_classes(arch: str, model: nn.Module, dataset: Dataset) -> int:
    """The number of logits that a network gives for each image.

    Args:
        arch: names the network in messages.
        model: in eval mode.
        dataset: of images [N, C, H, W].

    Raises:
        InputError: images and network do not go together, or the output is not [batch, classes] of floating point
            numbers, or there are more classes than a campaign keeps apart.
    """
    output = _run(arch, model, dataset)
    if isinstance(output, Tensor) and _is_logits(output):
        _check_logits(arch, output)
        return int(output.shape[1])
    given = f"{list(output.shape)}" if isinstance(output, Tensor) else f"a {type(output).__name__}"
    mend = "fix [model] arch"
    for place, item in _items(output):
        if _is_logits(item):
            mend = f"{place} of it is {list(item.shape)}: return a network whose forward gives only that"
            break
    raise InputError(f"{arch}: its output for 2 images is {given}, but should be logits [2, classes]; {mend}")


def _check_logits(arch: str, logits: Tensor) -> None:
    if not logits.is_floating_point():
        kind = str(logits.dtype).removeprefix("torch.")
        raise InputError(
            f"{arch}: its output is {kind}, but should be logits in floating point; return what that is made of"
        )
    if logits.shape[1] > MOST_CLASSES:
        raise InputError(
            f"{arch}: it has {logits.shape[1]:,} classes, but predictions are kept as numbers below {MOST_CLASSES:,}; "
            "return the logits of at most so many"
        )


def _run(arch: str, model: nn.Module, dataset: Dataset) -> object:
    """The output for two images without content."""
    size = dataset.images.shape[1:]
    misfit = f"{dataset.name}: images of {' x '.join(map(str, size))} do not fit {arch}"
    if isinstance(model, LeNet5) and model.image_size != size[1:]:
        raise InputError(f"{misfit}, which takes 1 x 28 x 28 or 3 x 32 x 32; give [dataset] images of that size")
    try:
        with torch.no_grad():
            return model(torch.zeros(2, *size))
    except ImportError as error:
        raise InputError(
            f"{arch}: imports something while it runs ({reason_of(error)}); import it at the top of its module"
        ) from None
    except Exception as error:  # a network may raise anything for what it was not made for
        raise InputError(f"{misfit} ({reason_of(error)}); give [dataset] other images, or fix [model] arch") from None


def _is_logits(item: Tensor) -> bool:
    return item.ndim == 2 and len(item) == 2


def _items(output: object) -> Iterator[tuple[str, Tensor]]:
    """The tensors in an output of several parts, and how each is called."""
    if isinstance(output, Mapping):
        yield from ((f"[{key!r}]", item) for key, item in output.items() if isinstance(item, Tensor))
    elif isinstance(output, Sequence) and not isinstance(output, str):
        yield from ((f"[{place}]", item) for place, item in enumerate(output) if isinstance(item, Tensor))
    elif hasattr(output, "__dict__"):
        yield from ((f".{name}", item) for name, item in vars(output).items() if isinstance(item, Tensor))
