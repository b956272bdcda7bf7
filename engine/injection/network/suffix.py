"""What lies after a faulty layer, split where its channels first mix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, fx, nn

from engine.injection.network.channels import ChannelMap, propagate
from engine.injection.network.layers import Injectable, is_injectable
from engine.injection.network.tracing import plain_class
from engine.injection.network.weight_reads import memory_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

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
    packed: tuple[fx.Node, ...]
    """in order, after `layer`, channels still apart"""
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


@dataclass(frozen=True)
class Reached:
    """How the faults of each injectable layer are run, by layer index: one of the three."""

    suffixes: dict[int, Suffix]
    """of layers that one call reaches: what lies after them"""
    unread: frozenset[int]
    """layers that nothing reads: their faults change nothing"""
    whole: dict[int, str]
    """why a fault in any other layer runs the whole network: it shows in more places than an output channel"""


def reach_layers(network: Network, shapes: dict[fx.Node, torch.Size]) -> Reached:
    """Find the suffix of every layer that has one; `shapes` of every tensor-valued node."""
    suffixes: dict[int, Suffix] = {}
    whole: dict[int, str] = {}
    unread: set[int] = set()
    calls = _calls(network)
    for index, module in enumerate(network.layers):
        nodes, owners = calls.get(module, []), _owners(network, module.weight)
        reason = _why_whole(network, module, nodes, owners, shapes)
        if not nodes and owners == 1 and not _is_read(network, module.weight):
            unread.add(index)
        elif reason is None:
            suffixes[index] = _find_suffix(network, nodes[0], shapes)
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


def _why_whole(
    network: Network, module: Injectable, nodes: list[fx.Node], owners: int, shapes: Mapping[fx.Node, torch.Size]
) -> str | None:
    """Why the call of a layer, if it is one, does not have all that a fault in it can change."""
    if owners > 1:
        return "it shares its weight"
    if _is_read(network, module.weight):
        return "its weight is read outside it, or its forward is its own"
    if len(nodes) != 1:
        return f"it is called {len(nodes)} times"
    if network.module_of(nodes[0]) is not module or plain_class(module) is None:
        return "its forward is its own, or that of a module around it"
    return None if nodes[0] in shapes and nodes[0] in network.batch_dependent else "it does not read the images"


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


def own_map(layer: fx.Node, network: Network, shapes: Mapping[fx.Node, torch.Size]) -> ChannelMap:
    """Where the output channels of a layer are in its own result."""
    dim = len(shapes[layer]) - 1 if isinstance(network.module_of(layer), nn.Linear) else 1
    return ChannelMap(channels=shapes[layer][dim], dim=dim)


def _find_suffix(network: Network, layer: fx.Node, shapes: dict[fx.Node, torch.Size]) -> Suffix:
    """What lies after the one call of a layer."""
    affected = network.downstream(layer)
    own = own_map(layer, network, shapes)
    maps, dense = _follow_channels(network, layer, own, affected, shapes)
    packed = tuple(node for node in maps if node is not layer)
    read_by_dense = {parent for node in dense for parent in node.all_input_nodes}
    frontier = {node: where for node, where in maps.items() if node in read_by_dense or node is network.output}
    read = {parent for node in (layer, *packed, *dense) for parent in node.all_input_nodes}
    golden = with_sources_of_sizes((read - affected) | set(frontier), shapes)
    touched = read_by_dense | set(dense) | set(frontier)
    return Suffix(
        layer=layer,
        channels=own.channels,
        packed=packed,
        frontier=frontier,
        dense=tuple(dense),
        golden=frozenset(golden),
        last_use=_last_uses(dense, network.output),
        macs=sum(count_macs(network, node, shapes) for node in dense),
        row_bytes=max(row_bytes(node, shapes) for node in touched),
    )


def _follow_channels(
    network: Network, layer: fx.Node, own: ChannelMap, affected: set[fx.Node], shapes: dict[fx.Node, torch.Size]
) -> tuple[dict[fx.Node, ChannelMap], list[fx.Node]]:
    """Where the channels of a layer are still apart, from the layer on, and the affected nodes where they are not.

    Both are in the order of the graph: a node keeps channels apart only if all that it reads of the affected does.
    """
    maps, dense = {layer: own}, []
    for node in network.nodes:
        if node not in affected or node is layer:
            continue
        parents = [parent for parent in node.all_input_nodes if parent in affected]
        after = propagate(node, maps, shapes, network) if all(parent in maps for parent in parents) else None
        if after is None:
            dense.append(node)
        else:
            maps[node] = after
    return maps, dense


def with_sources_of_sizes(nodes: set[fx.Node], shapes: Mapping[fx.Node, torch.Size]) -> set[fx.Node]:
    """`nodes` and, for sizes (not tensors) among them, the values they are read from."""
    waiting, found = list(nodes), set(nodes)
    while waiting:
        node = waiting.pop()
        if node not in shapes:
            waiting.extend(parent for parent in node.all_input_nodes if parent not in found)
            found.update(node.all_input_nodes)
    return found


def _last_uses(dense: list[fx.Node], output: fx.Node) -> dict[fx.Node, tuple[fx.Node, ...]]:
    last_reader = {parent: node for node in dense for parent in node.all_input_nodes if parent is not output}
    return {node: tuple(parent for parent, reader in last_reader.items() if reader is node) for node in dense}


def row_bytes(node: fx.Node, shapes: dict[fx.Node, torch.Size]) -> int:
    """Size of one row of a node's float32 value; 0 where it is not a tensor."""
    return 4 * math.prod(shapes[node][1:]) if node in shapes else 0


def count_macs(network: Network, node: fx.Node, shapes: dict[fx.Node, torch.Size]) -> int:
    """Multiplications of one node per image (injectable layers; everything else is small)."""
    module = network.module_of(node)
    if module is None or not is_injectable(module) or node not in shapes:
        return 0
    if getattr(module, "transposed", False):  # each input value meets every weight of its channel
        return math.prod(shapes[node.all_input_nodes[0]][2:]) * module.weight.numel()
    return math.prod(shapes[node][1:]) * math.prod(module.weight.shape[1:])
