"""Commands are called in this process; a store with one finished small campaign is there to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest

from dear_tui.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str


class Invoke(Protocol):
    """Runs `dear-tui ARGUMENTS`."""

    def __call__(self, *arguments: str | Path) -> Finished: ...


@pytest.fixture
def invoke(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Invoke:
    # on a busy machine every step may take long enough to be said
    monkeypatch.setattr("dear_tui.cli.printing.plain_lines.PATIENCE", float("inf"))

    def run(*arguments: str | Path) -> Finished:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Finished(code, out, err)

    return run
