"""torchvision's classification CNNs by name, without their weights.

torchvision is imported where one of its networks is asked for: its import brings torch's compiler along, which takes
as long as all else that a command imports.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

_TRANSFORMERS = ("vit_", "swin_", "maxvit_")
_WITH_TRAINING_HEADS = ("googlenet", "inception_v3")
_TRAINING_HEADS = ("aux1.", "aux2.", "AuxLogits.")
_PUBLISHED_CLASSES = 1000


def torchvision_names() -> list[str]:
    """The names of torchvision's classification CNNs."""
    from torchvision import models

    return [name for name in models.list_models(module=models) if not name.startswith(_TRANSFORMERS)]


def torchvision_cnn(name: str, classes: int) -> nn.Module:
    """A freshly initialised network of torchvision; nothing is downloaded.

    The heads that GoogLeNet and Inception use in training only are left out.

    Raises:
        InputError: torchvision has no classification CNN of that name.
    """
    from torchvision import models

    known = torchvision_names()
    if name not in known:
        close = get_close_matches(name, known, n=1)
        mend = f"did you mean torchvision:{close[0]}?" if close else f"use one of {', '.join(known)}"
        raise InputError(f'torchvision has no classification CNN "{name}" ([model] arch); {mend}')
    options: dict[str, Any] = {"aux_logits": False, "init_weights": False} if name in _WITH_TRAINING_HEADS else {}
    model: nn.Module = models.get_model(name, weights=None, num_classes=classes, **options)
    return model


def as_published(
    arch: str, model: nn.Module, weights: Mapping[str, Tensor], mean: Sequence[float]
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """What torchvision does for its own weights of GoogLeNet and Inception v3; nothing for other networks.

    Their files hold the heads that only training uses, which are left out. And their weights were trained on images
    normalised with mean and std 0.5: a network that torchvision gives its own weights converts images that were
    normalised for ImageNet. No file says whether its network did so. One of 1,000 classes is taken to be torchvision's,
    unless the images are normalised with 0.5 already.

    Args:
        arch: names the network in messages.
        model: without training heads; its `transform_input` is set.
        weights: by torchvision's names, of any shape.
        mean: what the images are normalised with, a number per channel.

    Returns:
        The weights without training heads, and sentences for the user.
    """
    from torchvision import models

    if not isinstance(model, models.GoogLeNet | models.Inception3):
        return dict(weights), ()
    kept = {name: tensor for name, tensor in weights.items() if not name.startswith(_TRAINING_HEADS)}
    model.transform_input = model.fc.out_features == _PUBLISHED_CLASSES and set(mean) != {0.5}
    notes = [
        f"{arch}: images are taken to be normalised for ImageNet, and converted as torchvision does for its own weights"
        if model.transform_input
        else f"{arch}: images are taken as [dataset] normalises them; weights that were trained with transform_input "
        "need a factory that sets it"
    ]
    if len(kept) < len(weights):
        heads = sorted({name.partition(".")[0] for name in weights.keys() - kept.keys()})
        notes.append(f"{arch}: {' and '.join(heads)} in the file are left out, as only training uses them")
    return kept, tuple(notes)
