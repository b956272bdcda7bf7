"""What lies after a faulty layer, split where its channels first mix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from torch import Tensor, fx, nn

from engine.injection.network.channels import ChannelMap, propagate
from engine.injection.network.layers import Injectable, is_injectable
from engine.injection.network.tracing import plain_class
from engine.injection.network.weight_reads import memory_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.injection.network.graph import Network


@dataclass(frozen=True)
class Suffix:
    """The part of the graph that a fault in one layer can change.

    A fault in one weight changes one output channel of its layer. `packed` nodes keep channels apart, so one run of
    them carries one fault in every channel; `dense` nodes need the whole value and run per (fault, image) pair.
    """

    layer: fx.Node
    channels: int
    """output channels of the layer"""
    maps: dict[fx.Node, ChannelMap]
    """where the channels are in the layer's own result and in each packed one, in order"""
    frontier: dict[fx.Node, ChannelMap]
    """the packed values (or the layer's own) that dense nodes, or the output, read"""
    dense: tuple[fx.Node, ...]
    """in order, everything after that"""
    golden: frozenset[fx.Node]
    """golden values that any of it reads"""
    last_use: dict[fx.Node, tuple[fx.Node, ...]]
    """for each dense node, the values that nothing after it reads"""
    macs: int
    """multiplications of the dense nodes, per pair"""
    row_bytes: int
    """size of the largest value that a dense node reads or makes, per pair"""

    @cached_property
    def packed(self) -> tuple[fx.Node, ...]:
        """In order, after `layer`, channels still apart."""
        return tuple(node for node in self.maps if node is not self.layer)


@dataclass(frozen=True)
class Reached:
    """How the faults of each injectable layer are run, by layer index: one of the three."""

    suffixes: dict[int, Suffix]
    """of layers that one call reaches: what lies after them"""
    unread: frozenset[int]
    """layers that nothing reads: their faults change nothing"""
    whole: dict[int, str]
    """why a fault in any other layer runs the whole network: it shows in more places than an output channel"""


def reach_layers(network: Network) -> Reached:
    """Find the suffix of every layer that has one."""
    suffixes: dict[int, Suffix] = {}
    whole: dict[int, str] = {}
    unread: set[int] = set()
    calls = _calls(network)
    for index, module in enumerate(network.layers):
        nodes, owners = calls.get(module, []), _owners(network, module.weight)
        reason = _why_whole(network, module, nodes, owners)
        if not nodes and owners == 1 and not _is_read(network, module.weight):
            unread.add(index)
        elif reason is None:
            suffixes[index] = _find_suffix(network, nodes[0])
        else:
            whole[index] = reason
    return Reached(suffixes, frozenset(unread), whole)


def _calls(network: Network) -> dict[nn.Module, list[fx.Node]]:
    """The nodes that call each module, or a module that it is a part of."""
    calls: dict[nn.Module, list[fx.Node]] = {}
    for node in network.nodes:
        called = network.module_of(node)
        for part in called.modules() if called is not None else ():
            calls.setdefault(part, []).append(node)
    return calls


def _why_whole(network: Network, module: Injectable, nodes: list[fx.Node], owners: int) -> str | None:
    """Why the call of a layer, if it is one, does not have all that a fault in it can change."""
    if owners > 1:
        return "it shares its weight"
    if _is_read(network, module.weight):
        return "its weight is read outside it, or its forward is its own"
    if len(nodes) != 1:
        return f"it is called {len(nodes)} times"
    if network.module_of(nodes[0]) is not module or plain_class(module) is None:
        return "its forward is its own, or that of a module around it"
    return None if nodes[0] in network.shapes and nodes[0] in network.batch_dependent else "it does not read the images"


def _owners(network: Network, weight: Tensor) -> int:
    """How many parameters and buffers lie in the memory of a weight; more than one also where it overlaps itself."""
    held = [
        tensor
        for module in network.modules.values()
        for tensor in (*module._parameters.values(), *module._buffers.values())
        if tensor is not None and memory_of(tensor) == memory_of(weight)
    ]
    overlaps = any(stride == 0 and size > 1 for stride, size in zip(weight.stride(), weight.shape, strict=True))
    return len(held) + overlaps


def _is_read(network: Network, weight: Tensor) -> bool:
    """Whether something else than a call of its layer reads a weight, or something in its memory."""
    if memory_of(weight) in network.read_elsewhere:
        return True
    read = (network.evaluate(node, lambda _: None) for node in network.nodes if node.op == "get_attr")
    return any(isinstance(value, Tensor) and memory_of(value) == memory_of(weight) for value in read)


def _find_suffix(network: Network, layer: fx.Node) -> Suffix:
    """What lies after the one call of a layer."""
    affected = network.downstream(layer)
    maps, dense = _follow_channels(network, layer, affected)
    read_by_dense = {parent for node in dense for parent in node.all_input_nodes}
    frontier = {node: where for node, where in maps.items() if node in read_by_dense or node is network.output}
    read = {parent for node in (*maps, *dense) for parent in node.all_input_nodes}
    golden = with_sources_of_sizes((read - affected) | set(frontier), network)
    touched = read_by_dense | set(dense) | set(frontier)
    return Suffix(
        layer=layer,
        channels=maps[layer].channels,
        maps=maps,
        frontier=frontier,
        dense=tuple(dense),
        golden=frozenset(golden),
        last_use=last_uses({node: tuple(node.all_input_nodes) for node in dense}, network.output),
        macs=sum(count_macs(network, node) for node in dense),
        row_bytes=max(row_bytes(network, node) for node in touched),
    )


def _follow_channels(
    network: Network, layer: fx.Node, affected: set[fx.Node]
) -> tuple[dict[fx.Node, ChannelMap], list[fx.Node]]:
    """Where the channels of a layer are still apart, from the layer on, and the affected nodes where they are not.

    Both are in the order of the graph: a node keeps channels apart only if all that it reads of the affected does.
    """
    dim = len(network.shapes[layer]) - 1 if isinstance(network.module_of(layer), nn.Linear) else 1
    maps, dense = {layer: ChannelMap(channels=network.shapes[layer][dim], dim=dim)}, []
    for node in network.nodes:
        if node not in affected or node is layer:
            continue
        parents = [parent for parent in node.all_input_nodes if parent in affected]
        after = propagate(node, maps, network) if all(parent in maps for parent in parents) else None
        if after is None:
            dense.append(node)
        else:
            maps[node] = after
    return maps, dense


def with_sources_of_sizes(nodes: set[fx.Node], network: Network) -> set[fx.Node]:
    """`nodes` and, for sizes (not tensors) among them, the values they are read from."""
    waiting, found = list(nodes), set(nodes)
    while waiting:
        node = waiting.pop()
        if node not in network.shapes:
            waiting.extend(parent for parent in node.all_input_nodes if parent not in found)
            found.update(node.all_input_nodes)
    return found


def last_uses(reads: Mapping[fx.Node, tuple[fx.Node, ...]], output: fx.Node) -> dict[fx.Node, tuple[fx.Node, ...]]:
    """For each step, in order, the values that nothing after it reads."""
    last_reader = {parent: node for node, parents in reads.items() for parent in parents if parent is not output}
    return {node: tuple(parent for parent, last in last_reader.items() if last is node) for node in reads}


def row_bytes(network: Network, node: fx.Node) -> int:
    """Size of one row of a node's float32 value; 0 where it is not a tensor."""
    return 4 * math.prod(network.shapes[node][1:]) if node in network.shapes else 0


def count_macs(network: Network, node: fx.Node) -> int:
    """Multiplications of one node per image (injectable layers; everything else is small)."""
    module = network.module_of(node)
    if module is None or not is_injectable(module) or node not in network.shapes:
        return 0
    if getattr(module, "transposed", False):  # each input value meets every weight of its channel
        return math.prod(network.shapes[node.all_input_nodes[0]][2:]) * module.weight.numel()
    return math.prod(network.shapes[node][1:]) * math.prod(module.weight.shape[1:])
