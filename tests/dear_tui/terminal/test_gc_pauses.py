"""Garbage is looked for while no key is pressed."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from dear_tui.terminal import gc_pauses as garbage
from dear_tui.terminal.gc_pauses import GarbageBetweenKeys

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)
def spared_before_and_after() -> Iterator[None]:
    """What the other tests of this process have imported, and what garbage there is: to look for it takes seconds."""
    yield
    gc.freeze()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every look at all objects; young ones were collected often enough for one."""
    looks: list[str] = []
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, garbage.LEAST_COLLECTIONS))
    monkeypatch.setattr(gc, "collect", lambda: looks.append("look"))
    return looks


def test_not_while_keys_are_pressed(monkeypatch: pytest.MonkeyPatch, looks: list[str]) -> None:
    now = 100.0
    monkeypatch.setattr("dear_tui.terminal.gc_pauses.time.monotonic", lambda: now)
    between = GarbageBetweenKeys()
    between.key_pressed()
    now += garbage.REST_SECONDS / 2
    between.look()
    assert looks == []
    now += garbage.REST_SECONDS
    between.look()
    assert looks == ["look"]
    between.end()


def test_not_where_there_is_hardly_any(monkeypatch: pytest.MonkeyPatch, looks: list[str]) -> None:
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, 0))
    monkeypatch.setattr(garbage, "REST_SECONDS", 0.0)
    between = GarbageBetweenKeys()
    between.look()
    assert looks == []
    between.end()


def test_what_is_alive_is_spared_until_the_end(monkeypatch: pytest.MonkeyPatch, looks: list[str]) -> None:
    monkeypatch.setattr(garbage, "REST_SECONDS", 0.0)
    between = GarbageBetweenKeys()
    between.look()
    assert (looks, gc.get_freeze_count() > 0) == (["look"], True)
    between.end()
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("looks")
def test_python_looks_less_often_on_its_own_until_the_end() -> None:
    before = gc.get_threshold()
    between = GarbageBetweenKeys()
    assert gc.get_threshold() == (*before[:2], garbage.MOST_COLLECTIONS)
    between.end()
    assert gc.get_threshold() == before
