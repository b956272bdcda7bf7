"""Putting the tensors of a file into a network, after making sure that they are its own and are plain numbers."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from engine.errors import InputError, reason_of
from engine.models.plain import odd_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def fill(path: Path, weights: Mapping[str, Tensor], model: nn.Module, network: str) -> tuple[str, ...]:
    """Give a network its weights, in place; floats of any width become float32.

    Args:
        path: of the file they were read from, for messages.
        weights: by the network's names, each of the shape that the network has.
        model: in float32, on the CPU.
        network: how messages call it.

    Returns:
        A sentence where float64 values were rounded.

    Raises:
        InputError: they are another network's, or no floating point numbers.
    """
    expected = {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}
    known = {name: tensor for name, tensor in weights.items() if name in expected and not _is_counter(name)}
    wrong = next((name for name, tensor in known.items() if tensor.shape != expected[name].shape), None)
    if wrong is not None:
        shape = f"{wrong} is {tuple(known[wrong].shape)} in the file but {tuple(expected[wrong].shape)} in the network"
        missing, unexpected = [name for name in expected if name not in weights], weights.keys() - expected.keys()
        raise _another_network(path, network, shape, missing, [name for name in weights if name in unexpected])
    for name, tensor in known.items():
        _check_kind(path, name, tensor, expected[name])
    try:
        missing, unexpected = model.load_state_dict(_of_this_version(weights, model), strict=False)
    except Exception as error:  # a network may translate the names of its earlier versions, by code of its own
        said = reason_of(error) if not isinstance(error, RuntimeError) else str(error).splitlines()[-1].strip()
        raise _another_network(path, network, said.rstrip("."), [], []) from None
    missing = [name for name in missing if name in expected]
    if any(not _is_counter(name) for name in missing) or unexpected:
        raise _another_network(path, network, "", missing, unexpected)
    rounded = sum(int((tensor != tensor.float()).sum()) for tensor in known.values() if tensor.dtype == torch.float64)
    return (f"{path}: {rounded:,} of its float64 values are rounded to float32",) if rounded else ()


def _of_this_version(weights: Mapping[str, Tensor], model: nn.Module) -> Mapping[str, Tensor]:
    """The weights, marked as those of the network's own version where they have all its names.

    A network may refuse, or change, what has no mark; a safetensors file has none.
    """
    own: Any = model.state_dict()
    if any(name not in weights and not _is_counter(name) for name in own):
        return weights
    marked: Any = OrderedDict(weights)
    marked._metadata = getattr(own, "_metadata", None)
    return cast("Mapping[str, Tensor]", marked)


def check_finite(path: Path, model: nn.Module) -> None:
    """Refuse a network with a parameter that is no finite number in float32, or a NaN in its statistics.

    Raises:
        InputError: naming the first one.
    """
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise InputError(f"{path}: {name} holds NaN or infinite values (in float32); give finite weights")
    for name, buffer in model.named_buffers():
        if buffer.is_floating_point() and torch.isnan(buffer).any():
            raise InputError(f"{path}: {name} holds NaN; give finite weights")


def _check_kind(path: Path, name: str, given: Tensor, wanted: Tensor) -> None:
    oddity = odd_kind(given)
    if not wanted.is_floating_point() and given.dtype == wanted.dtype:
        return
    if not wanted.is_floating_point() and not oddity:
        oddity = str(given.dtype).removeprefix("torch.")
    if oddity:
        kind = str(wanted.dtype).removeprefix("torch.")
        raise InputError(
            f"{path}: {name} is {oddity}, but {kind} in the network; give [model] weights that the network can be "
            "run with as they are, in floating point"
        )


def _another_network(path: Path, network: str, problem: str, missing: list[str], unexpected: list[str]) -> InputError:
    problems = [problem] if problem else []
    if needed := [name for name in missing if not _is_counter(name)]:
        problems.append(f"the file lacks {listed(needed)}")
    if unexpected:
        problems.append(f"the network has no {listed(unexpected)}")
    return InputError(f"{path}: not the weights of {network}: {', and '.join(problems)}; fix [model] arch or weights")


def _is_counter(name: str) -> bool:
    """Whether it counts the batches of training: of no use in eval mode, and absent from older files."""
    return name.endswith("num_batches_tracked")


def listed(names: Sequence[str]) -> str:
    """The first three names, and how many more there are."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
