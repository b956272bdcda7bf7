"""The devices a campaign can run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


def list_devices() -> Iterator[tuple[str, str]]:
    """Name, as in `[run] device`, and a description of each."""
    threads = torch.get_num_threads()
    yield "cpu", f"{threads} thread{'s' if threads != 1 else ''}, {torch.backends.cpu.get_cpu_capability()}"
    if not torch.cuda.is_available():
        yield "cuda", "no GPU: campaigns run on CPU"
        return
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        yield f"cuda:{index}", f"{properties.name}, {properties.total_memory / 1e9:.0f} GB"
