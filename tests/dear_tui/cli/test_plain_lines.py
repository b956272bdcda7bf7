"""Progress where standard error is no terminal: what takes a while says what it does, at least every half minute."""

from __future__ import annotations

import threading

import pytest

from dear_tui.cli.printing.plain_lines import EVERY, PATIENCE, PlainLines
from dear_tui.cli.printing.say import shown_steps
from engine.steps import Step


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def lines(said: list[str], clock: Clock) -> PlainLines:
    return PlainLines(said.append, clock)


def test_what_is_done_at_once_is_not_said(lines: PlainLines, said: list[str], clock: Clock) -> None:
    for text in ("loading", "ranking", "checking"):
        lines.on_step(Step(text))
        clock.now += PATIENCE / 2
        lines.look()
    assert said == []


def test_what_takes_a_while_is_said_once_and_then_every_half_minute(
    lines: PlainLines, said: list[str], clock: Clock
) -> None:
    lines.on_step(Step("loading"))
    for clock.now in (PATIENCE, 10, 20, PATIENCE + EVERY, 40):
        lines.look()
    assert said == ["loading ...", "loading ... 26s so far"]
    assert PATIENCE + EVERY < 30


def test_how_far_it_is_and_how_long_it_takes_are_told(lines: PlainLines, said: list[str], clock: Clock) -> None:
    for done in range(0, 50, 2):
        clock.now = done
        lines.on_step(Step("ranking the images", done, 60))
        lines.look()
    assert said == ["ranking the images: 2 of 60, ETA 58s", "ranking the images: 28 of 60, ETA 32s"]


def test_what_stands_there_already_is_not_said_again(lines: PlainLines, said: list[str], clock: Clock) -> None:
    lines.note("running", " 10 % 4k/s", is_said=True)
    clock.now = EVERY - 1
    lines.note("running", " 12 % 4k/s")
    lines.look()
    assert said == []
    clock.now = EVERY
    lines.look()
    assert said == [" 12 % 4k/s"]


def test_a_step_that_reports_nothing_is_said_by_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dear_tui.cli.printing.plain_lines.PATIENCE", 0.0)
    heard = threading.Event()
    with PlainLines(lambda line: heard.set() if line == "measuring ..." else None) as lines:
        lines.on_step(Step("measuring"))
        assert heard.wait(30)


def test_shown_steps_says_nothing_of_what_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_steps() as on_step:
        on_step(Step("reading"))
    assert capsys.readouterr().err == ""
