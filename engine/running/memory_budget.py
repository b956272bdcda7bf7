"""How much memory a campaign may take: as its config says, else as its device has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.config.campaign_config import GPU_SHARE, HOST_MEMORY
from engine.injection.memory import free_bytes
from engine.injection.numerics import device_named
from engine.units import byte_count

if TYPE_CHECKING:
    from engine.config.campaign_config import RunConfig

_LEAST_SHARE = 2
"""of the memory that is left for injecting, also where a known data set takes nearly all of it"""


def host_memory(run: RunConfig) -> int:
    """Bytes of the machine's memory; `[run] memory` is that of the device, and says nothing of it on a GPU."""
    return HOST_MEMORY if run.memory is None or device_named(run.device) != "cpu" else run.memory


def batch_memory(run: RunConfig, kept_bytes: int) -> int:
    """Bytes of the device for golden values and batches.

    On the CPU they share the memory with the images that are kept. On a GPU, where the config names nothing, what is
    free there decides: it is no part of what a campaign is, and may be another amount when the campaign goes on.

    Args:
        run: of the campaign.
        kept_bytes: of images that stay in the machine's memory.
    """
    device = device_named(run.device)
    if device == "cpu":
        memory = host_memory(run)
        return max(memory - kept_bytes, memory // _LEAST_SHARE)
    return int(GPU_SHARE * free_bytes(device)) if run.memory is None else run.memory


def memory_in_words(run: RunConfig, memory: int) -> str:
    """How much golden values and batches may take, where, and why so much where the config names nothing.

    Args:
        run: of the campaign.
        memory: bytes that they are planned for.
    """
    device = device_named(run.device)
    amount = f"{byte_count(memory)} for golden values and batches"
    if device == "cpu":
        return amount
    reason = "" if run.memory is not None else f", at most {100 * GPU_SHARE:.0f} % of what was free there"
    return f"{amount} on {device}{reason}"
