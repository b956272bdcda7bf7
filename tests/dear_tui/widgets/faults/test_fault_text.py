"""Faults in words and bits."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dear_tui.widgets.faults.fault_map_picture import HeatGrid
from dear_tui.widgets.faults.fault_text import answers_text, fault_text, group_name, group_text
from engine.analysis.accuracy_cost import HELPS
from engine.analysis.estimate import Confidence
from engine.faults.group import FaultGroup
from engine.formats.float32 import FLOAT32
from engine.store.read.fault_results import CriticalImages, FaultRates, FaultRows


def fault(golden: float, bit: int, model: str = "bit_flip", counts: tuple[int, ...] = (3, 2, 5)) -> FaultRows:
    counts = (*counts, 0, 0)[:5]
    value = np.array([golden], np.float32)
    stuck = {"bit_flip": -1, "stuck_at_0": 0, "stuck_at_1": 1}[model]
    return FaultRows(
        total=1,
        images=10,
        golden_right=9,
        cost=np.array([2]),
        fault_id=np.array([4]),
        layer=np.array(["fc1"], object),
        tensor_index=np.array(["(1, 2)"], object),
        bit=np.array([bit]),
        model=np.array([model], object),
        golden_value=value,
        faulty_value=FLOAT32.faulty_values(value, np.array([bit], np.uint8), np.array([stuck], np.int8)),
        masked=np.array([counts[0]]),
        non_critical=np.array([counts[1]]),
        critical=np.array([counts[2]]),
        screened=np.array([counts[3]]),
        dropped=np.array([counts[4]]),
        first_critical=np.array([0]),
    )


@pytest.mark.parametrize("bit", range(32))
def test_the_pointer_stands_under_the_bit(bit: int) -> None:
    _head, golden, faulty, pointer, *_ = fault_text(fault(0.3, bit), 78).plain.split("\n")
    column = pointer.index("▲")
    assert {golden[column], faulty[column]} == {"0", "1"}
    assert [index for index in range(37, 80) if golden[index : index + 1] != faulty[index : index + 1]] == [column]
    assert f"bit {bit}: {golden[column]} → {faulty[column]}" in pointer
    assert len(pointer) <= 78


def test_values_that_are_no_numbers_keep_their_bits() -> None:
    text = fault_text(fault(1.5, 30), 78).plain
    assert "nan" in text
    assert "7FC00000" in text
    assert "0  11111111  10000000000000000000000" in text


def test_a_stuck_bit_that_holds_its_value_already_says_so() -> None:
    assert "bit 30 is 0 already: masked by construction" in fault_text(fault(0.5, 30, "stuck_at_0"), 78).plain


@pytest.mark.parametrize(
    "counts",
    [
        *((0, 0, 9), (1, 1, 1), (9998, 1, 1), (5, 0, 5), (10_000, 0, 0)),
        *((0, 0, 0, 10_000), (1, 0, 2, 9997), (1, 1, 1, 9000, 997)),
    ],
)
@pytest.mark.parametrize("width", [40, 78, 118])
def test_the_bar_fills_its_line_and_shows_all_there_is(counts: tuple[int, ...], width: int) -> None:
    bar = fault_text(fault(0.5, 3, counts=counts), width).plain.split("\n")[4]
    assert len(bar) == width
    assert [glyph in bar for glyph in "█▒▓░·"] == [count > 0 for count in (*counts, 0, 0)[:5]]


def test_a_fault_that_has_not_run() -> None:
    assert "has not been run yet" in fault_text(fault(0.5, 3, counts=(0, 0, 0)), 78).plain


@pytest.mark.parametrize(("width", "share"), [(78, ""), (118, " (70 %)")])
def test_pairs_that_were_not_run_are_called_so(width: int, share: str) -> None:
    """In a narrow terminal there is no room for shares."""
    words = fault_text(fault(0.5, 3, counts=(2200, 300, 500, 7000)), width).plain.split("\n")[-1]
    for text in ("█ masked 2,200", "▒ non-critical 300", "▓ critical 500", f"░ screened 7,000{share}"):
        assert text in words
    assert len(words) <= width
    assert "· dropped 9" in fault_text(fault(0.5, 3, counts=(1, 0, 1, 0, 9)), width).plain
    assert {"screened", "dropped"}.isdisjoint(fault_text(fault(0.5, 3), width).plain.split())


def test_a_fault_all_of_whose_pairs_were_screened_is_not_one_that_waits() -> None:
    assert "has not been run yet" not in fault_text(fault(0.5, 3, counts=(0, 0, 0, 10)), 78).plain


def changed(golden: list[int], prediction: list[int], nonfinite: list[bool]) -> CriticalImages:
    """Images of class 0 that one fault is critical for."""
    places = np.arange(len(golden))
    return CriticalImages(
        places, places, 0 * places, np.array(golden), np.array(prediction), np.array(nonfinite, np.bool_)
    )


def test_what_a_fault_does_to_the_accuracy_and_to_answers() -> None:
    """An answer that is not finite is never right, whatever its largest logit is."""
    images = changed([0, 0, 0, 4, 4], [1, 1, 1, 0, 0], [False, False, True, False, True])
    assert answers_text(fault(0.5, 3), images).plain.split("\n") == [
        "accuracy 70 %, 90 % without the fault: 20.00 points lost",
        "answers  ✗ 3 made wrong   ✓ 1 corrected   · 1 wrong as before",
    ]
    assert "20.00 points gained" in answers_text(replace(fault(0.5, 3), cost=np.array([-2])), images).plain
    assert ": as without it" in answers_text(replace(fault(0.5, 3), cost=np.array([0])), images).plain


def test_an_accuracy_that_is_not_known_in_full_says_so() -> None:
    none = changed([], [], [])
    assert answers_text(fault(0.5, 3, counts=(0, 0, 0)), none).plain == ""
    assert "so far: 6 of 10 images" in answers_text(fault(0.5, 3, counts=(3, 2, 1)), none).plain
    assert "accuracy not known" in answers_text(fault(0.5, 3, counts=(3, 2, 1, 0, 4)), none).plain


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (FaultGroup("fc1", 30), "fc1 · bit 30"),
        (FaultGroup("fc1"), "fc1 · all bits"),
        (FaultGroup(bit=0), "all layers · bit 0"),
        (FaultGroup(), "all faults"),
    ],
)
def test_groups_have_names(group: FaultGroup, name: str) -> None:
    assert group_name(group) == name


def heat_of(grids: dict[str, Any]) -> HeatGrid:
    population = np.full((1, 32), 10**9)
    return HeatGrid.of(
        FaultRates(layers=("fc1",), population=population, confidence=Confidence(0.95), effect=HELPS, **grids)
    )


def test_a_group_in_words() -> None:
    grids: dict[str, Any] = {
        name: np.zeros((1, 32), np.int64)
        for name in ("faults", "run", "critical_faults", "pairs", "critical", "screened", "having")
    }
    for grid, value in zip(grids.values(), (50, 40, 10, 4000, 80, 0, 6), strict=True):
        grid[0, 30] = value
    grids["faults"][0, 2] = 7
    heat = heat_of(grids)
    text = group_text(heat, (0, 1), FaultGroup("fc1", 30), Confidence(0.95)).plain
    assert text == (
        "fc1 · bit 30 (exponent) · 50 of 1,000,000,000 faults drawn, 40 run so far · 4k pairs\n"
        "10 critical: 25 % of faults (95 % CI 14.2 – 40.2 %), 2 % of pairs\n"
        "6 raise the accuracy: 15 % (95 % CI 7.06 – 29.1 %)"
    )
    grids["screened"][0, 30] = 3600
    heat = heat_of(grids)
    assert group_text(heat, (0, 1), FaultGroup("fc1", 30), Confidence(0.95)).plain == (
        f"{text}\n90 % of pairs screened: a bound calls them safe, they were not run"
    )
    assert "not run yet" in group_text(heat, (0, 29), FaultGroup("fc1", 2), Confidence(0.95)).plain
    assert "no fault drawn here" in group_text(heat, (0, 0), FaultGroup("fc1", 31), Confidence(0.95)).plain
