"""The real program in a real terminal of 80x24: what a person sees, types and is left with."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

from engine.config.campaign_config import load_config
from engine.store import Store
from engine.units import short_count
from tests.dear_tui.worker.held import Hold
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.dear_tui.real_terminal import Terminal

DEMO_OF = """
import json, sys
import dear_tui.cli.demo
dear_tui.cli.demo.DEMO = json.loads(sys.argv[1])
sys.executable = sys.argv[2]
sys.exit(dear_tui.cli.main(["demo", *sys.argv[3:]]))
"""
"""`dear-tui demo` of a smaller campaign, with another Python for its worker."""


def test_a_campaign_is_run_watched_and_left(tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    store = tmp_path / "store"
    running = terminal("run", write_config(tmp_path), "--store", store)
    running.until("dear-tui compact 1")
    assert running.ended() == 0
    status = Store.open(store, read_only=True).campaign(1)

    screens = terminal("--store", store)
    screens.until("1 campaigns", "small", "finished", "quit")
    screens.press("\r")
    counts = (
        f"masked {short_count(status.masked)}",
        f"non-critical {short_count(status.non_critical)}",
        f"critical {short_count(status.critical)}",
    )
    screens.until(*counts, "↑ faults by", "└┬─")  # the axis is below the curve, so it is drawn after it
    plot = "".join(line for line in screens.text.splitlines() if "│" in line)
    assert any("⠀" < character <= "⣿" for character in plot), "the curve is drawn in braille"
    screens.press("?")
    screens.until("keys here", "the whole x axis again")
    screens.press("\x1b")
    screens.until("↑ faults by", gone="keys here")
    screens.press("1")
    screens.until("⏎ open", gone="└┬─")
    screens.press("2")
    screens.until(*counts, "└┬─")
    screens.press("q")
    assert screens.ended() == 0


def test_a_campaign_outlives_the_terminal_it_was_started_in(
    tmp_path: Path, terminal: Callable[..., Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found again in another terminal, which is there when it finishes."""
    store = tmp_path / "store"
    config = load_config(write_config(tmp_path))
    tables = json.dumps(config.model_dump(mode="json", exclude_none=True))
    hold = Hold(tmp_path, monkeypatch)
    first = terminal(tables, hold.python(), "--store", store, command=[sys.executable, "-c", DEMO_OF])
    first.until("running", "60 faults")
    first.program.kill(signal.SIGHUP)
    assert first.ended() != 0
    assert Store.open(store, read_only=True).campaign(1).state == "running"

    second = terminal("--store", store)
    second.until("small", "running")
    hold.let_go()
    second.until("small", "finished", gone="running")
    second.press("q")
    assert second.ended() == 0


def test_a_store_that_is_a_file_opens_no_screen(tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    refused = terminal("--store", file)
    assert refused.ended() == 3
    assert refused.said == (f"dear-tui: {file}: cannot be the store, it is a file; choose a folder with --store")


def test_a_terminal_that_cannot_draw_is_sent_to_the_commands(terminal: Callable[..., Terminal]) -> None:
    refused = terminal(term="dumb")
    assert refused.ended() == 2
    assert refused.said == (
        "dear-tui: there is no terminal to draw in (or TERM is dumb); use the commands: dear-tui --help"
    )
