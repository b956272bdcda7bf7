"""What breaks inside the screens ends them with a sentence; the details go to a file."""

from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.worker import WorkerFailed

from dear_tui.app import DearApp
from dear_tui.cli import terminal as cli_terminal
from dear_tui.terminal.crash import crash_log, record_crash
from engine.errors import DearError
from tests.dear_tui.memory_store import FakeSource, make_app, make_status, settle


def broken() -> None:
    raise KeyError("lost")


async def meet(app: DearApp, in_thread: bool) -> None:
    """Run the app until it has met something broken."""
    async with app.run_test() as pilot:
        await settle(pilot)
        if in_thread:
            app.run_worker(broken, thread=True)
        else:
            app.call_later(broken)
        await app._exception_event.wait()


async def test_a_crash_is_a_sentence_and_a_file() -> None:
    app = make_app(FakeSource([make_status(1)]))
    with pytest.raises(KeyError, match="lost"):
        await meet(app, in_thread=False)
    assert app.crash == (
        f"the screens broke down (KeyError: 'lost'); campaigns go on, dear-tui shows them again, and the details are "
        f"in {crash_log()}"
    )
    log = crash_log().read_text()
    assert "in broken" in log
    assert "KeyError: 'lost'" in log
    assert app._exit_renderables == []


async def test_so_is_one_in_a_thread() -> None:
    app = make_app(FakeSource())
    with pytest.raises(WorkerFailed, match="lost"):
        await meet(app, in_thread=True)
    assert app.crash.startswith("the screens broke down (KeyError: 'lost')")


def test_a_log_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert "the details cannot be written: " in record_crash(ValueError("a\nb"))


def test_the_command_ends_with_the_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(app: DearApp, **_options: Any) -> None:
        app.crash = "the screens broke down"

    monkeypatch.setattr(cli_terminal, "is_terminal", lambda: True)
    monkeypatch.setattr(App, "run", run)
    with pytest.raises(DearError, match="the screens broke down") as ended:
        cli_terminal.open_terminal(tmp_path)
    assert ended.value.exit_code == 1
