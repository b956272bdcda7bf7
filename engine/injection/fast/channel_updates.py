"""The first stage of `fast`: one changed weight changes one output channel, by its change times one input channel.

This is (1) in docs/engine.md. Faults in different output channels share a run, as in `exact` (see `packs`). On a GPU
one such pack is too little work: many packs share it, side by side, as if each were more images. Images lie last in
memory, so that every shift of an input channel is a row of images and every operation runs along them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from engine.injection.exact.packs import Pack, first_inputs, pack_by_channel
from engine.injection.network.folded import as_channels_last, sums_directly
from engine.injection.network.layers import flat_weight
from engine.injection.pairs import Pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from engine.injection.bounds.margins import LayerBounds
    from engine.injection.network.folded_suffix import FoldedSuffix
    from engine.injection.network.golden import LayerContext
    from engine.injection.network.sizes import DeviceLimits
    from engine.injection.outcomes import Sites, WeightFaults
    from engine.injection.recording import Recorder


_LEAST_IMAGES = 32


def has_update_rule(module: nn.Module, source: Tensor) -> TypeGuard[nn.Conv2d | nn.Linear]:
    """Whether `UpdatedLayer` can run this layer on inputs with the dimensions of `source` [images, ...]."""
    if isinstance(module, nn.Linear):
        return source.ndim == 2
    is_flat = isinstance(module, nn.Conv2d) and source.ndim == 4
    return is_flat and module.padding_mode == "zeros" and not isinstance(module.padding, str)


@dataclass(frozen=True)
class FurtherWeights:
    """One more weight of some of the output channels of a pack."""

    channels: Tensor
    """[m] distinct output channels"""
    places: Tensor
    """[m] flat index of the changed weight within the channel's own weights"""
    change: Tensor
    """[m] what is added to the changed weight"""


@dataclass(frozen=True)
class ChangedWeights:
    """One weight of each of n output channels in each of some packs, on the device: n x packs slots for faults."""

    faults: Tensor
    """[faults] row of each"""
    channels: Tensor
    """[n] distinct output channels, ascending"""
    places: Tensor
    """[n, packs] flat index of the changed weight within the channel's own weights"""
    change: Tensor
    """[n, packs] what is added to the changed weight"""
    slots: Tensor | None
    """[faults] the slot of each, counted row by row; the others are changed by nothing. None: all of them, in order"""
    further: tuple[FurtherWeights, ...] = ()
    """of channels in which a fault changes several weights: the second ones, the third ones, ..."""

    @classmethod
    def of(
        cls,
        packs: Sequence[Pack],
        places: NDArray[np.int64],
        change: NDArray[np.float32],
        like: Tensor,
        further: tuple[FurtherWeights, ...] = (),
    ) -> ChangedWeights:
        """The faults of some packs, filled up to all channels, which runs without selecting any; not so a thin one.

        Args:
            packs: of the faults.
            places: [faults of the layer] flat index of each fault's weight within its channel's own weights.
            change: [faults of the layer] what is added to that weight.
            like: the layer's weight, [channels, ...].
            further: what the faults of a single pack change beyond their first weight.
        """
        count, device = len(like), like.device
        rows, channels = packs[0].rows, packs[0].channels
        slots = channels
        if len(packs) > 1:
            rows = np.concatenate([pack.rows for pack in packs])
            channels = np.concatenate([pack.channels for pack in packs])
            slots = channels * len(packs) + np.repeat(np.arange(len(packs)), [len(pack.rows) for pack in packs])
        places, change = places[rows], change[rows]
        is_filled = len(packs) > 1 or count / 2 < len(rows) < count
        if is_filled:
            places, change = (_spread(values, slots, count * len(packs)) for values in (places, change))
        return cls(
            faults=torch.as_tensor(rows, device=device),
            channels=torch.arange(count, device=device) if is_filled else torch.as_tensor(channels, device=device),
            places=torch.as_tensor(places, device=device).view(-1, len(packs)),
            change=torch.as_tensor(change, device=device).view(-1, len(packs)),
            slots=torch.as_tensor(slots, device=device) if is_filled else None,
            further=further,
        )

    @property
    def packs(self) -> int:
        """How many there are."""
        return self.places.shape[1]

    def of_faults(self, values: Tensor) -> Tensor:
        """The rows of the faults of `values` [n, packs, images], as [faults, images]."""
        values = values.flatten(0, 1)
        return values if self.slots is None else values.index_select(0, self.slots)


@dataclass(frozen=True)
class SinglePairs:
    """Pairs of any faults and any images, each of which is run by itself."""

    fault: Tensor
    """[pairs] row of the fault"""
    image: Tensor
    """[pairs] row of the image in its block, or in a slice of it"""
    channel: Tensor
    """[pairs] the faulty output channel"""
    place: Tensor
    """[pairs] flat index of the changed weight within the channel's own weights"""
    change: Tensor
    """[pairs] what is added to that weight"""

    def __len__(self) -> int:
        return len(self.fault)

    def of_images(self, images: slice, rows: slice) -> SinglePairs:
        """The pairs at `rows`, whose images are counted from the first of `images`."""
        return SinglePairs(
            self.fault[rows], self.image[rows] - images.start, self.channel[rows], self.place[rows], self.change[rows]
        )


def _spread(values: NDArray[Any], places: NDArray[np.int64], count: int) -> NDArray[Any]:
    """`values` at their `places` among `count`, 0 elsewhere."""
    spread = np.zeros(count, dtype=values.dtype)
    spread[places] = values
    return spread


class UpdatedLayer:
    """A layer's outputs on some images where one weight of every output channel has changed."""

    def __init__(self, module: nn.Conv2d | nn.Linear, source: Tensor, golden: Tensor) -> None:
        """`source` [images, ...] and `golden`, the layer's fault-free result for it."""
        self._shape = golden.shape[1:]
        self.golden = images_last(golden).view(len(golden[0]), -1, len(golden))
        """[channels, positions, images]"""
        if isinstance(module, nn.Linear):
            self._inputs = images_last(source)
            self._offsets = torch.arange(source.shape[1], device=source.device).repeat(len(module.weight), 1)
            self._positions = torch.zeros(1, dtype=torch.int64, device=source.device)
        else:
            self._inputs, self._offsets, self._positions = _shifts(module, source, golden)

    def outputs(self, weights: ChangedWeights) -> Tensor:
        """The whole result [packs x images, channels, ...], golden but for the changed channels."""
        channels, golden = weights.channels, self.golden[:, :, None]
        changes = _changes(self._inputs_of(channels, weights.places), weights.change)
        if len(channels) == len(self.golden):
            changed = torch.addcmul(golden, *changes)
        else:
            changed = golden.clone()
            changed[channels] += torch.mul(*changes)
        for further in weights.further:
            inputs = self._inputs_of(further.channels, further.places[:, None])
            changed[further.channels] += torch.mul(*_changes(inputs, further.change[:, None]))
        return self.with_images_first(changed.flatten(2))

    def single_outputs(self, pairs: SinglePairs) -> Tensor:
        """The whole result [pairs, channels, ...], golden but for the changed channel of each pair."""
        changed = self.golden.index_select(2, pairs.image)
        rows = self._offsets[pairs.channel, pairs.place][:, None] + self._positions
        change = self._inputs[rows, pairs.image[:, None]].mul_(pairs.change[:, None])
        changed[pairs.channel, :, torch.arange(len(pairs), device=change.device)] += change
        return self.with_images_first(changed)

    def _inputs_of(self, channels: Tensor, places: Tensor) -> Tensor:
        """What one weight of each of n channels reads in each pack, [n, positions, packs, images]."""
        rows = self._offsets[channels[:, None], places][:, None] + self._positions[:, None]
        return self._inputs.index_select(0, rows.view(-1)).view(*rows.shape, -1)

    def with_images_first(self, values: Tensor) -> Tensor:
        """[channels, positions, images] as a view [images, channels, ...]."""
        return values.view(*self._shape, values.shape[2]).movedim(-1, 0)


@dataclass(frozen=True)
class Leads:
    """By how much golden's class leads, for some images, as `fast` reads it."""

    certain_to: Tensor
    """[images] the magnitude whose rounding may use up the lead"""
    largest: Tensor
    """[images] the largest magnitude without a fault"""

    @property
    def are_uncertain(self) -> Tensor:
        """[images] where the top-1 is too close to call even without a fault."""
        return ~(self.certain_to > self.largest)

    def of_images(self, images: slice) -> Leads:
        """The leads of some of the images."""
        return Leads(self.certain_to[images], self.largest[images])


class LargestInputs:
    """The largest magnitude of each input channel of a layer, for some images."""

    def __init__(self, module: nn.Conv2d | nn.Linear, source: Tensor) -> None:
        """`source` [images, ...]: what the layer reads."""
        self._largest = source.abs().flatten(2).amax(2).T if source.ndim > 2 else source.abs().T
        self._kernel = module.weight[0, 0].numel()
        self._first = torch.as_tensor(first_inputs(module), device=source.device)

    def products(self, weights: ChangedWeights) -> Tensor:
        """The largest product of each changed weight, [n, packs, images]."""
        channels = self._first[weights.channels][:, None] + weights.places // self._kernel
        inputs = self._largest.index_select(0, channels.flatten()).view(*channels.shape, -1)
        return inputs.mul_(weights.change.abs()[..., None])

    def single_products(self, pairs: SinglePairs) -> Tensor:
        """The largest product of each pair's weight, [pairs]."""
        channels = self._first[pairs.channel] + pairs.place // self._kernel
        return self._largest[channels, pairs.image].mul_(pairs.change.abs())


def _changes(inputs: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
    """Two factors: `inputs` [n, positions, packs, images] and `change` [n, packs] of the weights that they meet."""
    return inputs, change[:, None, :, None]


def _shifts(module: nn.Conv2d, source: Tensor, golden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Padded inputs [rows, images]; the row each weight starts at [out, weights]; what each position adds to it."""
    (top, left), (row_stride, column_stride), (row_gap, column_gap) = _pairs_of(module)
    padded = images_last(F.pad(source, (left, left, top, top)))
    height, width = padded.shape[1:3]
    per_group, kernel_rows, kernel_columns = module.weight.shape[1:]
    device = source.device
    first_input = torch.as_tensor(first_inputs(module), device=device)
    channel = first_input[:, None] + torch.arange(per_group, device=device)
    row = torch.arange(kernel_rows, device=device)[:, None] * row_gap
    column = torch.arange(kernel_columns, device=device) * column_gap
    offsets = channel[:, :, None, None] * height * width + row * width + column
    out_row = torch.arange(golden.shape[2], device=device)[:, None] * row_stride
    out_column = torch.arange(golden.shape[3], device=device) * column_stride
    return padded.flatten(0, 2), offsets.flatten(1), (out_row * width + out_column).flatten()


def _pairs_of(module: nn.Conv2d) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Padding, stride and dilation, each (vertical, horizontal)."""
    padding, stride, dilation = module.padding, module.stride, module.dilation
    assert not isinstance(padding, str)
    return (padding[0], padding[1]), (stride[0], stride[1]), (dilation[0], dilation[1])


def _faultless(module: nn.Conv2d | nn.Linear, source: Tensor) -> Tensor:
    """The layer's result; of one input channel as of channels-last memory (measured on CPU: 7 ms instead of 25)."""
    if isinstance(module, nn.Linear) or source.shape[1] > 1 or source.device.type != "cpu":
        result: Tensor = module(source)
        return result
    return F.conv2d(
        source,
        as_channels_last(module.weight),
        module.bias,
        module.stride,
        module.padding,
        module.dilation,
        module.groups,
    )


def images_last(value: Tensor) -> Tensor:
    """`value` [images, ...] as contiguous [..., images]."""
    return value.movedim(0, -1).contiguous()


class ChannelUpdates:
    """Runs some faults of one layer on one block; what it yields differs from `PackedRuns` by rounding alone."""

    def __init__(
        self,
        layer: LayerContext,
        fast: FoldedSuffix,
        leads: Leads,
        bounds: LayerBounds | None,
        limits: DeviceLimits,
    ) -> None:
        """Take over what the first stage needs.

        Args:
            layer: whose faults are run, and its block.
            fast: what follows it.
            leads: of the block's images.
            bounds: decide some pairs.
            limits: of the device.
        """
        (source,) = fast.suffix.layer.all_input_nodes
        assert has_update_rule(layer.module, layer.block.values[source])
        golden = _faultless(layer.module, layer.block.values[source])
        count, image_bytes = layer.block.count, 4 * golden[0].numel()
        images = min(count, max(_LEAST_IMAGES, limits.thin_bytes // image_bytes))
        self._slices = [
            SliceUpdates(layer, fast, golden, slice(start, min(start + images, count)), leads, bounds)
            for start in range(0, count, images)
        ]
        self._module = layer.module
        self._single = max(_LEAST_IMAGES, limits.thin_bytes // image_bytes)
        """pairs that are run by themselves at once"""
        by_bytes = limits.thin_bytes // (image_bytes * images)
        self._packs = max(1, min(by_bytes, limits.thin_pairs // (golden.shape[1] * images)))
        """that share a run"""

    def run(self, faults: WeightFaults, recorder: Recorder, wanted: Tensor | None = None) -> Iterator[Pairs]:
        """The pairs that differ from golden and are not known without a run; their `changed` is the difference.

        `wanted` [faults, count] are the only pairs that anybody asks for; None: all of them.
        """
        rows = np.flatnonzero(faults.changes)
        golden = flat_weight(self._module.weight)
        channels, places, change = self._changes(faults, golden)
        packs = list(pack_by_channel(channels[rows], rows))
        at_once = self._packs if faults.more is None else 1
        for some in (packs[start : start + at_once] for start in range(0, len(packs), at_once)):
            more = None if faults.more is None else faults.more.take(some[0].rows)
            further = () if more is None else _further(more, some[0], golden, self._module)
            weights = ChangedWeights.of(some, places, change, self._module.weight, further)
            for images in self._slices:
                yield images.run(weights, recorder, wanted)

    def run_single(self, faults: WeightFaults, fault: Tensor, image: Tensor) -> Iterator[Pairs]:
        """Of some pairs those that differ from golden.

        Args:
            faults: in one weight each.
            fault: [pairs] row of each pair's fault among `faults`.
            image: [pairs] row of each pair's image in the block.
        """
        order = image.argsort(stable=True)
        fault, image = fault[order], image[order]
        golden = flat_weight(self._module.weight)
        channel, place, change = (
            torch.as_tensor(of_faults, device=fault.device)[fault] for of_faults in self._changes(faults, golden)
        )
        pairs = SinglePairs(fault, image, channel, place, change)
        ends = torch.searchsorted(image, torch.tensor([each.images.stop for each in self._slices], device=fault.device))
        start = 0
        for some, end in zip(self._slices, ends.tolist(), strict=True):
            for first in range(start, end, self._single):
                yield some.run_single(pairs.of_images(some.images, slice(first, min(first + self._single, end))))
            start = end

    def _changes(
        self, faults: WeightFaults, golden: NDArray[np.float32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """The channel of each fault, its weight's place there, what is added to `golden` [weights]; [faults] each."""
        channel, place = np.divmod(faults.weight_index, self._module.weight[0].numel())
        with np.errstate(invalid="ignore", over="ignore"):
            return channel, place, faults.value - golden[faults.weight_index]


@dataclass(frozen=True)
class SingleUpdates:
    """The first stage for pairs that are run one by one: where few are wanted of a fault, whole slices are too many."""

    updates: ChannelUpdates
    fault: Tensor
    """[pairs] row of the fault"""
    image: Tensor
    """[pairs] row of the image in its block"""

    def run(self, faults: WeightFaults, recorder: Recorder) -> Iterator[Pairs]:  # noqa: ARG002 - as a PairSource
        """See `ChannelUpdates.run_single`."""
        return self.updates.run_single(faults, self.fault, self.image)


@dataclass(frozen=True)
class WantedUpdates:
    """The first stage for some pairs alone."""

    updates: ChannelUpdates
    wanted: Tensor
    """[faults, count]"""

    def run(self, faults: WeightFaults, recorder: Recorder) -> Iterator[Pairs]:
        """See `ChannelUpdates.run`."""
        return self.updates.run(faults, recorder, self.wanted)


def _further(more: Sites, pack: Pack, golden: NDArray[np.float32], module: nn.Module) -> tuple[FurtherWeights, ...]:
    """What the faults of a pack change beyond their first weight; `golden`: the layer's weights, flat."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    change = more.value - golden[more.weight_index]
    nth = np.arange(len(more)) - np.searchsorted(more.fault, more.fault)  # of the sites of its fault
    found = []
    for number in range(int(nth.max(initial=-1)) + 1):
        sites = np.flatnonzero(nth == number)
        arrays = pack.channels[more.fault[sites]], more.weight_index[sites] % weight[0].numel(), change[sites]
        found.append(FurtherWeights(*(torch.as_tensor(array, device=weight.device) for array in arrays)))
    return tuple(found)


class SliceUpdates:
    """Some images of a block: few enough for what is computed at once to stay in the cache."""

    def __init__(
        self,
        layer: LayerContext,
        fast: FoldedSuffix,
        golden: Tensor,
        images: slice,
        leads: Leads,
        bounds: LayerBounds | None,
    ) -> None:
        """`golden`: the layer's fault-free result for the whole block; the rest as for `ChannelUpdates`."""
        self._network = layer.network
        self._suffix = fast.suffix
        self._packed, self._tiled, self._norms = fast.packed, fast.tiled, fast.norms
        self._block_values = layer.block.values  # not the block, which keeps this: both would outlive their use
        self.images = images
        """of the block"""
        self._leads = leads.of_images(images)
        self._uncertain = self._leads.are_uncertain
        self._bounds = bounds.of_images(images) if bounds else None
        self._outside: dict[tuple[fx.Node, int], Any] = {}
        """by node and number of packs"""
        (source,) = fast.suffix.layer.all_input_nodes
        assert isinstance(layer.module, nn.Conv2d | nn.Linear)
        self._layer = UpdatedLayer(layer.module, layer.block.values[source][images], golden[images])
        is_direct = sums_directly(golden.device)
        self._inputs = None if is_direct else LargestInputs(layer.module, layer.block.values[source][images])
        values = self._values(self._layer.with_images_first(self._layer.golden), partial(self._golden_outside, packs=1))
        self._golden = {node: self._apart(node, values, 1) for node in fast.suffix.frontier}

    def run(self, weights: ChangedWeights, recorder: Recorder, wanted: Tensor | None) -> Pairs:
        """The differing pairs of some packs that are not known without a run, and `wanted` [faults, count]."""
        differences, differs = self._differences(weights)
        met = None if self._inputs is None else weights.of_faults(self._inputs.products(weights))
        alive = weights.of_faults(self._uncertain | differs)
        is_rounded = None if met is None else ~(met < self._leads.certain_to)
        if is_rounded is not None:
            alive = alive | is_rounded
        if self._bounds is not None:
            channels = None if self._is_full(weights) else weights.channels
            is_safe, used = self._bounds.decided(differences, channels)
            is_safe = weights.of_faults(is_safe)
            is_safe = is_safe if is_rounded is None else is_safe & ~is_rounded
            doubt = weights.of_faults(used) if recorder.looks_at_doubt else None
            recorder.record_bounded(weights.faults, self.images, is_safe, doubt)
            alive = alive & ~is_safe
        if wanted is not None:
            alive = alive & wanted[:, self.images].index_select(0, weights.faults)
        return self._pairs(weights, alive, differences, met)

    def run_single(self, pairs: SinglePairs) -> Pairs:
        """The pairs that differ from golden, of some whose images are counted within the slice."""
        values = self._values(self._layer.single_outputs(pairs), partial(self._golden_of_pairs, image=pairs.image))
        row = torch.arange(len(pairs), device=pairs.image.device)
        differences = {}
        alive = self._uncertain.index_select(0, pairs.image)
        for node, golden in self._golden.items():
            faulty = self._suffix.frontier[node].apart(values[node])[row, pairs.channel]
            differences[node] = faulty - golden[pairs.channel, :, :, 0, pairs.image]
            alive = alive | (differences[node] != 0).flatten(1).any(1)
        met = None if self._inputs is None else self._inputs.single_products(pairs)
        if met is not None:
            alive = alive | ~(met < self._leads.certain_to.index_select(0, pairs.image))
        found = Pairs(pairs.fault, pairs.image + self.images.start, pairs.channel, differences, met)
        return found.take(alive.nonzero().squeeze(1))

    def _is_full(self, weights: ChangedWeights) -> bool:
        """Whether the changed channels are all of the layer's, so that nothing has to be selected."""
        return len(weights.channels) == len(self._layer.golden)

    def _differences(self, weights: ChangedWeights) -> tuple[dict[fx.Node, Tensor], Tensor]:
        """The change of each frontier value [n, width, rest, packs, images]; where any is not 0, [n, packs, images]."""
        values = self._values(self._layer.outputs(weights), partial(self._golden_outside, packs=weights.packs))
        is_full, channels = self._is_full(weights), weights.channels
        differences = {}
        differs = torch.zeros(1, dtype=torch.bool, device=channels.device)
        for node, golden in self._golden.items():
            faulty = self._apart(node, values, weights.packs)
            if not is_full:
                faulty, golden = faulty.index_select(0, channels), golden.index_select(0, channels)
            differences[node] = faulty - golden
            differs = differs | _any_nonzero(differences[node])
        return differences, differs

    def _pairs(
        self, weights: ChangedWeights, alive: Tensor, differences: dict[fx.Node, Tensor], met: Tensor | None
    ) -> Pairs:
        """The pairs that are `alive` [faults, images], by fault and then image; `met` [faults, images]."""
        images = len(self._uncertain)
        found = alive.flatten().nonzero().squeeze(1)
        fault = found // images
        image = found - fault * images
        slot = fault if weights.slots is None else weights.slots.index_select(0, fault)
        return Pairs(
            fault=weights.faults.index_select(0, fault),
            image=image + self.images.start,
            channel=weights.channels.index_select(0, slot // weights.packs),
            changed={node: _rows_of(value, slot * images + image) for node, value in differences.items()},
            met=None if met is None else met.flatten().index_select(0, found),
        )

    def _values(self, output: Tensor, outside: Callable[[fx.Node], Any]) -> dict[fx.Node, Any]:
        """The values of the layer and the packed nodes; the rows of `output` come first in shape, last in memory.

        `outside`: gives, for those rows, a golden value that a packed node reads beside the faulty ones.
        """
        values: dict[fx.Node, Any] = {self._suffix.layer: output}

        def value_of(node: fx.Node) -> Any:
            return values[node] if node in values else outside(node)

        for node in self._packed:
            if node in self._tiled:
                values[node] = self._tiled[node](self._network, value_of)
            elif node in self._norms:
                values[node] = self._norms[node](value_of(node.all_input_nodes[0]))
            else:
                values[node] = self._network.evaluate(node, value_of)
        return values

    def _golden_outside(self, node: fx.Node, packs: int) -> Any:
        """A golden value that a packed node reads beside the faulty ones of some packs, in the same layout."""
        if (node, packs) not in self._outside:
            value = self._block_values[node]
            if node in self._network.batch_dependent:
                if isinstance(value, Tensor):
                    value = images_last(value[self.images])
                    value = value if packs == 1 else value.repeat(*[1] * (value.ndim - 1), packs)
                    value = value.movedim(-1, 0)
                else:  # a size, which counts the rows of the block, padding included
                    value = self._network.evaluate(node, lambda parent: self._golden_outside(parent, packs))
            self._outside[node, packs] = value
        return self._outside[node, packs]

    def _golden_of_pairs(self, node: fx.Node, image: Tensor) -> Any:
        """A golden value that a packed node reads beside the faulty ones of pairs, by `image` [pairs] of the slice."""
        if node not in self._network.batch_dependent:
            return self._block_values[node]
        if isinstance(self._block_values[node], Tensor):
            return self._golden_outside(node, 1).movedim(0, -1).index_select(-1, image).movedim(-1, 0)
        return self._network.evaluate(node, lambda parent: self._golden_of_pairs(parent, image))

    def _apart(self, node: fx.Node, values: dict[fx.Node, Any], packs: int) -> Tensor:
        """A frontier value as [channels, width, rest, packs, images]."""
        apart = self._suffix.frontier[node].apart(values[node]).permute(1, 2, 3, 0)
        return apart.view(*apart.shape[:3], packs, len(self._uncertain))


def _any_nonzero(value: Tensor) -> Tensor:
    """Whether anything of `value` [n, width, rest, ...] is not zero, [n, ...]; the largest is found fastest."""
    is_single = value.shape[1] == value.shape[2] == 1
    return (value[:, 0, 0] if is_single else value.abs().amax((1, 2))) != 0


def _rows_of(value: Tensor, pair: Tensor) -> Tensor:
    """The rows of the pairs [pairs, width, rest] of `value` [n, width, rest, packs, images]."""
    width, rest = value.shape[1:3]
    return value.permute(0, 3, 4, 1, 2).reshape(-1, width, rest).index_select(0, pair)
