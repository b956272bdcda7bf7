"""Memory of a device: how much of it is free, giving back what torch holds, and that it ran out."""

from __future__ import annotations

import gc
import os

import torch

_SIGNS = ("can't allocate memory", "out of memory", "_ALLOC_FAILED", "_ALLOCATION_FAILED")
"""in a RuntimeError of torch: of the CPU, of a GPU, and of the libraries that run on one"""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def free_bytes(device: str) -> int:
    """What this process could still take on a device; on a GPU with what torch keeps there for its next tensors."""
    if device == "cpu":
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + kept


def give_back(device: str) -> None:
    """Let go of what nobody uses any more; on a GPU also of what torch keeps there, which may lie in small pieces."""
    gc.collect()  # tracebacks and futures of what failed hold tensors in circles
    if device != "cpu":
        torch.cuda.empty_cache()
