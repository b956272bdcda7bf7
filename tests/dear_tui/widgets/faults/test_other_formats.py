"""The map and the drawing of a fault in a format of eight bits."""

from typing import Any

import numpy as np
import pytest

from dear_tui.widgets.faults.fault_map_picture import HeatGrid, MapLayout, bit_labels, bit_of, field_heading
from dear_tui.widgets.faults.fault_text import fault_text, group_text
from engine.analysis.estimate import Confidence
from engine.faults.group import FaultGroup
from engine.store.read.fault_results import FaultRates, FaultRows
from tests.engine.formats.signed8 import SIGNED8


def rates() -> FaultRates:
    names = ("faults", "run", "critical_faults", "pairs", "critical", "screened", "having")
    grids: dict[str, Any] = {name: np.zeros((2, 8), np.int64) for name in names}
    for place, values in {(0, 7): (4, 4, 1, 20, 5, 0, 1), (1, 2): (6, 6, 0, 60, 0, 0, 0)}.items():
        for grid, value in zip(grids.values(), values, strict=True):
            grid[place] = value
    return FaultRates(
        layers=("a", "b"), population=np.full((2, 8), 10), confidence=Confidence(0.95), format=SIGNED8, **grids
    )


def fault(golden: float, bit: int, model: str = "bit_flip") -> FaultRows:
    value = np.array([golden], np.float32)
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
        faulty_value=value,
        masked=np.array([3]),
        non_critical=np.array([2]),
        critical=np.array([5]),
        screened=np.array([0]),
        dropped=np.array([0]),
        first_critical=np.array([0]),
    )


def test_the_map_has_a_column_for_each_of_eight_bits_and_one_for_all() -> None:
    grid = HeatGrid.of(rates())
    assert (grid.bits, grid.faults.shape, grid.population[2, 8]) == (8, (3, 9), 160)
    assert (grid.faults[0, 0], grid.faults[1, 5], grid.faults[2, 8]) == (4, 6, 10)
    layout = MapLayout.of(grid.names, 80, 18, SIGNED8)
    heading = field_heading(layout)
    assert ("±" in heading, "magnitude" in heading, "exponent" in heading) == (True, True, False)
    assert len(heading) == layout.name_width + 8 * layout.cell_width + layout.SHARE_WIDTH
    assert "".join(bit_labels(layout, 7)).split() == ["7", "6", "5", "4", "3", "2", "1", "0"]
    assert layout.column_of(79) == 8
    assert [bit_of(column, 8) for column in (0, 7, 8)] == [7, 0, None]


def test_a_group_names_the_field_of_its_bit() -> None:
    grid = HeatGrid.of(rates())
    assert "bit 7 (sign)" in group_text(grid, (0, 0), FaultGroup("a", 7), Confidence(0.95)).plain
    assert "bit 2 (magnitude)" in group_text(grid, (1, 5), FaultGroup("b", 2), Confidence(0.95)).plain


@pytest.mark.parametrize("bit", range(8))
def test_the_pointer_stands_under_the_bit(bit: int) -> None:
    head, golden, faulty, pointer, *_ = fault_text(fault(5, bit), 78, SIGNED8).plain.split("\n")
    column = pointer.index("▲")
    assert [place for place in range(len(golden)) if place > 30 and golden[place] != faulty[place]] == [column]
    assert f"bit {bit}: {golden[column]} → {faulty[column]}" in pointer
    assert head.split() == ["decimal", "hex", "±", "magnitude"]
    assert golden.split() == ["golden", "5", "05", "0", "0000101"]


def test_the_faulty_value_is_that_of_the_format() -> None:
    text = fault_text(fault(5, 7), 78, SIGNED8).plain
    assert text.split("\n")[2].split() == ["faulty", "-123", "85", "1", "0000101"]
