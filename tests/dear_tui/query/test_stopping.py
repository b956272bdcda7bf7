"""What is to stop stops, also where DuckDB missed the first wish."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from dear_tui.query.export import Export
from dear_tui.query.runs import CancelledError, LateSession, Run
from engine.store.sql.sql import SqlSession, Statement
from tests.dear_tui.sql_store import make_store
from tests.endless_queries import ENDLESS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def not_heeded_at_first(monkeypatch: pytest.MonkeyPatch, owner: type[Statement | SqlSession]) -> threading.Event:
    """Have the first three interrupts missed; the event is set when one comes."""
    interrupt, asked, missed = owner.interrupt, threading.Event(), iter(range(3))

    def sometimes(one: Statement | SqlSession) -> None:
        asked.set()
        if next(missed, None) is None:
            interrupt(one)  # type: ignore[arg-type]

    monkeypatch.setattr(owner, "interrupt", sometimes)
    return asked


def told_of(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> threading.Event:
    """Set as soon as this is called."""
    work, begun = getattr(owner, name), threading.Event()

    def tell(*arguments: object) -> object:
        begun.set()
        return work(*arguments)

    monkeypatch.setattr(owner, name, tell)
    return begun


def cancelled_in_a_thread(work: Callable[[], object]) -> threading.Event:
    """Set once this, run in a thread, has ended as asked."""
    ended = threading.Event()

    def do() -> None:
        with pytest.raises(CancelledError):
            work()
        ended.set()

    threading.Thread(target=do, daemon=True).start()
    return ended


@pytest.mark.parametrize("way", ["cancel", "drop"])
def test_a_query_is_asked_until_it_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    session, run = LateSession(make_store(tmp_path / "store")), Run(ENDLESS)
    asked, begun = not_heeded_at_first(monkeypatch, Statement), told_of(monkeypatch, Statement, "page")
    ended = cancelled_in_a_thread(lambda: run.read(session, print, print))
    assert begun.wait(20)
    getattr(run, way)()
    assert ended.wait(20)
    assert asked.is_set()


def test_an_export_is_asked_until_it_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export = Export(make_store(tmp_path / "store"), ENDLESS, tmp_path / "all.csv")
    asked, begun = not_heeded_at_first(monkeypatch, SqlSession), told_of(monkeypatch, SqlSession, "query")
    ended = cancelled_in_a_thread(export.write)
    assert begun.wait(20)
    export.cancel()
    assert ended.wait(20)
    assert asked.is_set()
    assert not export.target.exists()
