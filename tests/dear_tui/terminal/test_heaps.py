"""Memory that is shared among threads."""

import platform
import subprocess
import sys

import pytest

from dear_tui.terminal.heaps import HEAPS

THREADS_AT_WORK = """
import ctypes, sys, threading
from dear_tui.terminal.heaps import share_heaps

if sys.argv[1] == "share":
    share_heaps()
together = threading.Barrier(8)

def take():
    together.wait()
    taken = [bytes(60_000) for _ in range(100)]
    together.wait()

threads = [threading.Thread(target=take) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fdopen(1, b"w")))
libc.fflush(None)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has a heap for each thread")
def test_threads_share_two_heaps() -> None:
    def heaps(how: str) -> int:
        told = subprocess.run([sys.executable, "-c", THREADS_AT_WORK, how], capture_output=True, text=True, check=True)
        return told.stdout.count("<heap nr")

    assert heaps("share") <= HEAPS < heaps("do not")
