"""Whether a network answers the same each time it is asked, whatever lies beside an image in its batch.

A plain loop compares a faulty run with a fault-free one. Where the network draws random numbers, keeps state between
runs or mixes the images of a batch, the two differ without a fault, and no severity means anything.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import InputError
from engine.injection.comparison import is_close

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RUNS = 3
"""of the same batch, beside the first one; what draws random numbers is told by the generators, even if that is rare"""


def check_steady(network: nn.Module, images: Tensor) -> None:
    """Ask the fault-free network several times, in other orders and beside other images.

    Args:
        network: in eval mode; it is run and nothing of it is changed.
        images: [n, C, H, W], n at least 4, on its device.

    Raises:
        InputError: its answers for an image differ by more than rounding; the sentence names the first module whose
            output moves.
    """
    first, draws = _ask(network, images)
    for turn in _turns(len(images)):
        again, draws_again = _ask(network, images[turn.order])
        if draws or draws_again or not is_close(first[turn.common], again[turn.places]):
            raise InputError(_sentence(network, images, turn, draws or draws_again))


def _ask(network: nn.Module, images: Tensor) -> tuple[Tensor, bool]:
    """The answers [n, classes] for `images` [n, C, H, W], and whether random numbers were drawn for them."""
    with torch.inference_mode():
        before = _random_state(images.device)
        answers: Tensor = network(images.clone())
        return answers, not _same_state(before, _random_state(images.device))


@dataclass(frozen=True)
class _Turn:
    """Another run beside the first: which images it has, and where those are that both have."""

    order: Tensor
    common: Tensor
    """places in the first run"""
    places: Tensor
    """places of the same images in the other one"""
    what: str


def _turns(count: int) -> Iterator[_Turn]:
    every = torch.arange(count)
    for _ in range(_RUNS):
        yield _Turn(every, every, every, "from run to run")
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    yield _Turn(order, order, every, "with the order of the images in a batch")
    half = every[: count // 2]
    yield _Turn(torch.cat([half, half.flip(0)]), half, half, "with the other images of its batch")
    yield _Turn(torch.cat([every, half]), every, every, "with the size of the batch")


def _sentence(network: nn.Module, images: Tensor, turn: _Turn, draws: bool) -> str:
    module = _first_to_move(network, images, turn, draws)
    if draws:
        cause = f"{module} draws random numbers when the network is evaluated"
        mend = "pass training=self.training to a functional dropout, or leave the noise out"
    else:
        cause = f"the output of {module} for the same image changes {turn.what}"
        mend = "let nothing in it depend on other images or on earlier runs (a batch norm needs running statistics)"
    return f"[model]: the network's answers differ without a fault: {cause}, so that no effect can be told; {mend}"


def _first_to_move(network: nn.Module, images: Tensor, turn: _Turn, draws: bool) -> str:
    """The innermost module whose output moves although what it reads does not, or that draws; the network else."""
    with torch.inference_mode():
        with _recorded(network) as first:
            network(images.clone())
        with _recorded(network) as again:
            network(images[turn.order].clone())
    if draws:
        drawing = [call.name for call in first if call.draws]
        return drawing[0] if drawing else type(network).__name__
    for one, other in zip(first, again, strict=False):
        if one.name != other.name:
            break
        if _agree(one.read, other.read, turn) and not _agree(one.gave, other.gave, turn):
            return one.name
    return type(network).__name__


@dataclass
class _Call:
    """One call of a module."""

    name: str
    read: tuple[Tensor, ...]
    gave: tuple[Tensor, ...]
    draws: bool


@contextmanager
def _recorded(network: nn.Module) -> Iterator[list[_Call]]:
    """The calls of all modules, in the order in which they end: inner ones first."""
    calls: list[_Call] = []
    begun: list[tuple[Any, tuple[Tensor, ...]]] = []
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))

    def begin(module: nn.Module, read: tuple[Any, ...]) -> None:  # noqa: ARG001 - as a hook
        begun.append((_random_state(device), _tensors(read)))

    def end(name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def hook(module: nn.Module, read: tuple[Any, ...], gave: Any) -> None:  # noqa: ARG001 - as a hook
            state, values = begun.pop()
            calls.append(_Call(name, values, _tensors(gave), not _same_state(state, _random_state(device))))

        return hook

    handles = []
    for name, module in network.named_modules():
        shown = f"{name} ({type(module).__name__})" if name else type(module).__name__
        handles += [module.register_forward_pre_hook(begin), module.register_forward_hook(end(shown))]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _tensors(values: Any) -> tuple[Tensor, ...]:
    """Copies: an operation that works in place may overwrite what a module reads or gives."""
    flat = values if isinstance(values, tuple | list) else (values,)
    return tuple(value.clone() for value in flat if isinstance(value, Tensor))


def _agree(one: tuple[Tensor, ...], other: tuple[Tensor, ...], turn: _Turn) -> bool:
    """Whether two runs agree on the images that both have; what has no row for each image is not compared."""
    for a, b in zip(one, other, strict=False):
        has_rows = a.ndim and b.ndim and len(a) > int(turn.common.max()) and len(b) == len(turn.order)
        if has_rows and not is_close(a[turn.common], b[turn.places]):
            return False
    return True


def _random_state(device: torch.device) -> tuple[Any, ...]:
    on_device = torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.empty(0)
    name, keys, *rest = np.random.get_state()
    return (torch.get_rng_state(), on_device, random.getstate(), (name, np.asarray(keys).tobytes(), *rest))


def _same_state(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return torch.equal(one[0], other[0]) and torch.equal(one[1], other[1]) and one[2:] == other[2:]
