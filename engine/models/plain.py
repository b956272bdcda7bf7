"""A user's network without the wrappers of training, and with weights that can be changed one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from engine.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

LAYERS = (nn.modules.conv._ConvNd, nn.Linear)
"""the modules whose weights faults are put into"""

_QUANTISED = ("torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized", "torch.nn.quantized")
_FLOAT_AMONG_QUANTISED = ("FloatFunctional", "FXFloatFunctional")
"""what quantisation-ready networks add floats with"""


def plain_network(arch: str, model: nn.Module) -> nn.Module:
    """The network inside its wrappers, on the CPU, in float32.

    DataParallel, DistributedDataParallel, AveragedModel and torch.compile are taken off, at the top and inside: they
    say how a network is run, and rename its layers.

    Raises:
        InputError: a module is scripted or quantised, or a parameter is no plain tensor of floating point numbers.
    """
    model = _unwrapped(model)
    for module in model.modules():
        for name, child in list(module.named_children()):
            if (inner := _unwrapped(child)) is not child:
                setattr(module, name, inner)
    for name, module in model.named_modules():
        _check_module(arch, f"its module {name}" if name else "it", module)
        if module._compiled_call_impl is not None:  # nn.Module.compile() was called
            module._compiled_call_impl = None
    for name, parameter in model.named_parameters():
        if not isinstance(parameter, nn.parameter.UninitializedParameter):
            _check_parameter(arch, name, parameter)
    return model.cpu().float()


def _unwrapped(module: nn.Module) -> nn.Module:
    while True:
        if isinstance(module, nn.DataParallel | DistributedDataParallel | AveragedModel):
            inner = module.module
        else:
            inner = getattr(module, "_orig_mod", module)  # an OptimizedModule, which has no public name
        if inner is module or not isinstance(inner, nn.Module):
            return module
        module = inner


def _check_module(arch: str, what: str, module: nn.Module) -> None:
    if isinstance(module, torch.jit.ScriptModule) and (what == "it" or next(module.parameters(), None) is not None):
        raise InputError(
            f"{arch}: {what} is compiled by torch.jit, and the weights inside cannot be changed one by one; return the "
            "nn.Module that was scripted or traced"
        )
    kind = type(module)
    if kind.__module__.startswith(_QUANTISED) and kind.__name__ not in _FLOAT_AMONG_QUANTISED:
        raise InputError(
            f"{arch}: {what} is quantised ({kind.__name__}), but faults are put into float32 weights; return the "
            "network as it was before quantisation"
        )


def _check_parameter(arch: str, name: str, parameter: Tensor) -> None:
    if oddity := odd_kind(parameter):
        raise InputError(
            f"{arch}: its parameter {name} is {oddity}, but faults are put into float32 weights; return a network "
            "with plain floating point parameters"
        )


def odd_kind(tensor: Tensor) -> str:
    """What a tensor of any shape is other than plain numbers of 16 to 64 bits that become float32; empty if nothing."""
    if tensor.is_meta:
        return "on the meta device, without values"
    if tensor.is_quantized:
        return "quantised"
    if tensor.layout != torch.strided:
        return "sparse"
    is_wrapper = is_traceable_wrapper_subclass(tensor)  # as torchao's quantised weights are
    if is_wrapper:
        return f"a {type(tensor).__name__}"
    if tensor.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        return str(tensor.dtype).removeprefix("torch.")
    return ""
