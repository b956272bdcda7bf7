"""The heaps that the threads of the screens take their memory from."""

from __future__ import annotations

import ctypes

M_ARENA_MAX = -8
"""of mallopt(3)"""
HEAPS = 2


def share_heaps() -> None:
    """Have all threads share two heaps; call it before there are any.

    glibc gives nearly each thread a heap of its own, and each keeps what it once had at most: while a campaign of
    600,000 faults is watched the screens hold 334 MB so, and 263 MB with two. Where there is no glibc, nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, HEAPS)
