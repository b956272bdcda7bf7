"""When a campaign knows enough: the interval's width, and what looking several times costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.analysis.estimate import Confidence, Share, estimate_share
from engine.analysis.precision import RATES, Look
from engine.faults.waves import LOOKS, SHARES

CONFIG: dict[str, Any] = {"faults": {"confidence": 0.99}, "run": {"precision": 0.02}}


def look_at(low: float, high: float, faults: int = 10, **run: Any) -> Look:
    shares = {each.share: Share(0.1, low, high) for each in RATES.values()}
    look = Look.at(shares, CONFIG | {"run": CONFIG["run"] | run}, faults, 40)
    assert look is not None
    return look


def test_a_campaign_that_was_not_to_stop_is_not_looked_at() -> None:
    assert Look.at({}, {"faults": {}, "run": {}}, 10, 40) is None
    assert Look.at({}, {}, 10, 40) is None


def test_the_interval_is_measured_from_end_to_end() -> None:
    assert look_at(0.09, 0.1099).is_enough
    assert not look_at(0.09, 0.1101).is_enough


def test_the_sentence_says_after_how_many_faults_and_how_well_it_is_known() -> None:
    assert look_at(0.095, 0.11).sentence == (
        "stopped after 10 of 40 faults, because the 99 % interval of critical pairs is 1.5 points wide (precision 2)"
    )
    assert look_at(0.095, 0.11, faults=40, precision_of="faults").sentence == (
        "all 40 faults have run, and the 99 % interval of critical faults is 1.5 points wide (precision 2)"
    )
    assert look_at(0.1, 0.1, faults=40).sentence == (
        "all 40 faults have run, which are all that there are: nothing is open"
    )
    assert look_at(0.05, 0.15, faults=40, precision_of="accuracy").sentence == (
        "all 40 faults have run, and the 99 % interval of the faulty accuracy is 10 points wide (precision 2); "
        "a smaller error_margin draws more"
    )


def test_only_a_campaign_that_looks_pays_for_it() -> None:
    assert Confidence.of({}) == Confidence(0.99)
    assert Confidence.of({"faults": {"confidence": 0.9}}).of_interval == pytest.approx(0.9)
    assert Confidence.of(CONFIG) == Confidence(0.99, LOOKS)
    assert Confidence.of(CONFIG).of_interval == pytest.approx(1 - 0.01 / LOOKS)


@pytest.mark.parametrize(("share", "precision"), [(0.002, 0.0047), (0.02, 0.0133), (0.1, 0.0285)])
def test_intervals_hold_the_truth_where_campaigns_stop(share: float, precision: float) -> None:
    """Of a thousand campaigns that each stop as soon as the interval is narrow, at least as many as it promises."""
    population, drawn, confidence = 50_000, 16_000, Confidence(0.99, LOOKS)
    random = np.random.default_rng(7)
    held, stopped = 0, set()
    for _ in range(1000):
        sample = random.permutation(random.hypergeometric(int(share * population), int((1 - share) * population), drawn)
                                    > np.arange(drawn))  # fmt: skip
        for part in SHARES:
            faults = int(np.ceil(drawn * part))
            hits, size = np.array([int(sample[:faults].sum())]), np.array([faults])
            found = estimate_share(hits, size, np.array([population]), confidence.of_interval)
            if found.high - found.low <= precision:
                break
        stopped.add(part)
        held += found.low <= share <= found.high
    assert held >= 990
    assert len(stopped) > 1  # else nothing was chosen by what was seen
