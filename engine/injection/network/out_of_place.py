"""Operations that overwrite what they read, made to leave it alone: a replay starts from kept golden values.

Whoever reads an overwritten value later in the forward means the new one: those readers are given the new node. Where
the same memory may also be reached by another name (a view, an unknown operation's result), nothing is assumed.
"""

from __future__ import annotations

import inspect
import operator
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from engine.injection.network.tracing import UntraceableError, place_of, plain_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

_OPERATORS = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
    operator.ipow: operator.pow,
}
_UNKNOWN_OPERATORS = (
    frozenset(
        {
            *(operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow, operator.ifloordiv),
            *(operator.imod, operator.imatmul, operator.iand, operator.ior, operator.ixor, operator.ilshift),
            *(operator.irshift, operator.iconcat),
        }
    )
    - _OPERATORS.keys()
)

_METHODS = frozenset(
    {
        *("abs", "add", "addcdiv", "addcmul", "ceil", "clamp", "clamp_max", "clamp_min", "clip", "cos", "div", "exp"),
        *("erf", "floor", "lerp", "log", "masked_fill", "mul", "neg", "pow", "reciprocal", "relu", "round", "rsqrt"),
        *("sigmoid", "sign", "sin", "sqrt", "square", "sub", "tanh", "trunc"),
    }
)
"""methods `name_` that give what `name` gives, in the memory of what they read"""

_FUNCTIONS = frozenset({"celu", "elu", "hardtanh", "leaky_relu", "rrelu", "selu", "threshold"})
"""functions `name_` of the same kind that are no methods"""

_FRESH_CLASSES = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Linear),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm),
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardtanh, nn.PReLU),
    *(nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Hardswish, nn.Softplus),
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
)
_FRESH_FUNCTIONS = frozenset(
    {
        *(operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, torch.add, torch.sub, torch.mul),
        *(torch.relu, torch.sigmoid, torch.tanh, torch.cat, torch.mean, torch.matmul, F.relu, F.relu6, F.leaky_relu),
        *(F.elu, F.gelu, F.silu, F.hardtanh, F.hardswish, F.hardsigmoid, F.sigmoid, F.tanh, F.conv2d, F.linear),
        *(F.max_pool2d, F.avg_pool2d, F.adaptive_avg_pool2d, F.adaptive_max_pool2d, torch.max_pool2d),
    }
)
_FRESH_METHODS = frozenset({"add", "sub", "mul", "relu", "sigmoid", "tanh", "mean", "clone"})
"""what gives new memory, never (a part of) what it reads"""

_SIZES = frozenset({"size", "dim", "numel", "ndimension"})
_SIZE_ATTRIBUTES = frozenset({"shape", "ndim", "device", "dtype"})


def make_out_of_place(graph: fx.Graph, modules: Mapping[str, nn.Module]) -> None:
    """Rewrite `graph`; `modules` are its own, not the user's: their `inplace` is taken from them.

    Raises:
        UntraceableError: an operation overwrites what it reads in a way that nothing here understands.
    """
    overwriting = {name for name, module in modules.items() if getattr(module, "inplace", False) is True}
    names = _Names()
    for node in list(graph.nodes):
        overwritten = _rewrite(node, overwriting)
        if overwritten is None:
            names.add(node, is_new=_is_fresh(node, modules))
            continue
        names.refuse_others(overwritten, node)
        names.add(node, is_new=True)
        later = set(_after(node))
        overwritten.replace_all_uses_with(node, delete_user_cb=later.__contains__)
    for name in overwriting:
        setattr(modules[name], "inplace", False)  # noqa: B010  not a field that nn.Module declares


class _Names:
    """Which nodes may be names of the same memory, seen so far."""

    def __init__(self) -> None:
        self._group: dict[fx.Node, set[fx.Node]] = {}

    def add(self, node: fx.Node, is_new: bool) -> None:
        """`is_new`: its memory is nobody else's; otherwise it may be that of anything it reads."""
        group = {node}
        if not is_new:
            group = group.union(*(self._group.get(parent, set()) for parent in node.all_input_nodes))
        for member in group:
            self._group[member] = group

    def refuse_others(self, overwritten: fx.Node, by: fx.Node) -> None:
        """Raise where the memory of `overwritten` is read after `by` under another name."""
        later = set(_after(by))
        for other in self._group.get(overwritten, set()) - {overwritten}:
            if any(user in later for user in other.users):
                raise UntraceableError(
                    f"{place_of(by)}: it overwrites memory that {place_of(other)} may name too; "
                    "use an operation that gives a new tensor"
                )


def _after(node: fx.Node) -> Iterator[fx.Node]:
    following = node.next
    while following.op != "root":
        yield following
        following = following.next


def _rewrite(node: fx.Node, overwriting: AbstractSet[str]) -> fx.Node | None:
    """Make one node leave what it reads alone; gives what it would have overwritten."""
    if "out" in node.kwargs:
        raise UntraceableError(f"{place_of(node)}: out= is not followed; use the result")
    match node.op:
        case "call_module":
            is_in_place = str(node.target) in overwriting
        case "call_method":
            is_in_place = _rewrite_method(node)
        case "call_function":
            is_in_place = _rewrite_function(node)
        case _:
            is_in_place = False
    if not is_in_place or _is_size(node):
        return None
    target = node.args[0] if node.args else node.kwargs.get("input")
    if not isinstance(target, fx.Node) or target.op == "get_attr":
        raise UntraceableError(f"{place_of(node)}: it overwrites a value that outlives the images; use a copy")
    return target


def _rewrite_method(node: fx.Node) -> bool:
    """Give a method's node the name that leaves its tensor alone; whether it had another one."""
    name = str(node.target)
    if name == "view":  # a replayed value may lie in memory in another order
        node.target = "reshape"
    if name.startswith("__"):
        if name in ("__setitem__", *(f"__{each.__name__}__" for each in _UNKNOWN_OPERATORS | _OPERATORS.keys())):
            raise _in_place(node, name)
        return False
    if not name.endswith("_"):
        return False
    if name.removesuffix("_") not in _METHODS:
        raise _in_place(node, name)
    node.target = name.removesuffix("_")
    return True


def _rewrite_function(node: fx.Node) -> bool:
    """Give a function's node the function or the option that leaves its tensor alone; whether it had another one."""
    target: Any = node.target
    name = getattr(target, "__name__", "")
    if target in _OPERATORS:
        node.target = _OPERATORS[target]
        return True
    if target is operator.setitem:
        raise _in_place(node, "assigning to a part of a tensor")
    if target in _UNKNOWN_OPERATORS or target is setattr:
        raise _in_place(node, name)
    if name.endswith("_") and not name.startswith("_"):
        plain = getattr(F, name.removesuffix("_"), None) or getattr(torch, name.removesuffix("_"), None)
        if plain is None or name.removesuffix("_") not in _METHODS | _FUNCTIONS:
            raise _in_place(node, name)
        node.target = plain
        return True
    return _drop_option(node, target)


def _in_place(node: fx.Node, what: str) -> UntraceableError:
    return UntraceableError(f"{place_of(node)}: {what} works in place; use an operation that gives a new tensor")


def _drop_option(node: fx.Node, target: Any) -> bool:
    """Set `inplace` to False; whether it was True."""
    try:
        parameters = list(inspect.signature(target).parameters)
    except (ValueError, TypeError):  # a builtin without a signature has no such option
        return False
    if "inplace" not in parameters:
        return False
    position = parameters.index("inplace")
    given = node.args[position] if len(node.args) > position else node.kwargs.get("inplace", False)
    if len(node.args) > position:
        node.args = (*node.args[:position], False, *node.args[position + 1 :])
    node.kwargs = {key: value for key, value in node.kwargs.items() if key != "inplace"}
    return given is not False


def _is_size(node: fx.Node) -> bool:
    """Whether a node is a number that counts rows or columns, or is made of such numbers: it is never overwritten."""
    if node.op == "call_method":
        return node.target in _SIZES
    if node.op != "call_function":
        return False
    if node.target is getattr:
        return node.args[1] in _SIZE_ATTRIBUTES
    parents = node.all_input_nodes
    return bool(parents) and all(map(_is_size, parents))


def _is_fresh(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    if node.op == "call_module":
        return plain_class(modules[str(node.target)]) in _FRESH_CLASSES
    return node.target in (_FRESH_FUNCTIONS if node.op == "call_function" else _FRESH_METHODS) or _is_size(node)
