"""Weights that a network computes from other tensors: replaced by the plain weight that they give.

A fault is one flipped bit of a weight in memory. A weight that is computed anew in each forward pass would lose it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.utils import parametrize, prune, remove_spectral_norm, remove_weight_norm
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from engine.errors import InputError, reason_of
from engine.models.plain import LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import Tensor


def fold_computed_weights(arch: str, model: nn.Module) -> tuple[str, ...]:
    """Replace every weight that torch computes from others by its value, in place.

    Weight norm, spectral norm and pruning masks of `torch.nn.utils`, and all parametrizations. The value is the one
    that a forward pass in eval mode uses, to the bit.

    Args:
        arch: names the network in messages.
        model: in eval mode, with its trained weights.

    Returns:
        A sentence for each layer whose weight was computed.

    Raises:
        InputError: a parametrization fails.
    """
    names = {module: name or arch for name, module in model.named_modules()}
    folded = [*_fold_parametrizations(arch, list(names)), *_fold_hooks(list(names))]
    return tuple(
        f"{names[module]}: its {name} is computed ({how}); faults are put into the weight that it gives"
        for module, name, how in folded
        if name == "weight" and isinstance(module, LAYERS)
    )


Folded = tuple[nn.Module, str, str]
"""a module, the name of its tensor, and how that was computed"""


def _fold_parametrizations(arch: str, modules: Sequence[nn.Module]) -> list[Folded]:
    """Fold what `torch.nn.utils.parametrize` registered."""
    folded: list[Folded] = []
    values: list[Tensor] = []  # all of them before the first is put in place: two may be computed from one original
    for module in modules:
        if not parametrize.is_parametrized(module):
            continue
        lists: Any = module.parametrizations
        for name, steps in lists.items():
            how = ", ".join(_words(type(step).__name__) for step in steps)
            try:
                with torch.no_grad():
                    values.append(getattr(module, name).detach().clone())
            except Exception as error:  # a parametrization may be of the user's own and raise anything
                raise InputError(
                    f"{arch}: computing {name} ({how}) fails with {reason_of(error)}; fix [model] arch"
                ) from None
            folded.append((module, name, how))
    for (module, name, _), value in zip(folded, values, strict=True):
        parametrize.remove_parametrizations(module, name)
        if name in module._parameters:
            module._parameters[name] = nn.Parameter(value, requires_grad=False)
        else:
            module._buffers[name] = value
    return folded


def _fold_hooks(modules: Sequence[nn.Module]) -> list[Folded]:
    """Fold what a forward pre-hook of torch computes; masks first, as norms may be of a masked tensor."""
    folded: list[Folded] = []
    hooks = [(module, hook) for module in modules for hook in module._forward_pre_hooks.values()]
    for module, hook in hooks:
        if isinstance(hook, prune.BasePruningMethod):
            prune.remove(module, hook._tensor_name)  # type: ignore[no-untyped-call]
            folded.append((module, hook._tensor_name, "pruning mask"))
    for module, hook in hooks:
        if isinstance(hook, WeightNorm):
            remove_weight_norm(module, hook.name)
            folded.append((module, hook.name, "weight_norm"))
        elif isinstance(hook, SpectralNorm):
            remove_spectral_norm(module, hook.name)
            folded.append((module, hook.name, "spectral_norm"))
    return folded


def _words(kind: str) -> str:
    """How torch calls what a class of its own does: weight_norm for _WeightNorm."""
    known = {"_WeightNorm": "weight_norm", "_SpectralNorm": "spectral_norm", "_Orthogonal": "orthogonal"}
    return known.get(kind, kind)


def check_faults_last(arch: str, model: nn.Module, images: Tensor) -> None:
    """Refuse a network that would undo a fault: one that sets a layer's weight itself in each forward pass.

    Tried out with the lowest bit of all such weights flipped; they are as before afterwards.

    Args:
        arch: names the network in messages.
        model: in eval mode, after `fold_computed_weights`.
        images: [N, C, H, W] that it takes.

    Raises:
        InputError: the weight of a convolution or linear layer is no parameter, or did not stay flipped.
    """
    layers = [(name or arch, module) for name, module in model.named_modules() if isinstance(module, LAYERS)]
    for name, module in layers:
        if not isinstance(module._parameters.get("weight"), nn.Parameter):
            raise InputError(_undone(arch, name))
    weights = {id(module.weight): module.weight for _, module in layers}
    golden = {key: weight.detach().clone() for key, weight in weights.items()}
    try:
        _flip_lowest_bits(weights.values())
        with torch.no_grad(), suppress(Exception):  # what fails by so little says nothing of the weights
            model(images)
        _flip_lowest_bits(weights.values())
        undone = [name for name, module in layers if not _is_kept(module, golden)]
    finally:
        for key, weight in weights.items():
            weight.data = golden[key]
    if undone:
        raise InputError(_undone(arch, undone[0]))


def _flip_lowest_bits(weights: Iterable[Tensor]) -> None:
    for weight in weights:
        weight.data.view(torch.int32).bitwise_xor_(1)


def _is_kept(module: nn.Module, golden: Mapping[int, Tensor]) -> bool:
    """Whether a layer still holds the parameter that it had, with these values."""
    weight = module._parameters.get("weight")
    return weight is not None and id(weight) in golden and torch.equal(weight, golden[id(weight)])


def _undone(arch: str, name: str) -> str:
    return (
        f"{arch}: the weight of {name} is set anew in each forward pass, which would undo a fault in it; return a "
        "network in which that weight is an nn.Parameter that keeps its value"
    )
