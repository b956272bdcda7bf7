"""How numbers are computed: part of every result, so it is chosen, fixed and recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from engine.errors import NoDeviceError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Numerics:
    """What the bits of a result depend on besides the weights and the images."""

    torch: str
    device: str
    """such as "cpu" or "cuda:0" """
    device_name: str
    tf32: bool
    threads: int


def choose_numerics(device: str, tf32: bool, threads: int | None = None, field: str = "[run] device") -> Numerics:
    """Fix the device and its arithmetic for this process: fp32 means fp32 unless `tf32`.

    Args:
        device: "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:N".
        tf32: whether CUDA may round to it.
        threads: of the CPU; None = what torch has chosen from the machine and the environment.
        field: where the device was asked for, in the words of an error.

    Raises:
        NoDeviceError: if CUDA or that device number is asked for and absent.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    device = device_named(device)
    if device != "cpu":
        _require_cuda(device, field)
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
    name = torch.backends.cpu.get_cpu_capability() if device == "cpu" else torch.cuda.get_device_name(device)
    return Numerics(torch.__version__, device, name, tf32 and device != "cpu", torch.get_num_threads())


def device_named(device: str) -> str:
    """The device that a config means: "cpu" or "cuda:N".

    >>> device_named("cuda")
    'cuda:0'
    """
    if device == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    return "cuda:0" if device == "cuda" else device


def _require_cuda(device: str, field: str) -> None:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(device.removeprefix("cuda:")) >= count:
        found = f"{count} CUDA device{'s' if count != 1 else ''}" if count else "no CUDA device"
        raise NoDeviceError(f'{field}: {device} is asked for, but there is {found}; use "cpu" or "auto"')


def list_devices() -> Iterator[tuple[str, str]]:
    """The devices a campaign can run on: name, as in `[run] device`, and a description of each."""
    threads = torch.get_num_threads()
    yield "cpu", f"{threads} thread{'s' if threads != 1 else ''}, {torch.backends.cpu.get_cpu_capability()}"
    if not torch.cuda.is_available():
        yield "cuda", "no GPU: campaigns run on CPU"
        return
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        yield f"cuda:{index}", f"{properties.name}, {properties.total_memory / 1e9:.0f} GB"
