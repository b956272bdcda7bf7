"""A map of cells as SVG: each number readable, and the worst the furthest from the paper."""

from itertools import pairwise
from xml.etree import ElementTree

from engine.figures.heat_map import NOTHING, Cell, Group, HeatMap, colour_of, heat_map_svg

SVG = "{http://www.w3.org/2000/svg}"
READABLE = 4.5
"""of WCAG"""


def luminance(colour: str) -> float:
    if colour == "white":
        return 1.0
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def drawn(*heats: float | None) -> ElementTree.Element:
    cells = tuple(Cell("x", heat) for heat in heats)
    columns = tuple(str(column) for column in range(len(cells)))
    heat_map = HeatMap("<map>", "%", ("all",), columns, (Group("exponent", 2),), (cells,), (Cell("1 %", 0.5),), "note")
    return ElementTree.fromstring(heat_map_svg(heat_map))


def test_everything_is_named() -> None:
    texts = [element.text for element in drawn(0.1, None, 1.0).iter(f"{SVG}text")]
    assert {"<map>", "%", "all", "0", "1", "2", "exponent", "1 %", "note"} <= set(texts)
    assert texts.count("x") == 3


def test_the_hotter_the_darker() -> None:
    lights = [luminance(colour_of(step / 20)) for step in range(21)]
    assert all(one > other for one, other in pairwise(lights))
    assert colour_of(None) == NOTHING


def test_numbers_are_readable_on_every_shade() -> None:
    heats = [None, *(step / 100 for step in range(101))]
    root = drawn(*heats)
    numbers = [element for element in root.iter(f"{SVG}text") if element.text == "x"]
    assert len(numbers) == len(heats)
    for heat, number in zip(heats, numbers, strict=True):
        darker, lighter = sorted((luminance(colour_of(heat)), luminance(str(number.get("fill")))))
        assert (lighter + 0.05) / (darker + 0.05) >= READABLE, heat
