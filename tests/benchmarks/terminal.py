"""What the screens cost, in a real terminal of 120x40: `python -m tests.benchmarks.terminal [--json]`, by hand.

A real worker runs a real campaign (LeNet-5 on MNIST) meanwhile, in a store with 200 others. Wants two idle cores for
two minutes. `--finished STORE` names a store with 10 million pairs or more, for the memory that a large result takes.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import json
import os
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pyte

from dear_tui.cli.printing.terminal_table import print_table
from dear_tui.screens.registry import SCREENS
from engine.analysis.result_table import Column, Kind, Table
from engine.config.campaign_config import parse_config
from engine.running.execution import prepare_new
from engine.store import Store
from tests.benchmarks.store import new_campaign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Journey = Sequence[tuple[str, Callable[[], bool]]]
    """keys, and what each of them must show"""

COLUMNS, ROWS = 120, 40
TAB_KEYS = {info.title: info.key for info in SCREENS}
PR_SET_PDEATHSIG = 1
"""of prctl(2)"""
DEAR_TUI = str(Path(sys.executable).with_name("dear-tui"))
CAMPAIGN = {
    "name": "long enough",
    "model": {"arch": "lenet5"},
    "dataset": {"name": "mnist"},
    "faults": {"count": 600_000},
}
MANY, LARGE = 200, 10_000_000
STARTS, WATCHED_SECONDS, KEYS = 5, 10.0, 100
QUIET = 0.12
"""seconds without output after which a frame is taken to be whole, less than between two readings of the store"""
BURST = 0.01
"""seconds without output after which what was written is looked at"""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    measured: float
    unit: str
    goal: str = ""


class Screen:
    """`dear-tui` in a pseudo-terminal: what it writes, and when."""

    def __init__(self, *arguments: str) -> None:
        self.terminal = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.terminal)
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "DEAR_CONFIG": ""}
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [DEAR_TUI, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)

    def close(self) -> None:
        self.process.send_signal(signal.SIGHUP)
        self.process.wait()
        os.close(self._master)

    def read(self, seconds: float) -> bytes:
        """What it writes next, at most `seconds` from now; empty when it writes nothing."""
        ready, _, _ = select.select([self._master], [], [], max(seconds, 0))
        return os.read(self._master, 1 << 20) if ready else b""

    def until(self, shown: Callable[[], bool], seconds: float = 60) -> float:
        """Draw until something is on the screen; the time of the last byte that it took."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            chunk = self.read(0.05)
            at = time.monotonic()
            self._stream.feed(chunk)
            if chunk and shown():
                return at
        raise TimeoutError("\n".join(self.terminal.display))

    def has(self, text: str) -> bool:
        return any(text in line for line in self.terminal.display)

    def chosen(self, text: str) -> bool:
        """Whether the cursor of the list is at a campaign with this in its line."""
        return any("▌" in line and text in line for line in self.terminal.display)

    def is_at(self, tab: str) -> bool:
        """Whether this tab is the marked one."""
        column = self.terminal.display[0].find(f" {TAB_KEYS[tab]} {tab} ") + 1
        return column > 0 and self.terminal.buffer[0][column].reverse

    def watch(self, seconds: float) -> int:
        """Bytes written in this time."""
        end, written = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0:
            chunk = self.read(left)
            written += len(chunk)
            self._stream.feed(chunk)
        return written

    def press(self, key: str, shown: Callable[[], bool]) -> float:
        """Seconds from the key to the last byte of the paint that shows what it did.

        Waits for a quiet moment before, and interprets afterwards what was written: that takes longer than writing it.
        """
        while chunk := self.read(QUIET):
            self._stream.feed(chunk)
        pressed = time.monotonic()
        os.write(self._master, key.encode())
        while time.monotonic() < pressed + 60:
            burst, at = self.read(1.0), time.monotonic()
            while chunk := self.read(BURST):
                burst, at = burst + chunk, time.monotonic()
            self._stream.feed(burst)
            if shown():
                return at - pressed
        raise TimeoutError("\n".join(self.terminal.display))

    def type(self, keys: str) -> None:
        """Press them, one after the other."""
        os.write(self._master, keys.encode())

    def cpu(self) -> float:
        """Seconds of processor that it has used, in all threads."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def memory(self) -> float:
        """MB that it holds."""
        return psutil.Process(self.process.pid).memory_info().rss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--finished", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before it was done"))  # the temporary folder goes, too
    with tempfile.TemporaryDirectory() as folder:
        figures = [*opening(Path(folder) / "store"), *running(Path(folder) / "store")]
    if options.finished:
        figures += [*first_openings(options.finished), *large_result(options.finished)]
    if options.json:
        print(json.dumps([asdict(figure) for figure in figures], indent=2))
        return
    columns = (Column("figure"), Column("measured", Kind.NUMBER), Column("unit"), Column("goal"))
    print_table(Table("", columns, tuple((one.name, one.measured, one.unit, one.goal) for one in figures)))


def opening(path: Path) -> Iterator[Figure]:
    """How fast it is there, on a new store and on one with many campaigns."""
    for name, campaigns, shown, goal in (
        ("first frame, empty store", 0, "1 campaigns", "< 1.5 s"),
        (f"list of {MANY} campaigns", MANY, f"campaign number {MANY}", "< 2 s"),
    ):
        fill(path, campaigns)
        times = []
        for _ in range(STARTS):
            screen = Screen("--store", str(path))
            times.append(screen.until(partial(screen.has, shown)) - screen.started)
            screen.close()
        yield Figure(f"{name} (median of {STARTS})", statistics.median(times), "s", goal)


def fill(path: Path, campaigns: int) -> None:
    store, new = Store.open(path), new_campaign(100)
    for number in range(1, campaigns + 1):
        campaign = store.create(replace(new, fingerprint=str(number), name=f"campaign number {number}"))
        store.queue.request("cancel", campaign)
    store.close()


def running(path: Path) -> Iterator[Figure]:
    """What it costs while a worker computes."""
    store = Store.open(path)
    campaign = store.queue.submit(prepare_new(parse_config(CAMPAIGN, source="benchmark"))).campaign
    worker = start_worker(path)
    screen = Screen("--store", str(path))
    try:
        screen.until(lambda: screen.has("running"))
        screen.press("2", lambda: screen.is_at("live") and screen.has("↑ faults by"))
        for tab in ("live", "campaigns", "machine"):
            screen.press(TAB_KEYS[tab], partial(screen.is_at, tab)) if not screen.is_at(tab) else None
            screen.watch(1.0)
            before, started = screen.cpu(), time.monotonic()
            written = screen.watch(WATCHED_SECONDS)
            seconds = time.monotonic() - started
            yield Figure(f"{tab}: written to the terminal", written / seconds / 1024, "KiB/s", "< 20 KiB/s")
            yield Figure(f"{tab}: processor", 100 * (screen.cpu() - before) / seconds, "% of a core", "< 15 %")
        for name, journey in (
            ("from screen to screen", screens_journey(screen)),
            ("in the list", list_journey(screen)),
        ):
            times = np.array([screen.press(*step) for _ in range(-(-KEYS // len(journey))) for step in journey])
            middle, most = (1000 * float(np.quantile(times, share)) for share in (0.5, 0.95))
            yield Figure(f"key to paint {name}, middle of {len(times)}", middle, "ms")
            yield Figure(f"key to paint {name}, 95 % are faster than", most, "ms", "< 50 ms")
        yield Figure("memory", screen.memory(), "MB", "< 300 MB")
        assert store.campaign(campaign).state == "running", "the campaign was too short"
    finally:
        screen.close()
        worker.kill()
        worker.wait()


def start_worker(path: Path) -> subprocess.Popen[bytes]:
    """A detached one, but for this: it does not outlive the benchmark, however that ends."""
    command = [sys.executable, "-m", "dear_tui.worker", str(path)]
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=end_with_parent,
    )


def end_with_parent() -> None:
    """Have Linux kill this process when the one that started it is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def screens_journey(screen: Screen) -> Journey:
    """Keys that change much, each seen by what it must show; not escape, after which a terminal must wait for more."""
    return [
        ("2", lambda: screen.is_at("live")),
        (" ", lambda: screen.has("frozen")),
        (" ", lambda: not screen.has("frozen")),
        ("?", lambda: screen.has("keys here")),
        ("q", lambda: not screen.has("keys here")),
        ("1", lambda: screen.is_at("campaigns")),
        ("5", lambda: screen.is_at("machine")),
        ("f", lambda: screen.terminal.buffer[0][len(" dear-tui  ")].bg != screen.terminal.buffer[0][1].bg),
        ("Z", lambda: screen.terminal.buffer[0][len(" dear-tui  ")].bg == screen.terminal.buffer[0][1].bg),
    ]


def list_journey(screen: Screen) -> Journey:
    """Keys of the list of campaigns, each seen by the campaign at the cursor, and with the details beside it."""
    last = "#1  campaign number 1 "
    return [
        ("1", lambda: screen.is_at("campaigns")),
        ("g", lambda: screen.chosen("long enough")),
        *(("j", lambda n=n: screen.chosen(f"number {n} ")) for n in range(MANY, MANY - 8, -1)),
        *(("k", lambda n=n: screen.chosen(f"number {n} ")) for n in range(MANY - 6, MANY)),
        ("c", lambda: screen.has("1 marked")),
        ("c", lambda: not screen.has("1 marked")),
        ("G", lambda: screen.chosen(last)),
        ("i", lambda: not screen.has("╮")),
        ("i", lambda: screen.has("╮")),
        ("2", lambda: screen.is_at("live")),
    ]


def first_openings(path: Path) -> Iterator[Figure]:
    """How fast each screen is there when it is opened for the first time."""
    taken: dict[str, list[float]] = {}
    for _ in range(STARTS):
        screen = Screen("--store", str(path))
        screen.until(partial(screen.is_at, SCREENS[0].title))
        for info in SCREENS[1:]:
            screen.watch(1.0)
            taken.setdefault(info.title, []).append(screen.press(info.key, partial(screen.is_at, info.title)))
        screen.close()
    for title, seconds in taken.items():
        yield Figure(
            f"{title}: first opening (median of {STARTS})", 1000 * statistics.median(seconds), "ms", "< 100 ms"
        )


def large_result(path: Path) -> Iterator[Figure]:
    """What a query with very many rows takes."""
    screen = Screen("--store", str(path))
    try:
        screen.until(lambda: screen.has("campaigns"))
        screen.press("4", lambda: screen.is_at("SQL"))
        screen.until(lambda: screen.has("critical_faults") or screen.has("views"))
        screen.press("i", lambda: screen.has("esc leave"))
        screen.type("\x1b[1;5F\x15\x7f\x15")  # ctrl+end, and both lines in the editor go
        screen.until(lambda: not screen.has("SELECT"))
        screen.type(f"\x1b[200~select * from severity limit {LARGE}\x1b[201~")
        screen.until(lambda: screen.has(f"severity limit {LARGE}"))
        started = time.monotonic()
        screen.type("\x1b[15~")  # f5
        first = screen.until(lambda: screen.has("100,000")) - started
        counted = screen.until(lambda: screen.has(f"of {LARGE:,}")) - started
        yield Figure(f"first rows of {LARGE:,}", first, "s")
        yield Figure("all of them counted", counted, "s")
        yield Figure("memory with this result open", screen.memory(), "MB", "< 300 MB")
    finally:
        screen.close()


if __name__ == "__main__":
    main()
