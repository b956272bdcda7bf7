"""The scale, the totals and the layout of the map."""

from typing import Any

import numpy as np
import pytest

from dear_tui.widgets.faults.fault_map_picture import (
    GLYPHS,
    Fill,
    HeatGrid,
    MapLayout,
    bit_labels,
    bit_of,
    cell_number,
    field_heading,
    heat_of,
    level_of,
    short_name,
    short_share,
)
from engine.analysis.estimate import Confidence
from engine.formats.float32 import FLOAT32
from engine.store.read.fault_results import FaultRates

BITS = 32


def rates() -> FaultRates:
    """Two layers of which only some cells hold something."""
    grids: dict[str, Any] = {
        name: np.zeros((2, BITS), np.int64)
        for name in ("faults", "run", "critical_faults", "pairs", "critical", "screened", "having")
    }
    cells = {(0, 31): (4, 2, 1, 20, 5, 10, 1), (1, 31): (6, 6, 0, 60, 0, 0, 0), (1, 0): (3, 0, 0, 0, 0, 0, 0)}
    for place, values in cells.items():
        for grid, value in zip(grids.values(), values, strict=True):
            grid[place] = value
    return FaultRates(layers=("a", "b"), population=np.full((2, BITS), 10), confidence=Confidence(0.99), **grids)


def test_totals_are_the_sums_of_layers_and_bits() -> None:
    grid = HeatGrid.of(rates())
    assert grid.rows == 3
    assert (grid.faults[0, 0], grid.faults[1, 0], grid.faults[1, 31]) == (4, 6, 3)
    assert (grid.faults[2, 0], grid.faults[1, 32], grid.faults[2, 32]) == (10, 9, 13)
    assert grid.rate(2, 0) == 5 / 80
    assert grid.population[2, 32] == 640


def test_levels_of_cells() -> None:
    grid = HeatGrid.of(rates())
    assert grid.level(0, 0) is Fill.HIGHEST
    assert grid.level(1, 0) is Fill.ZERO
    assert grid.level(1, 31) is Fill.NOT_RUN
    assert grid.level(0, 31) is Fill.NOT_DRAWN
    assert grid.levels() == {Fill.HIGHEST, Fill.ZERO, Fill.NOT_RUN, Fill.NOT_DRAWN}


def test_a_cell_without_a_critical_pair_says_where_some_were_screened() -> None:
    """Nothing critical was seen there, but not every pair was looked at."""
    screened = rates()
    screened.screened[1, 31] = 59
    grid = HeatGrid.of(screened)
    assert grid.level(1, 0) is Fill.SCREENED
    assert grid.level(0, 0) is Fill.HIGHEST, "what was seen to be critical counts, whatever else was screened"


@pytest.mark.parametrize(
    ("rate", "level"),
    [
        (0, Fill.ZERO), (1e-9, Fill.LOW), (9e-5, Fill.LOW), (1e-4, Fill.MIDDLE), (9e-4, Fill.MIDDLE),
        (1e-3, Fill.HIGH), (9e-3, Fill.HIGH), (1e-2, Fill.HIGHEST), (1, Fill.HIGHEST),
    ],
)  # fmt: skip
def test_a_level_is_a_decade(rate: float, level: Fill) -> None:
    assert level_of(rate) is level


def test_every_level_has_a_glyph_of_its_own() -> None:
    assert len(set(GLYPHS.values())) == len(Fill)


def test_heat_is_logarithmic_and_stays_on_the_scale() -> None:
    assert heat_of(1e-5) == 0
    assert heat_of(1) == 1
    assert heat_of(1e-4) == pytest.approx(0.2)
    assert heat_of(1e-2) == pytest.approx(0.6)
    assert (heat_of(1e-9), heat_of(0)) == (0, 0)


@pytest.mark.parametrize(("width", "height"), [(76, 7), (80, 18), (120, 33), (200, 55), (300, 80)])
@pytest.mark.parametrize("layers", [1, 5, 20, 62])
def test_the_map_fits_its_room(width: int, height: int, layers: int) -> None:
    names = tuple(f"features.layer{number}.conv" for number in range(layers))
    layout = MapLayout.of(names, width, height)
    assert layout.name_width + BITS * layout.cell_width + layout.SHARE_WIDTH <= width
    assert layout.HEADING + (layout.layers + 1) * layout.cell_height <= height
    assert len(field_heading(layout)) == layout.name_width + BITS * layout.cell_width + layout.SHARE_WIDTH
    assert len("".join(bit_labels(layout, 7))) == BITS * layout.cell_width
    assert 1 <= layout.layers <= layers
    assert layout.cell_width >= 2


@pytest.mark.parametrize(("width", "height"), [(44, 4), (47, 8), (62, 22), (200, 55)])
@pytest.mark.parametrize("layers", [1, 5, 20, 62])
def test_a_small_map_fits_its_room(width: int, height: int, layers: int) -> None:
    names = tuple(f"features.layer{number}.conv" for number in range(layers))
    layout = MapLayout.of(names, width, height, is_small=True)
    assert layout.name_width + BITS * layout.cell_width + layout.SHARE_WIDTH <= width
    assert layout.SMALL_HEADING + layout.layers + 1 <= height
    assert (layout.cell_height, layout.layers) == (1, min(layers, height - 2))
    assert field_heading(layout, corner="▼57").startswith("▼57")


def test_places_on_the_screen_are_places_on_the_map() -> None:
    layout = MapLayout.of(("a", "b"), 80, 18)
    assert layout.column_of(layout.name_width - 1) is None
    assert layout.column_of(layout.name_width) == 0
    assert layout.column_of(layout.name_width + 31 * layout.cell_width) == 31
    assert layout.column_of(79) == 32
    assert (layout.row_of(1), layout.row_of(2), layout.row_of(2 + layout.cell_height)) == (None, 0, 1)
    assert layout.row_of(17) == layout.layers


def test_bits_and_their_parts() -> None:
    assert [bit_of(column, 32) for column in (0, 1, 31, 32)] == [31, 30, 0, None]
    fields = ["sign", "exponent", "exponent", "mantissa", "mantissa"]
    assert [FLOAT32.field_of(bit).name for bit in (31, 30, 23, 22, 0)] == fields


@pytest.mark.parametrize(
    ("name", "width", "short"),
    [
        ("conv1", 9, "conv1"), ("layer3.2.conv1", 9, "la3.2.co1"), ("layer3.2.conv1", 13, "laye3.2.conv1"),
        ("features.12.0.block.conv", 12, "f.12.0.b.c"), ("a.1.2.3.4.5.6.7", 6, "…5.6.7"),
    ],
)  # fmt: skip
def test_long_names_are_shortened(name: str, width: int, short: str) -> None:
    assert short_name(name, width) == short
    assert len(short) <= width


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0"), (1, "100"), (0.401, "40.1"), (0.0965, "9.65"), (0.0062, "0.62"), (0.00003, "0.003"), (1e-7, "<.001"),
        (0.99999, "100"),
    ],
)  # fmt: skip
def test_shares_are_short(share: float, text: str) -> None:
    assert short_share(share) == text
    assert len(text) <= 5


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (None, ["30", "28", "26", "24"]),
        (30, ["30", "28", "26", "24"]),
        (27, ["30", "27", "24"]),
        (31, ["31", "28", "26", "24"]),
    ],
)
def test_labels_of_narrow_cells_do_not_touch(chosen: int | None, expected: list[str]) -> None:
    layout = MapLayout.of(("a",), 76, 20)
    assert layout.cell_width == 2
    assert "".join(bit_labels(layout, chosen)).split()[: len(expected)] == expected


@pytest.mark.parametrize(
    ("percent", "texts"),
    [(100, ("100", "100", "100")), (40.12, ("40", "40", "40.1")), (9.649, ("10", "9.6", "9.65")),
     (0.62, ("1", "0.6", "0.62")), (0.3, ("<1", "0.3", "0.30")), (0.04, ("<1", "<.1", "<.1")),
     (0.0001, ("<1", "<.1", "<.1"))],
)  # fmt: skip
def test_a_cell_has_what_digits_it_has_room_for(percent: float, texts: tuple[str, ...]) -> None:
    for width, text in zip((3, 4, 5), texts, strict=True):
        assert cell_number(percent / 100, width) == f"{text:^{width}}"
