"""Memory that runs out, as a sentence with what to set."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from engine.errors import InputError
from engine.injection.memory import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.config.campaign_config import RunConfig

_MEGABYTE = 10**6


@contextmanager
def explained_memory(run: RunConfig) -> Iterator[None]:
    """Say how much memory may be asked for where more was asked than there is.

    Raises:
        InputError: what is done inside ran out of memory.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        free = _free_bytes()
        fitting = max(_MEGABYTE, min(run.memory, free) // 2) // _MEGABYTE
        raise InputError(
            f"[run] memory: {run.memory // _MEGABYTE:,} MB and what the network and the images take are more than the "
            f'machine has, {free // _MEGABYTE:,} MB of it free now; set memory = "{fitting}MB", or free some'
        ) from None


def _free_bytes() -> int:
    """Of the GPU, where there is one; else of the machine."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
