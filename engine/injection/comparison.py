"""Whether two tensors are equal, or as near as rounding can bring them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

_ROUNDING = 1e-3
"""of the largest magnitude of a value: another order of summation can make less"""


def equal_values(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and equal values, NaN equal to NaN.

    >>> equal_values(torch.tensor([1.0, torch.nan]), torch.tensor([1.0, torch.nan]))
    True
    """
    return one.shape == other.shape and bool(((one == other) | (one.isnan() & other.isnan())).all())


def is_close(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors differ by no more than another order of summation, or another kernel, can make.

    Values that are not finite have to be so in both.

    >>> is_close(torch.tensor([1000.0, 0.1]), torch.tensor([1000.0, 0.2]))
    True
    >>> is_close(torch.tensor([1000.0, 0.1]), torch.tensor([1000.0, torch.inf]))
    False
    """
    if one.shape != other.shape or not torch.equal(one.isfinite(), other.isfinite()):
        return False
    if one.is_complex() and other.is_complex():
        one, other = (torch.view_as_real(value.resolve_conj()) for value in (one, other))
    one, other = (value.double().nan_to_num(0, 0, 0) for value in (one, other))
    return not one.numel() or bool((one - other).abs().max() <= _ROUNDING * one.abs().max())
