"""What happens to the screens where people really work: lost connections, workers that come and go, odd terminals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from dear_tui.worker.process import start_worker
from engine.config.campaign_config import load_config
from engine.running.execution import prepare_new
from engine.store import Store
from tests.dear_tui.real_terminal import DEADLINE, DEAR_TUI
from tests.dear_tui.worker.conftest import until
from tests.small_campaign import write_config, write_long_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.dear_tui.real_terminal import Terminal


@pytest.fixture
def shell(terminal: Callable[..., Terminal]) -> Terminal:
    """One with jobs."""
    shell = terminal(command=["bash", "--norc", "--noprofile", "-i"], PS1="shell> ")
    shell.until("shell>")
    return shell


def submit(store: Path, config: Path) -> int:
    return Store.open(store).queue.submit(prepare_new(load_config(config))).campaign


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], int]]:
    """Starts workers that end when their queue is empty, or with the test."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    started: list[int] = []

    def start(store: Path) -> int:
        started.append(start_worker(store, until_empty=True))
        return started[-1]

    yield start
    for pid in started:
        kill(pid)


def kill(pid: int) -> None:
    """End a worker at once, and wait until it is gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    until(lambda: not psutil.pid_exists(pid))


def test_a_lost_connection_ends_the_screens_and_not_the_worker(
    tmp_path: Path, terminal: Callable[..., Terminal], shell: Terminal, worker: Callable[[Path], int]
) -> None:
    """The journey: open, see it run, look at the curve, lose the connection, come back, leave, come back, stop."""
    store = tmp_path / "store"
    campaign = submit(store, write_long_config(tmp_path))
    pid = worker(store)
    first = terminal("--store", store)
    first.until("running")
    first.press("2")
    first.until("↑ faults by")
    first.program.kill(signal.SIGHUP)
    assert first.ended() == -signal.SIGHUP
    opened = Store.open(store, read_only=True)
    assert opened.worker().pid == pid
    done = opened.campaign(campaign).pairs_done

    second = terminal("--store", store)
    second.until("running")
    second.press("2")
    second.until("↑ faults by")
    second.until_so(lambda: opened.campaign(campaign).pairs_done > done, "more pairs")
    second.press("q")
    assert second.ended() == 0
    assert "goes on in its own process" in second.text

    shell.press(f"{DEAR_TUI[0]} --store {store}\r")
    shell.until("running")
    shell.press("\x1a")
    shell.until("Stopped")
    done = opened.campaign(campaign).pairs_done
    until(lambda: opened.campaign(campaign).pairs_done > done)
    shell.screen.reset()
    shell.press("\rfg\r")
    shell.until("running")


def test_a_worker_that_starts_later_and_one_that_dies_are_seen_in_two_terminals(
    tmp_path: Path, terminal: Callable[..., Terminal], worker: Callable[[Path], int]
) -> None:
    store = tmp_path / "store"
    submit(store, write_long_config(tmp_path))
    both = [terminal("--store", store), terminal("--store", store)]
    for screens in both:
        screens.until("queued")
    pid = worker(store)
    for screens in both:
        screens.until("running", gone="queued")
    kill(pid)
    for screens in both:
        screens.until("paused", gone="running")
    worker(store)
    for screens in both:
        screens.until("running", gone="paused")


def test_the_end_of_a_campaign_is_told_also_to_the_desktop(
    tmp_path: Path, terminal: Callable[..., Terminal], worker: Callable[[Path], int]
) -> None:
    store, config = tmp_path / "store", tmp_path / "config.toml"
    config.write_text("[notify]\ndesktop = true\nbell = true\n")
    submit(store, write_config(tmp_path, name="Prüfung 模型 🚀"))
    screens = terminal("--store", store, DEAR_CONFIG=str(config))
    screens.until("queued", "Prüfung 模")
    worker(store)
    screens.until("finished", "Campaign 1")
    told = "\x1b]9;Campaign 1 (Prüfung 模型 🚀) is finished: ".encode()
    screens.until_so(lambda: told in screens.written and screens.written.count(b"\x07") >= 2, "the word and the bell")
    screens.press("q")
    assert screens.ended() == 0


def test_resized_while_it_draws(
    tmp_path: Path, terminal: Callable[..., Terminal], worker: Callable[[Path], int]
) -> None:
    store = tmp_path / "store"
    submit(store, write_long_config(tmp_path))
    worker(store)
    screens = terminal("--store", store)
    screens.until("running")
    screens.press("2")
    screens.until("↑ faults by")
    for columns, rows in ((120, 40), (60, 12), (200, 60), (20, 5), (80, 24), (120, 40)):
        screens.resize(columns, rows)
        screens.press("1")
        screens.press("2")
    screens.until_so(
        lambda: (
            "? keys" in screens.screen.display[39]
            and any("└" in line and len(line.rstrip()) > 110 for line in screens.screen.display)
        ),
        "the chart and the keys at the new edges",
    )


def stop_by_key(shell: Terminal) -> None:
    shell.press("\x1a")


def stop_by(number: signal.Signals) -> Callable[[Terminal], None]:
    """As a scheduler or another terminal does."""

    def stop(shell: Terminal) -> None:
        [screens] = psutil.Process(shell.program.pid).children()
        screens.send_signal(number)

    return stop


@pytest.mark.parametrize(
    "stop", [stop_by_key, stop_by(signal.SIGTSTP), stop_by(signal.SIGSTOP)], ids=["ctrl+z", "SIGTSTP", "SIGSTOP"]
)
def test_a_stop_gives_the_shell_and_fg_the_screens(
    tmp_path: Path, shell: Terminal, stop: Callable[[Terminal], None]
) -> None:
    """They are drawn anew, although nothing has changed, lose no key, and leave the terminal as they found it."""
    shell.press(f"MODES=$(stty -g); {DEAR_TUI[0]} --store {tmp_path / 'store'}\r")
    shell.until("dear-tui demo", "No worker runs", "d demo", "? keys")
    drawn = shell.text
    for before in ("", "bg; ", "bg\r"):
        stop(shell)
        shell.until("Stopped")
        shell.screen.reset()  # else what was drawn before would be taken for what is drawn anew
        shell.press(f"\r{before}fg\r")
        shell.until_so(lambda: shell.text == drawn, "the same screen")
        shell.press("5")
        shell.until("utilisation")
        shell.screen.reset()
        stop(shell)
        shell.until("Stopped")
        shell.press(f"\r{before}fg\r1")
        shell.until_so(lambda: shell.text == drawn, "the same screen")
    shell.press("q")
    shell.until("shell>")
    shell.press("echo status $?; [ $(stty -g) = $MODES ] && echo modes as before\r")
    shell.until("status 0", "\nmodes as before")


def test_behind_the_shell_it_draws_nothing_and_can_be_ended(tmp_path: Path, shell: Terminal) -> None:
    shell.press(f"MODES=$(stty -g); {DEAR_TUI[0]} --store {tmp_path / 'store'}\r")
    shell.until("dear-tui demo", "? keys")
    stop_by(signal.SIGSTOP)(shell)
    shell.until("Stopped")
    shell.screen.reset()
    shell.press("\rbg\r")
    shell.until("&", "shell>")
    shell.press("echo one $((1 + 1))\r")
    shell.until("one 2")
    shell.press("kill %1; wait %1; echo status $?; [ $(stty -g) = $MODES ] && echo modes as before\r")
    shell.until("status 0", "\nmodes as before")
    assert "dear-tui demo" not in shell.text


def test_started_behind_the_shell_it_comes_with_fg(tmp_path: Path, shell: Terminal) -> None:
    shell.press(f"{DEAR_TUI[0]} --store {tmp_path / 'store'} &\r")
    shell.until("[1]")
    shell.press("fg\r5")
    shell.until("utilisation")


def test_a_stop_stops_also_what_it_runs_under(tmp_path: Path, shell: Terminal) -> None:
    """As `uv run`: the shell waits for that, and would be waited for in vain."""
    shell.press(f"sh -c '{DEAR_TUI[0]} --store {tmp_path / 'store'}; exit'\r")
    shell.until("dear-tui demo", "? keys")
    shell.press("\x1a")
    shell.until("Stopped")
    shell.press("\rfg\r5")
    shell.until("utilisation")


def test_where_no_shell_could_continue_it_nothing_stops_it(tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    screens = terminal("--store", tmp_path / "store")
    screens.until("dear-tui demo", "? keys")
    screens.press("\x1a")
    screens.until_so(lambda: b"\x1b[?1049l" in screens.written, "the terminal given back")
    screens.press("5")
    screens.until("utilisation")


def test_resized_while_it_is_stopped(tmp_path: Path, shell: Terminal) -> None:
    shell.press(f"{DEAR_TUI[0]} --store {tmp_path / 'store'}\r")
    shell.until("dear-tui demo", "? keys")
    shell.press("\x1a")
    shell.until("Stopped")
    shell.resize(120, 40)
    shell.press("\rfg\r")
    shell.until_so(lambda: "? keys" in shell.screen.display[39], "the keys at the new edge")


@pytest.mark.parametrize("hang_up", ["exec", "trap '' HUP; exec"], ids=["SIGHUP", "no SIGHUP"])
def test_a_terminal_that_goes_while_it_is_stopped_ends_it(tmp_path: Path, shell: Terminal, hang_up: str) -> None:
    shell.press(f"({hang_up} {DEAR_TUI[0]} --store {tmp_path / 'store'})\r")
    shell.until("dear-tui demo", "? keys")
    [screens] = psutil.Process(shell.program.pid).children()
    shell.press("\x1a")
    shell.until("Stopped")
    shell.program.close(force=True)
    screens.wait(DEADLINE)


def test_what_is_typed_between_two_signals_is_not_lost(tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    """SIGSTOP and SIGCONT from outside, where no shell takes the terminal."""
    screens = terminal("--store", tmp_path / "store")
    screens.until("dear-tui demo", "? keys")
    for key, expected in (("5", "utilisation"), ("1", "dear-tui demo")) * 3:
        screens.program.kill(signal.SIGSTOP)
        screens.press(key)
        screens.program.kill(signal.SIGCONT)
        screens.until(expected)
    screens.press("q")
    assert screens.ended() == 0


def test_to_go_on_without_a_stop_changes_nothing(tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    screens = terminal("--store", tmp_path / "store")
    screens.until("dear-tui demo", "? keys")
    threads = psutil.Process(screens.program.pid).num_threads()
    screens.screen.reset()
    screens.program.kill(signal.SIGCONT)
    screens.until("dear-tui demo", "? keys")
    assert psutil.Process(screens.program.pid).num_threads() <= threads
    screens.press("q")
    assert screens.ended() == 0


def test_who_ends_it_gets_the_terminal_back(tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    screens = terminal("--store", tmp_path / "store")
    screens.until("? keys")
    screens.program.kill(signal.SIGTERM)
    assert screens.ended() == 0
    assert b"\x1b[?1049l" in screens.written


COLOUR = re.compile(rb"\x1b\[[\d;]*?[34]8;(2;(\d+);(\d+);(\d+)|5;\d+)")


def test_a_terminal_that_goes_without_a_signal_ends_it(tmp_path: Path) -> None:
    """As under nohup: it must neither stay nor spin."""
    master, slave = os.openpty()
    screens = subprocess.Popen(
        [*DEAR_TUI, "--store", str(tmp_path / "store")],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=os.environ | {"TERM": "xterm-256color"},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    os.close(slave)
    written = b""
    while b"campaigns" not in written:
        written += os.read(master, 65536)
    os.close(master)
    try:
        assert screens.wait(DEADLINE) == -signal.SIGHUP
    finally:
        screens.kill()


def test_no_color_is_obeyed(tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    screens = terminal("--store", tmp_path / "store", NO_COLOR="1", COLORTERM="truecolor")
    screens.until("1 campaigns", "? keys")
    greys = COLOUR.findall(screens.written)
    assert greys
    assert all(red == green == blue for _, red, green, blue in greys)


def test_sixteen_colours_are_the_terminals_own(tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    screens = terminal("--store", tmp_path / "store", term="screen", COLORTERM="")
    screens.until("1 campaigns", "? keys")
    assert COLOUR.findall(screens.written) == []


def test_without_a_terminal_it_is_a_sentence() -> None:
    done = subprocess.run(DEAR_TUI, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "dear-tui: there is no terminal to draw in (or TERM is dumb); use the commands: dear-tui --help\n"
    )


def test_a_wrong_config_of_the_user_is_a_sentence(tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[keys]\napp.kwit = 'x'\n")
    refused = terminal("--store", tmp_path / "store", DEAR_CONFIG=str(config))
    assert refused.ended() == 2
    assert f"{config}: [keys] app.kwit: there is no such action; did you mean app.quit?" in refused.said
    assert b"\x1b[?1049h" not in refused.written


PATCHED = """
import sys, threading
{patch}
from dear_tui.cli import main
sys.exit(main(sys.argv[1:]))
"""
BREAKS = """
from dear_tui.screens.campaigns import CampaignsScreen
def broken(self, snapshot): raise KeyError("lost")
CampaignsScreen.show_snapshot = broken
"""
HANGS = """
from engine.store import Store
Store.{method} = lambda *_, **__: threading.Event().wait()
"""


def patched(patch: str) -> list[str]:
    return [sys.executable, "-c", PATCHED.format(patch=patch)]


def test_a_screen_that_breaks_leaves_a_sentence(tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    broken = terminal("--store", tmp_path / "store", command=patched(BREAKS), XDG_STATE_HOME=str(tmp_path))
    assert broken.ended() == 1
    log = tmp_path / "dear-tui" / "log" / "crash.log"
    left = broken.written.rpartition(b"\x1b[?1004l")[2].decode()
    assert re.sub(r"\x1b\[\?\d+l|\r\n", "", left) == (
        "dear-tui: the screens broke down (KeyError: 'lost'); campaigns go on, dear-tui shows them again, and the "
        f"details are in {log}"
    )
    assert "KeyError: 'lost'" in log.read_text()


@pytest.mark.parametrize("method", ["open", "campaigns"])
def test_a_store_that_never_answers_freezes_no_key(
    method: str, tmp_path: Path, terminal: Callable[..., Terminal]
) -> None:
    """As on a network disk that is gone: the screens open, can be looked through, and can be left."""
    hanging = terminal("--store", tmp_path / "store", command=patched(HANGS.format(method=method)))
    hanging.until("Reading the store")
    hanging.press("5")
    hanging.until("utilisation")
    hanging.press("?")
    hanging.until("keys here")
    hanging.press("\x1b")
    hanging.until("utilisation", gone="keys here")
    hanging.press("q")
    assert hanging.ended() == 0
