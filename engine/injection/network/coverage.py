"""Which parameters of a network faults are put into, and which ones they are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from engine.injection.network.layers import INJECTABLE, injectable_modules, is_injectable

if TYPE_CHECKING:
    from collections.abc import Iterator

BIAS = "bias"
"""kind of the biases of injectable layers"""
PARAMETER = "Parameter"
"""kind of a parameter of a module that is not of torch.nn"""

_CONTAINERS = (nn.Module, nn.Sequential, nn.ModuleList, nn.ModuleDict)
_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


@dataclass(frozen=True)
class NotInjected:
    """Parameters that no fault is put into."""

    name: str
    """of the module of torch.nn that has them, or of the parameter itself"""
    kind: str
    """class of that module, `BIAS` or `PARAMETER`"""
    parameters: int
    """how many numbers they are"""

    @property
    def is_norm(self) -> bool:
        """Whether they scale and shift what a norm layer gives."""
        kind = getattr(nn, self.kind, None)
        return isinstance(kind, type) and issubclass(kind, _NORMS)


@dataclass(frozen=True)
class Coverage:
    """The parameters of a network, each counted once."""

    injected: int
    kinds: tuple[str, ...]
    """classes of the injectable layers, in the order of their first layer"""
    not_injected: tuple[NotInjected, ...]
    """in module order"""

    @property
    def parameters(self) -> int:
        """How many parameters the network has."""
        return self.injected + sum(part.parameters for part in self.not_injected)

    @property
    def leaves_out_more_than_norms_and_biases(self) -> bool:
        """Whether something is left out that a reader would not expect."""
        return any(part.kind != BIAS and not part.is_norm for part in self.not_injected)

    @property
    def sentence(self) -> str:
        """For a person: injected: 61,470 of 61,706 parameters (99.6 %), ...; not injected: 236 in biases."""
        return f"injected: {self.summary}"

    @property
    def summary(self) -> str:
        """The sentence without its first word, for where that is a title."""
        share = 100 * self.injected / self.parameters if self.parameters else 100
        injected = (
            f"{self.injected:,} of {self.parameters:,} parameters ({share:.1f} %), the weights of "
            f"{_enumerated(self.kinds)}"
        )
        counts: Counter[str] = Counter()
        for part in self.not_injected:
            counts[_group(part)] += part.parameters
        groups = [f"{count:,} in {group}" for group, count in counts.most_common()]
        return f"{injected}; not injected: {_enumerated(groups)}" if groups else f"{injected}; nothing is left out"


def not_injected(model: nn.Module) -> tuple[NotInjected, ...]:
    """What directly owns parameters that are no weight of an injectable layer, in module order.

    A module of torch.nn is one part with all its parameters (LSTM, BatchNorm2d, Embedding, ...); a parameter of any
    other module, which may hold several things, is a part of its own; so is the bias of an injectable layer.
    """
    seen = {id(module.weight) for _, module in injectable_modules(model)}
    parts = []
    for name, module in model.named_modules():
        for part_name, kind, parameters in _parts(name, module):
            fresh = {id(parameter): parameter.numel() for parameter in parameters if id(parameter) not in seen}
            seen.update(fresh)
            if count := sum(fresh.values()):
                parts.append(NotInjected(part_name, kind, count))
    return tuple(parts)


def coverage(model: nn.Module) -> Coverage:
    """What of a network is injected."""
    modules = [module for _, module in injectable_modules(model)]
    kinds = dict.fromkeys(_kind(module) or type(module).__name__ for module in modules)
    return Coverage(sum(module.weight.numel() for module in modules), tuple(kinds), not_injected(model))


def _parts(name: str, module: nn.Module) -> Iterator[tuple[str, str, list[nn.Parameter]]]:
    """Name, kind and parameters of what a module owns itself."""
    own = dict(module.named_parameters(recurse=False))
    if is_injectable(module) and module.bias is not None and BIAS in own:
        yield f"{name}.{BIAS}".strip("."), BIAS, [own.pop(BIAS)]
    kind = _kind(module)
    if kind and not is_injectable(module):
        yield name or kind, kind, list(own.values())
    else:
        for parameter_name, parameter in own.items():
            yield f"{name}.{parameter_name}".strip("."), PARAMETER, [parameter]


def _kind(module: nn.Module) -> str:
    """The class of torch.nn that a module is or extends; empty where that is one for modules of any kind."""
    injectable = [kind for kind in INJECTABLE if isinstance(module, kind)]
    for kind in injectable or type(module).__mro__:
        if kind.__module__.startswith("torch.nn."):
            return "" if kind in _CONTAINERS else kind.__name__
    return ""


def _group(part: NotInjected) -> str:
    """How parts of one kind are called together."""
    if part.kind == BIAS:
        return "biases"
    if part.is_norm:
        return "norm layers"
    return "other parameters" if part.kind == PARAMETER else part.kind


def _enumerated(names: tuple[str, ...] | list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
