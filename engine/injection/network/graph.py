"""The traced graph of a network: evaluated node by node, so that any part of it can be run again alone."""

from __future__ import annotations

import inspect
import operator
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx, nn

from engine.errors import reason_of
from engine.injection.comparison import is_close
from engine.injection.kernels.tiles import max_of_tiles
from engine.injection.memory import is_out_of_memory
from engine.injection.network.layers import injectable_modules
from engine.injection.network.out_of_place import make_out_of_place
from engine.injection.network.pooling import pool_options, tile_of
from engine.injection.network.tracing import OneInput, UntraceableError, place_of, plain_class, trace_graph
from engine.injection.network.weight_reads import WeightReads, memory_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PROBED_IMAGES = 3
"""that a graph is tried out with, and two of them: what has one row an image has three rows, then two"""


_STEPS = frozenset(
    {
        *("round", "floor", "ceil", "trunc", "fix", "frac", "sign", "sgn", "heaviside", "copysign", "fmod"),
        *("remainder", "mod", "floordiv", "floor_divide", "threshold", "hardshrink", "Threshold", "Hardshrink"),
        *("fake_quantize_per_tensor_affine", "fake_quantize_per_channel_affine"),
    }
)
"""names of operations on floats whose result jumps where what they read crosses a value"""

_FLOATS = frozenset({torch.float32, torch.float64, torch.complex64, torch.complex128})
"""kinds of numbers that hold a value without a jump that matters"""


class Network:
    """A copy of a model in eval mode and its graph, with every in-place operation made out-of-place.

    The model itself, its modules and its weights are never changed and never shared. A `view` becomes a `reshape`: a
    replayed value may lie in memory in another order. A max pooling becomes `max_of_tiles`, where it can.
    """

    def __init__(self, model: nn.Module) -> None:
        """Trace `model`.

        Raises:
            UntraceableError: if its control flow depends on values, or something in it is not understood.
        """
        try:
            with torch.inference_mode(False):  # gradients are asked of the copy
                self.root = OneInput(deepcopy(model))
        except Exception as error:  # copying runs the network's own code
            if is_out_of_memory(error):
                raise
            raise UntraceableError(
                f"it cannot be copied ({type(error).__name__}); let copy.deepcopy work on it"
            ) from None
        with WeightReads(self.root) as reads:
            graph = trace_graph(self.root)
        self.read_elsewhere = reads.read
        """the memory of weights that the graph does not show to be read: by a constant of it, or inside another call"""
        self.modules = dict(self.root.named_modules())
        self.layers = tuple(module for _, module in injectable_modules(self.root.network))
        """the copy's injectable layers, in the order of the model's own"""
        make_out_of_place(graph, self.modules)
        for node in graph.nodes:
            _name_input_first(node, self.modules)
        self._tile_poolings(graph)
        self.input = next(node for node in graph.nodes if node.op == "placeholder")
        (self.output,) = (node.args[0] for node in graph.nodes if node.op == "output")
        if not isinstance(self.output, fx.Node):
            raise UntraceableError("its output is not one tensor; return the logits alone")
        needed = _upstream(self.output)
        self.nodes = [node for node in graph.nodes if node in needed]
        """in order, without those that nothing of the output comes from"""
        self.batch_dependent = self.downstream(self.input)
        self.shapes: dict[fx.Node, torch.Size] = {}
        """of every tensor-valued node for a few images, see `find_shapes`"""
        self.jumps: set[fx.Node] = set()
        """nodes whose value jumps where what it is made of hardly changes: a rounding error may become any other"""
        if self.input not in needed:
            raise UntraceableError(
                "its graph does not lead from the images to its output; use operations of torch on them"
            )

    def _tile_poolings(self, graph: fx.Graph) -> None:
        """Make every max pooling whose windows lie side by side a call of `max_of_tiles`."""
        for node in graph.nodes:
            options = pool_options(node, self.kind(node), self.module_of(node))
            tile = None if options is None else tile_of(options)
            if tile is not None:
                (source,) = node.all_input_nodes
                node.op, node.target, node.args, node.kwargs = "call_function", max_of_tiles, (source, tile), {}

    def kind(self, node: fx.Node) -> object:
        """What a node does, for rules to look up: the class of its module, its function, or its method's name.

        The module itself where it has a forward or hooks of its own: no rule knows it.
        """
        if node.op in ("placeholder", "get_attr", "output"):
            return None
        if node.op != "call_module":
            return node.target
        module = self.modules[str(node.target)]
        return plain_class(module) or module

    def module_of(self, node: fx.Node) -> nn.Module | None:
        """The module that a node calls, if it calls one."""
        return self.modules[str(node.target)] if node.op == "call_module" else None

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
            return operator.attrgetter(str(node.target))(self.root)
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), value_of)
        if node.op == "call_module":
            return self.modules[str(node.target)](*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        assert callable(node.target)
        return node.target(*args, **kwargs)

    def run(self, images: Tensor, keep: set[fx.Node]) -> dict[fx.Node, Any]:
        """Values of the nodes in `keep` for `images` [N, C, H, W]; others are dropped after their last use."""
        kept: dict[fx.Node, Any] = {}
        for node, (value,) in self._walk(images):
            if node in keep:
                kept[node] = value
        return kept

    def _walk(self, *batches: Tensor) -> Iterator[tuple[fx.Node, tuple[Any, ...]]]:
        """Each node and its values for some batches of images, side by side; dropped after their last use."""
        values: dict[fx.Node, tuple[Any, ...]] = {self.input: batches}
        last_use = {parent: node for node in self.nodes for parent in node.all_input_nodes}
        for node in self.nodes:
            if node is not self.input:
                values[node] = tuple(self.evaluate(node, partial(_at, values, place)) for place in range(len(batches)))
            yield node, values[node]
            for done in (node, *node.all_input_nodes):
                if last_use.get(done, done) is node:
                    del values[done]

    def find_shapes(self, images: Tensor) -> None:
        """Find the shape of every tensor-valued node, and what jumps, with three images.

        Args:
            images: [PROBED_IMAGES, C, H, W].

        Raises:
            UntraceableError: if a node's first dimension is not the batch, or its rows depend on each other.
        """
        with WeightReads(self.root) as reads:
            for node, values in self._probe(images, images[:2], images[[2, 0, 1]]):
                self.read_elsewhere |= reads.read - self._own_memory(node)
                reads.read = set()
                if not isinstance(values[0], Tensor):
                    continue
                self.shapes[node] = values[0].shape
                if values[0].dtype not in _FLOATS or self._name(node) in _STEPS:
                    self.jumps.add(node)
                if node in self.batch_dependent:
                    _check_rows(node, values)

    def _probe(self, *batches: Tensor) -> Iterator[tuple[fx.Node, tuple[Any, ...]]]:
        """Each node and its values for some batches of images; where a node fails, it is said which line made it."""
        walk = self._walk(*batches)
        for node in self.nodes:
            try:
                step = next(walk)
            except Exception as error:  # a node may run the network's own code
                if is_out_of_memory(error):
                    raise
                raise UntraceableError(
                    f"{place_of(node)}: it fails for {' or '.join(str(len(batch)) for batch in batches[:2])} images "
                    f"({reason_of(error)}); let it take any number of them"
                ) from None
            yield step

    def _name(self, node: fx.Node) -> str:
        """What an operation is called, whether it is a module, a function or a method, in place or not."""
        kind = self.kind(node)
        return (kind if isinstance(kind, str) else getattr(kind, "__name__", "")).strip("_")

    def _own_memory(self, node: fx.Node) -> set[int]:
        """Where the weights lie that the call of a module is known to read."""
        called = self.module_of(node)
        weights = (getattr(part, "weight", None) for part in called.modules()) if called is not None else ()
        return {memory_of(weight) for weight in weights if isinstance(weight, Tensor)}


def _check_rows(node: fx.Node, values: Sequence[Tensor]) -> None:
    """Compare what a node gives for three images, for the first two of them, and for all in another order."""
    if any(value.shape != (rows, *values[0].shape[1:]) for value, rows in zip(values, (3, 2, 3), strict=True)):
        raise UntraceableError(
            f"{place_of(node)}: its result does not have one row for each image; keep the images in its first "
            "dimension, or take its size from a constant"
        )
    if not (is_close(values[0][:2], values[1]) and is_close(values[0][[2, 0, 1]], values[2])):
        raise UntraceableError(
            f"{place_of(node)}: its result for an image depends on the others; compute each image by itself"
        )


def _upstream(end: fx.Node) -> set[fx.Node]:
    """`end` and every node that it depends on."""
    found, waiting = {end}, [end]
    while waiting:
        parents = [parent for parent in waiting.pop().all_input_nodes if parent not in found]
        found.update(parents)
        waiting.extend(parents)
    return found


def _at(values: dict[fx.Node, tuple[Any, ...]], place: int, node: fx.Node) -> Any:
    return values[node][place]


def _name_input_first(node: fx.Node, modules: dict[str, nn.Module]) -> None:
    """Pass what a call reads by place where the call names it: rules look at places."""
    if node.args or not node.kwargs:
        return
    if node.op == "call_module":
        first = next(iter(inspect.signature(modules[str(node.target)].forward).parameters), None)
    elif node.op == "call_function":
        first = next((name for name in ("input", "tensors", "tensor") if name in node.kwargs), None)
    else:
        first = None
    if first in node.kwargs:
        node.args = (node.kwargs[first],)
        node.kwargs = {name: value for name, value in node.kwargs.items() if name != first}
