"""Who reads the weights of a network's layers by other ways than calling the layer.

A copy of a network may not be all its own: a function that closes over the network, such as a hook or an attribute made
by `lambda`, is shared by the copy and goes on reading the network's weights. A graph may not show all that is read: a
tensor that a forward gets from `parameters()` or `state_dict()` becomes a constant of it. Both would lose a fault.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from engine.injection.memory import is_out_of_memory
from engine.injection.network.layers import injectable_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ABOUT = frozenset(
    {
        *("size", "dim", "ndimension", "numel", "nelement", "__len__", "stride", "storage_offset", "element_size"),
        *("is_contiguous", "is_floating_point", "is_complex", "is_shared", "is_pinned", "get_device", "data_ptr"),
        *("__hash__", "untyped_storage", "requires_grad_"),
    }
)
"""methods of a tensor that tell nothing of its values"""


class WeightReads(TorchFunctionMode):
    """While it is entered, notes which layers' weights the operations of torch read, in this thread."""

    def __init__(self, network: nn.Module) -> None:
        """`network`: whose convolution and linear layers are watched."""
        super().__init__()
        self._watched = {memory_of(module.weight) for _, module in injectable_modules(network)} - {0}
        self.read: set[int] = set()
        """the memory of each weight that was read"""

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operation, and note what it reads."""
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) or func.__name__ not in _ABOUT | {"__get__"}:
            tensors = (value for value in pytree.tree_leaves((args, kwargs)) if isinstance(value, Tensor))
            self.read |= self._watched & set(map(memory_of, tensors))
        return result


def memory_of(tensor: Tensor) -> int:
    """The address of the memory that a tensor of any shape is a part of; 0 where it has none."""
    return tensor.untyped_storage().data_ptr() if tensor.layout is torch.strided else 0


def untouched_copy(network: nn.Module, images: Tensor) -> nn.Module:
    """A copy of a network that nothing done to the network shows in; the network itself where there is none.

    Args:
        network: in eval mode.
        images: [n, C, H, W] a few, on its device; both are run on them.
    """
    try:
        copy = deepcopy(network)
        with torch.inference_mode(), WeightReads(network) as reads:
            logits = copy(images.clone())
        with torch.inference_mode():
            is_same = torch.equal(logits.nan_to_num(), network(images.clone()).nan_to_num())
    except Exception as error:  # copying and running run the network's own code, which may look for what was not copied
        if is_out_of_memory(error):
            raise
        return network
    return copy if is_same and not reads.read else network
