"""torchvision's classification CNNs by name, without their weights."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from torchvision import models

from engine.errors import InputError

if TYPE_CHECKING:
    from torch import nn

_TRANSFORMERS = ("vit_", "swin_", "maxvit_")
_WITH_TRAINING_HEADS = ("googlenet", "inception_v3")


def torchvision_cnn(name: str, classes: int) -> nn.Module:
    """A freshly initialised network of torchvision; nothing is downloaded.

    The heads that GoogLeNet and Inception use in training only are left out.

    Raises:
        InputError: torchvision has no classification CNN of that name.
    """
    known = [other for other in models.list_models(module=models) if not other.startswith(_TRANSFORMERS)]
    if name not in known:
        close = get_close_matches(name, known, n=1)
        mend = f"did you mean torchvision:{close[0]}?" if close else f"use one of {', '.join(known)}"
        raise InputError(f'torchvision has no classification CNN "{name}" ([model] arch); {mend}')
    options: dict[str, Any] = {"aux_logits": False, "init_weights": False} if name in _WITH_TRAINING_HEADS else {}
    model: nn.Module = models.get_model(name, weights=None, num_classes=classes, **options)
    return model
