"""A bound on what a query may make this process take: DuckDB does not count a single value, which can be gigabytes."""

from __future__ import annotations

import resource
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

SLACK = 1 << 30
"""beside what DuckDB counts: stacks of its threads, a result's rows, the text they become"""


def limit_memory(size: int) -> None:
    """Let this process, and those it starts, take `size` bytes more than it has, and SLACK, where the system can."""
    import psutil  # not for every command that may limit itself

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    with suppress(OSError, ValueError, AttributeError):  # only Linux tells what the limit counts
        limit = int(psutil.Process().memory_info().data) + size + SLACK
        resource.setrlimit(resource.RLIMIT_DATA, (limit if most < 0 else min(limit, most), most))


def lift_memory_limit() -> None:
    """Of a process that one with such a limit may have started."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


@contextmanager
def bounded_memory(size: int) -> Iterator[None]:
    """Limit this process as `limit_memory` does, meanwhile.

    Raises:
        InputError: it needs more.
    """
    before = resource.getrlimit(resource.RLIMIT_DATA)
    limit_memory(size)
    try:
        yield
    except MemoryError:
        from engine.store.sql.errors import TOO_LARGE

        raise InputError(f"SQL: {TOO_LARGE}") from None
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
