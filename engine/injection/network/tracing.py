"""The graph of a network's own forward, as `torch.fx` records it; why there is none, in the words of who wrote it."""

from __future__ import annotations

import inspect
import linecache
import traceback
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import fx, nn
from torch.nn.modules import module as torch_module

from engine.errors import reason_of
from engine.injection.memory import is_out_of_memory
from engine.injection.network.layers import is_injectable

if TYPE_CHECKING:
    from types import TracebackType

_LIBRARIES = (Path(torch.__file__).parent, Path(__file__).parents[2])
"""folders whose frames are not the user's"""

_ADVICE = (
    ("cannot be iterated", "a loop over a tensor, or a * before it, is not recorded; work on the whole tensor"),
    ("control flow", "it decides by a value or a size of the images; decide by a constant, or use torch.where"),
    ("item assignment", "assigning to a part of a tensor is not recorded; use torch.where or torch.cat"),
    ("'len' is not supported", "len() of a tensor is not recorded; use its .size(0)"),
    ("interpreted as an integer", "it needs a size as a number; take it from a constant"),
    ("Proxy", "it needs a value where only its place in the graph is known; take it from a constant"),
)
"""what torch.fx says, in part, and what to tell the user: of two that fit, the first one"""

_OTHER_ADVICE = "take sizes from constants, and make new tensors by torch.zeros_like or .new_zeros"

_PLACE = "place"
"""where `meta` of a node has the file and the line of the user's code that made it"""


class UntraceableError(Exception):
    """Why a network has no usable graph."""


class OneInput(nn.Module):
    """A network as it is called: with the images alone, whatever else its forward could take."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> Any:
        """The network's output for `images` [n, C, H, W]."""
        return self.network(images)


class _Tracer(fx.Tracer):
    """Records where in the user's code each node was made, and an injectable layer as one node.

    `record_stack_traces` of torch.fx would do the first, but imports torch's compiler for it: seconds in every process.
    """

    def create_node(self, *arguments: Any, **options: Any) -> fx.Node:
        """A node that knows its place."""
        node = super().create_node(*arguments, **options)
        node.meta[_PLACE] = _place_now()
        return node

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Also a subclass of a layer whose computation is the layer's own."""
        return super().is_leaf_module(m, module_qualified_name) or (is_injectable(m) and plain_class(m) is not None)


def trace_graph(root: OneInput) -> fx.Graph:
    """The graph of `root`.

    Raises:
        UntraceableError: if its control flow depends on values, or what it does is not recorded.
    """
    try:
        return _Tracer().trace(root)
    except Exception as error:  # tracing runs the network's own code: whatever that raises means "no graph"
        if is_out_of_memory(error):
            raise
        raise UntraceableError(_in_words(error)) from None


def plain_class(module: nn.Module) -> type[nn.Module] | None:
    """The class of torch whose computation a module does; None where something else may be done.

    That is a forward of its own, be it of its class, put in its place in the class of torch, or an attribute of the
    module alone; and hooks, its own or those that torch calls for every module.
    """
    own = type(module)
    base = next((each for each in own.__mro__ if each.__module__.startswith("torch.nn.modules.")), nn.Module)
    overrides = any(
        getattr(own, name, None) is not getattr(base, name, None)
        or name in vars(module)
        or not getattr(getattr(base, name, None), "__module__", "torch.nn").startswith("torch.nn")
        for name in ("forward", "_conv_forward", "__call__")
    )
    hooked_everywhere: bool = torch_module._has_any_global_hook()  # type: ignore[no-untyped-call]
    is_hooked = bool(module._forward_hooks or module._forward_pre_hooks or hooked_everywhere)
    has_own_weight = not is_injectable(module) or isinstance(module._parameters.get("weight"), nn.Parameter)
    return base if base is not nn.Module and not overrides and not is_hooked and has_own_weight else None


def place_of(node: fx.Node) -> str:
    """The line of the user's code that made a node: `net.py, line 12 ("x = x + y")`; its name where none is known."""
    place = node.meta.get(_PLACE)
    return _line(*place) if place else f"the operation {node.name}"


def _place_now() -> tuple[str, int] | None:
    """The line of the user's code that runs, inside the network's forward: None outside of it, or if it has none."""
    place, frame = None, inspect.currentframe()
    while frame is not None and frame.f_code is not OneInput.forward.__code__:
        if place is None and not _is_of_library(frame.f_code.co_filename):
            place = frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return place if frame is not None else None


def _in_words(error: Exception) -> str:
    said = reason_of(error)
    unknown = f"it fails where only places in the graph are known ({said}); {_OTHER_ADVICE}"
    advice = next((advice for sign, advice in _ADVICE if sign in said), unknown)
    place = _user_line(error.__traceback__)
    return f"{place}: {advice}" if place else advice


def _user_line(trace: TracebackType | None) -> str | None:
    frames = [frame for frame in traceback.extract_tb(trace) if not _is_of_library(frame.filename)]
    return _line(frames[-1].filename, frames[-1].lineno or 0) if frames else None


@cache
def _is_of_library(file: str) -> bool:
    return file.startswith("<") or any(Path(file).is_relative_to(folder) for folder in _LIBRARIES)


def _line(file: str, number: int) -> str:
    text = linecache.getline(file, number).strip()
    return f"{Path(file).name}, line {number}" + (f' ("{text}")' if text else "")
