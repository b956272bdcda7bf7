"""What lies after a faulty layer, split where its channels first mix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import fx, nn

from engine.injection.channels import ChannelMap, propagate
from engine.injection.layers import injectable_modules

if TYPE_CHECKING:
    from engine.injection.graph import Network


@dataclass(frozen=True)
class Suffix:
    """The part of the graph that a fault in one layer can change.

    A fault in one weight changes one output channel of its layer. `packed` nodes keep channels apart, so one run of
    them carries one fault in every channel; `dense` nodes need the whole value and run per (fault, image) pair.
    """

    layer: fx.Node
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


def find_suffixes(network: Network, shapes: dict[fx.Node, torch.Size]) -> dict[int, Suffix]:
    """The suffix of every injectable layer, by layer index.

    A layer that is absent is reached other than by one call of its module (called twice, tied, its weight read
    elsewhere): the fault shows in more places than its output channel, so only a whole-network run is right.
    """
    suffixes = {}
    calls: dict[str, list[fx.Node]] = {}
    for node in network.nodes:
        calls.setdefault(str(node.target), []).append(node)
    modules = injectable_modules(network.graph_module)
    owners = [id(parameter) for module in network.modules.values() for parameter in module._parameters.values()]
    for index, (name, module) in enumerate(modules):
        nodes = calls.get(name, [])
        is_read_elsewhere = f"{name}.weight" in calls or owners.count(id(module.weight)) != 1
        if len(nodes) == 1 and nodes[0] in shapes and not is_read_elsewhere:
            suffixes[index] = _find_suffix(network, nodes[0], module, shapes)
    return suffixes


def _find_suffix(
    network: Network, layer: fx.Node, module: nn.Conv2d | nn.Linear, shapes: dict[fx.Node, torch.Size]
) -> Suffix:
    channel_dim = 1 if isinstance(module, nn.Conv2d) else len(shapes[layer]) - 1
    maps = {layer: ChannelMap(channels=module.weight.shape[0], dim=channel_dim)}
    affected = network.downstream(layer)
    dense: list[fx.Node] = []
    for node in network.nodes:
        if node not in affected or node is layer:
            continue
        parents = [parent for parent in node.all_input_nodes if parent in affected]
        after = propagate(node, maps, shapes, network) if all(parent in maps for parent in parents) else None
        if after is None:
            dense.append(node)
        else:
            maps[node] = after
    readers = {parent for node in dense for parent in node.all_input_nodes} | {network.output}
    frontier = {node: channel_map for node, channel_map in maps.items() if node in readers}
    packed = tuple(node for node in network.nodes if node in maps and node is not layer)
    read = {parent for node in (layer, *packed, *dense) for parent in node.all_input_nodes}
    golden = _with_sources_of_sizes((read - affected) | set(frontier), shapes)
    touched = {parent for node in dense for parent in node.all_input_nodes} | set(dense) | set(frontier)
    return Suffix(
        layer=layer,
        packed=packed,
        frontier=frontier,
        dense=tuple(dense),
        golden=frozenset(golden),
        last_use=_last_uses(dense, network.output),
        macs=sum(count_macs(network, node, shapes) for node in dense),
        row_bytes=max(row_bytes(node, shapes) for node in touched),
    )


def _with_sources_of_sizes(nodes: set[fx.Node], shapes: dict[fx.Node, torch.Size]) -> set[fx.Node]:
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
    """Multiplications of one node per image (convolution and linear modules; everything else is small)."""
    module = network.modules.get(str(node.target)) if node.op == "call_module" else None
    if not isinstance(module, nn.Conv2d | nn.Linear):
        return 0
    return math.prod(shapes[node][1:]) * math.prod(module.weight.shape[1:])
