"""The words for what is done before the first fault."""

from __future__ import annotations

from dear_tui.text.steps import StepText
from engine.steps import Step


def test_the_time_left_is_told_once_some_of_a_step_is_done() -> None:
    times = iter([0.0, 100.0, 100.5, 110.0, 130.0])
    text = StepText(clock=lambda: next(times))
    assert text.of(Step("loading")) == "loading ..."
    assert text.of(Step("ranking the images", 0, 10_000)) == "ranking the images: 0 of 10,000"
    assert text.of(Step("ranking the images", 256, 10_000)) == "ranking the images: 256 of 10,000"
    assert text.of(Step("ranking the images", 2_500, 10_000)) == "ranking the images: 2,500 of 10,000, ETA 30s"
    assert text.of(Step("measuring rounding", 1, 5)) == "measuring rounding: 1 of 5"
