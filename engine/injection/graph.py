"""The traced graph of a network: evaluated node by node, so that any part of it can be run again alone."""

from __future__ import annotations

import inspect
import operator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx, nn

from engine.injection.tiles import tile_poolings

if TYPE_CHECKING:
    from collections.abc import Callable

_OUT_OF_PLACE = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
}


class UntraceableError(Exception):
    """Why a network has no usable graph."""


class Network:
    """A model in eval mode and its graph, with every in-place operation made out-of-place.

    An in-place ReLU would overwrite the golden output that a later replay starts from. A `view` becomes a `reshape`:
    a replayed value may lie in memory in another order. A max pooling becomes one of `tiles`, where it can.
    """

    def __init__(self, model: nn.Module) -> None:
        """Trace `model`.

        Raises:
            UntraceableError: if its control flow depends on values, or an operation works in place.
        """
        try:
            self.graph_module = fx.symbolic_trace(model)
        except Exception as error:  # tracing runs the model's own code: whatever that raises means "no graph"
            raise UntraceableError(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
        _make_out_of_place(self.graph_module)
        self.modules = dict(self.graph_module.named_modules())
        tile_poolings(self.graph_module.graph, self.modules)
        self.nodes = [node for node in self.graph_module.graph.nodes if node.op != "output"]
        self.input = next(node for node in self.nodes if node.op == "placeholder")
        (self.output,) = (node.args[0] for node in self.graph_module.graph.nodes if node.op == "output")
        if not isinstance(self.output, fx.Node):
            raise UntraceableError("its output is not one tensor")
        self.batch_dependent = self.downstream(self.input)

    def downstream(self, start: fx.Node) -> set[fx.Node]:
        """`start` and every node that depends on it."""
        reached = {start}
        for node in self.nodes:
            if any(parent in reached for parent in node.all_input_nodes):
                reached.add(node)
        return reached

    def evaluate(self, node: fx.Node, value_of: Callable[[fx.Node], Any]) -> Any:
        """The value of one node, given the values of its inputs."""
        if node.op == "get_attr":
            return operator.attrgetter(str(node.target))(self.graph_module)
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), value_of)
        if node.op == "call_module":
            return self.modules[str(node.target)](*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        assert callable(node.target)
        return node.target(*args, **kwargs)

    def run(self, images: Tensor, keep: set[fx.Node]) -> dict[fx.Node, Any]:
        """Values of the nodes in `keep` for `images` [N, C, H, W]; others are dropped after their last use."""
        values: dict[fx.Node, Any] = {self.input: images}
        last_use = {parent: node for node in self.nodes for parent in node.all_input_nodes}
        for node in self.nodes:
            if node is not self.input:
                values[node] = self.evaluate(node, values.__getitem__)
            for parent in node.all_input_nodes:
                if last_use[parent] is node and parent not in keep:
                    values.pop(parent, None)
        return {node: values[node] for node in keep}

    def shapes(self, images: Tensor) -> dict[fx.Node, torch.Size]:
        """Shape of every tensor-valued node for `images`.

        Raises:
            UntraceableError: if a node's first dimension is not the batch: its rows cannot be run apart.
        """
        shapes: dict[fx.Node, torch.Size] = {}
        for node, value in self.run(images, set(self.nodes)).items():
            if not isinstance(value, Tensor):
                continue
            if node in self.batch_dependent and (value.ndim == 0 or len(value) != len(images)):
                raise UntraceableError(f"the result of {node.name} has no batch dimension")
            shapes[node] = value.shape
        return shapes


def _make_out_of_place(graph_module: fx.GraphModule) -> None:
    for module in graph_module.modules():
        if getattr(module, "inplace", False) is True:
            setattr(module, "inplace", False)  # noqa: B010  not a field that nn.Module declares
    for node in graph_module.graph.nodes:
        if node.op == "call_function":
            _make_function_out_of_place(node)
        elif node.op == "call_method":
            node.target = "reshape" if node.target == "view" else node.target.removesuffix("_")


def _make_function_out_of_place(node: fx.Node) -> None:
    target: Any = node.target
    node.target = _OUT_OF_PLACE.get(target, target)
    name = getattr(target, "__name__", "")
    if target is operator.setitem or (name.endswith("_") and not name.endswith("__")):
        raise UntraceableError(f"{name} works in place")
    try:
        parameters = list(inspect.signature(target).parameters)
    except ValueError:  # a builtin without a signature has no `inplace` option
        return
    if "inplace" in parameters:
        position = parameters.index("inplace")
        node.args = node.args[:position] + ((False, *node.args[position + 1 :]) if len(node.args) > position else ())
        node.kwargs = {key: value for key, value in node.kwargs.items() if key != "inplace"}
