"""Memory that runs out: batches are halved until they fit, or a sentence says what to set."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from engine.errors import InputError
from engine.injection.memory import free_bytes, give_back, is_out_of_memory
from engine.injection.network.sizes import TooLittleMemoryError
from engine.injection.numerics import device_named
from engine.steps import OnStep, nobody_waits
from engine.units import byte_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from engine.config.campaign_config import RunConfig
    from engine.injection.injection import Injection

_MEGABYTE = 10**6

Result = TypeVar("Result")


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
        device = device_named(run.device)
        free = _free_bytes(device)
        asked = lower = ""
        if run.memory is not None:
            asked = f"{run.memory // _MEGABYTE:,} MB and "
            lower = f'set memory = "{max(_MEGABYTE, min(run.memory, free) // 2) // _MEGABYTE}MB", or '
        raise InputError(
            f"[run] memory: {asked}what the network and the images take are more than {_place(device)} has, "
            f"{free // _MEGABYTE:,} MB of it free now; {lower}{_way_out(device)}"
        ) from None


def until_it_fits(work: Callable[[], Result], halve: Callable[[], object]) -> Result:
    """What `work` gives; each time that memory runs out, `halve` makes batches smaller, and it begins again.

    Raises:
        TooLittleMemoryError: the memory that was asked for does not hold one image.
        InputError: whatever `halve` raises where nothing is left to be made smaller.
    """
    is_halved = False
    while True:
        try:
            return work()
        except TooLittleMemoryError:
            if not is_halved:
                raise
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        halve()  # after the except clauses: the error holds what was computed until then
        is_halved = True


def halved_until_it_fits(build: Callable[[int], Result], memory: int, device: str) -> Result:
    """What `build` gives for so many bytes, or for half of them, and again, as often as memory runs out.

    Args:
        build: makes something for an amount of memory.
        memory: bytes at first.
        device: that they are on.

    Raises:
        TooLittleMemoryError: the first amount does not hold one image.
        InputError: nothing that fits holds one image.
    """
    tried = memory
    while tried:
        try:
            return build(tried)
        except TooLittleMemoryError:
            if tried == memory:
                raise
            break
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        give_back(device)
        tried //= 2
    raise nothing_fits(device)


def halve_batches(
    injection: Injection,
    draw_images: Callable[[int], Tensor],
    device: str,
    keeps_fall_backs: bool = False,
    on_step: OnStep = nobody_waits,
) -> str:
    """Have an injection take half of the memory, or less where it runs out again.

    Args:
        injection: whose batches become smaller.
        draw_images: gives images [n, C, H, W] to probe with for so many bytes of memory.
        device: of the injection.
        keeps_fall_backs: whether layers stay with the methods that they fell back to.
        on_step: told what is being done.

    Returns:
        A note on it, which also stands among those of the injection.

    Raises:
        InputError: nothing that fits holds one image.
    """
    while injection.memory:
        give_back(device)
        try:
            injection.halve(draw_images, keeps_fall_backs, on_step)
        except TooLittleMemoryError:
            break
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            note = halved_note(injection.memory)
            injection.notes.append(note)
            return note
    raise nothing_fits(device)


def nothing_fits(device: str) -> InputError:
    """The sentence for a device that does not hold the smallest batches."""
    return InputError(
        f"[run] memory: batches were halved down to the smallest, and still memory ran out: {_place(device)} has "
        f"{_free_bytes(device) // _MEGABYTE:,} MB free now; {_way_out(device)}"
    )


def halved_note(memory: int) -> str:
    """That batches are smaller than the config asks for."""
    return f"memory ran out: batches are halved, to fit in {byte_count(memory)}"


def _free_bytes(device: str) -> int:
    """As `free_bytes`; 0 where a GPU has not even room for what it needs to answer."""
    try:
        return free_bytes(device)
    except RuntimeError:
        return 0


def _place(device: str) -> str:
    return "the machine" if device == "cpu" else device


def _way_out(device: str) -> str:
    return "free some" if device == "cpu" else 'free some, or set device = "cpu"'
