"""What is shown, as a table and as a picture in files."""

import csv
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dear_tui.charts.export import shown_table, write_export
from dear_tui.charts.svg import COLOURS, figure_of
from dear_tui.charts.view import ChartKind, ChartView
from engine.analysis.result_table import Kind as Cells
from engine.figures.figure import Colour
from engine.figures.svg import COLOURS as SVG_COLOURS
from engine.figures.svg import to_svg
from tests.dear_tui.chart_data import DATA, ONLY_CRITICAL, plot_of

SVG = "{http://www.w3.org/2000/svg}"


def rows_of(folder: Path, view: ChartView) -> list[dict[str, str]]:
    _picture, table, _pixels = write_export(plot_of(view), view, folder, 7).paths
    with table.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_curve_as_a_table(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, ChartView())
    assert list(rows[0]) == ["rank", "image_id", "el2n", "masked", "non_critical", "critical"]
    assert [int(row["critical"]) for row in rows] == DATA.curve.critical.tolist()
    assert [float(row["el2n"]) for row in rows] == DATA.curve.metric.tolist()


def test_the_table_says_what_its_numbers_are() -> None:
    kinds = {column.name: column.kind for column in shown_table(plot_of(ChartView())).columns}
    assert kinds == dict.fromkeys(("rank", "image_id"), Cells.ID) | {"el2n": Cells.NUMBER} | dict.fromkeys(
        ("masked", "non_critical", "critical"), Cells.COUNT
    )


def test_only_what_is_shown_is_in_the_table(tmp_path: Path) -> None:
    assert [int(row["rank"]) for row in rows_of(tmp_path, ChartView(window=(0.1, 0.2)))] == list(range(999, 2000))
    scatter = rows_of(tmp_path, ChartView(ChartKind.SCATTER, window=(0.4, 0.6)))
    assert {0.56 <= float(row["el2n"]) <= 0.84 for row in scatter} == {True}


@pytest.mark.parametrize(
    ("kind", "columns", "rows"),
    [
        (ChartKind.SCATTER, ["image_id", "rank", "el2n", "masked", "non_critical", "critical"], 10_000),
        (ChartKind.COMPARISON, ["images", "ranked", "random_mean", "random_lowest", "random_highest"], 10_000),
        (ChartKind.OVERLAY, ["campaign", "rank", "critical", "faults"], 10_000 + 50 + 3000),
    ],
)  # fmt: skip
def test_every_view_is_a_table(tmp_path: Path, kind: ChartKind, columns: list[str], rows: int) -> None:
    table = rows_of(tmp_path, ChartView(kind))
    assert (list(table[0]), len(table)) == (columns, rows)


def test_without_the_extra_a_sentence_says_what_gives_a_png(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    export = write_export(plot_of(ChartView()), ChartView(), tmp_path, 7)
    assert [path.suffix for path in export.paths] == [".svg", ".csv"]
    assert export.sentence.endswith("For a PNG, too: pip install 'dear-tui[report]'")


def test_a_name_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    names = [
        [path.name for path in write_export(plot_of(ChartView()), ChartView(), tmp_path, 7).paths] for _ in range(3)
    ]
    assert names == [
        [f"campaign-7-curve.{ending}" for ending in ("svg", "csv", "png")],
        [f"campaign-7-curve-2.{ending}" for ending in ("svg", "csv", "png")],
        [f"campaign-7-curve-3.{ending}" for ending in ("svg", "csv", "png")],
    ]


def texts(svg: str) -> set[str]:
    return {element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")}


@pytest.mark.parametrize("kind", list(ChartKind))
def test_every_view_is_a_picture_with_names_for_its_axes(kind: ChartKind) -> None:
    plot = plot_of(ChartView(kind))
    svg = to_svg(figure_of(plot))
    assert {plot.title, plot.x_name, plot.y_name, plot.right_name} - {""} <= texts(svg)
    assert {*(band.name for band in plot.bands), *(series.label for series in plot.series)} <= texts(svg)
    assert len(svg) < 1_000_000


def test_the_curve_has_the_colours_of_the_screen() -> None:
    lines = [
        line.get("stroke")
        for line in ElementTree.fromstring(to_svg(figure_of(plot_of(ChartView())))).iter(f"{SVG}polyline")
    ]
    classes = (Colour.METRIC, Colour.MASKED, Colour.NON_CRITICAL, Colour.CRITICAL)
    assert lines == [SVG_COLOURS[colour] for colour in classes]
    assert set(COLOURS.values()) == set(Colour)


def test_a_hidden_class_is_not_in_the_picture() -> None:
    assert SVG_COLOURS[Colour.MASKED] not in to_svg(figure_of(plot_of(ChartView(hidden=ONLY_CRITICAL))))


def test_lines_end_where_the_curve_does() -> None:
    svg = to_svg(figure_of(plot_of(ChartView(window=(0.0, 0.01), hidden=ONLY_CRITICAL, asymptotes=False))))
    points = re.findall(r'points="([^"]+)"', svg)[-1].split()
    first, last = (tuple(map(float, point.split(","))) for point in (points[0], points[-1]))
    assert first == (70, 430)  # no image, no critical fault
    assert last[0] > 750  # goes on beyond the frame, which cuts it off
