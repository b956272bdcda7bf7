"""Settings of torch that a user's module may change for the whole process when it is imported."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.backends import cuda, cudnn, mkldnn

if TYPE_CHECKING:
    from collections.abc import Iterator

_SWITCHES = (
    *((owner, "allow_tf32") for owner in (cuda.matmul, cudnn)),
    *((owner, "fp32_precision") for owner in (torch.backends, cuda.matmul, cudnn, mkldnn)),
    *(
        (getattr(owner, part, None), "fp32_precision")
        for owner in (cudnn, mkldnn)
        for part in ("matmul", "conv", "rnn")
    ),
    *((cudnn, name) for name in ("deterministic", "benchmark", "enabled")),
)
"""What decides how numbers are rounded, the older names first, which set the newer ones; torch 2.6 has only those."""


@contextmanager
def settings_kept() -> Iterator[None]:
    """Put torch's settings back on the way out: how numbers are computed is for the campaign's config to say.

    Precision of float32 on each device and its smallest numbers, deterministic algorithms, threads, and default dtype,
    device and gradients.
    """
    precision = _read(torch, "get_float32_matmul_precision")
    switches = [(owner, name, value) for owner, name in _SWITCHES if (value := _read(owner, name)) is not None]
    dtype, device, threads = torch.get_default_dtype(), torch.get_default_device(), torch.get_num_threads()
    gradients, deterministic = torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    # torch does not tell whether numbers below the smallest normal one become 0 on the CPU
    flushes = bool(torch.tensor(1e-40, dtype=torch.float32, device="cpu") * 1 == 0)
    try:
        yield
    finally:
        if precision is not None:
            torch.set_float32_matmul_precision(precision)
        for owner, name, value in switches:
            setattr(owner, name, value)
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(device)
        torch.set_num_threads(threads)
        torch.set_grad_enabled(gradients)
        torch.use_deterministic_algorithms(deterministic, warn_only=warns)
        torch.set_flush_denormal(flushes)


def _read(owner: object, name: str) -> Any:
    """A setting, or what its getter gives; None where this torch has none, or older and newer names disagree."""
    try:
        value = getattr(owner, name)
        return value() if callable(value) else value
    except (AttributeError, RuntimeError):
        return None
