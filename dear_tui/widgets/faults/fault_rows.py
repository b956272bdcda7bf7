"""Rows of faults and of the images that one is critical for, laid out for a width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from dear_tui.widgets.common.columns import ListColumn, class_text, lay_out
from dear_tui.widgets.common.status_text import MUTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dear_tui.widgets.common.row_list import Rows
    from engine.faults.group import FaultGroup
    from engine.store.read.fault_results import CriticalImages, FaultRows, Flips


def fault_rows(faults: FaultRows, group: FaultGroup, class_names: Sequence[str], width: int) -> Rows:
    """A list of faults; what they have in common is not repeated, and of one image it is said what it is taken for."""
    run = faults.count()
    columns = [
        ListColumn("fault", lambda i: str(faults.fault_id[i]), 6, 4, style=MUTED),
        ListColumn("layer", lambda i: str(faults.layer[i]), longest(faults.layer, 5), 0, left=True),
        ListColumn("index", lambda i: str(faults.tensor_index[i]), longest(faults.tensor_index, 6), 3, left=True),
        ListColumn("bit", lambda i: str(faults.bit[i]), 3),
        ListColumn("golden", lambda i: f"{faults.golden_value[i]:.3g}", 9, 2),
        ListColumn("faulty", lambda i: f"{faults.faulty_value[i]:.3g}", 9, 1),
        ListColumn("masked", lambda i: _count(faults.masked[i], run[i]), 6, 7),
        ListColumn("non-crit", lambda i: _count(faults.non_critical[i], run[i]), 8, 5),
        ListColumn("critical", lambda i: _count(faults.critical[i], run[i]), 8, 0, style="bold"),
        *(
            ListColumn(name, lambda i, counts=counts: f"{counts[i]:,}", 8, 4)  # type: ignore[misc]
            for name, counts in (("screened", faults.screened), ("dropped", faults.dropped))
            if counts.any()
        ),
        ListColumn("accuracy", lambda i: _accuracy(faults, i) if run[i] else "–", 8, 3),
        ListColumn("first", lambda i: _first(int(faults.first_critical[i])), 6, 6),
    ]
    if faults.flips is not None:
        columns[4:4] = _flip_columns(faults.flips, class_names)
    if group.layer is not None:
        columns = [column for column in columns if column.title != "layer"]
    if group.bit is not None:
        columns = [column for column in columns if column.title != "bit"]
    return lay_out(columns, faults.fault_id, width)  # type: ignore[arg-type]


def critical_image_rows(images: CriticalImages, class_names: Sequence[str], width: int) -> Rows:
    """The images that a fault is critical for."""
    lost, corrected = images.is_right_lost, images.is_corrected
    names = max([7, *(cell_len(name) + 3 for name in class_names)])
    columns = [
        ListColumn("rank", lambda i: f"{images.rank[i] + 1:,}", 6),
        ListColumn("image", lambda i: str(images.image_id[i]), 6),
        ListColumn("answer", lambda i: _answer(lost[i], corrected[i]), 17, left=True, style="bold"),
        ListColumn("prediction", lambda i: class_text(int(images.prediction[i]), class_names), names, left=True),
        ListColumn("golden", lambda i: class_text(int(images.golden_class[i]), class_names), names, 1, left=True),
        ListColumn("label", lambda i: class_text(int(images.label[i]), class_names), names, 2, left=True),
        ListColumn("", lambda i: "! not finite" if images.nonfinite[i] else "", 12, left=True, style="$text-warning"),
    ]
    return lay_out(columns, images.image_id, width)  # type: ignore[arg-type]


def longest(texts: Iterable[object], least: int) -> int:
    """The width of the longest text."""
    return max([least, *(len(str(text)) for text in texts)])


def _count(images: int, run: int) -> str:
    return f"{images:,}" if run else "–"


def _accuracy(faults: FaultRows, place: int) -> str:
    """By how many points the accuracy changes under a fault; of images that were dropped nobody knows."""
    if faults.dropped[place]:
        return "–"
    cost = int(faults.cost[place])
    return "0" if cost == 0 else f"{-100 * cost / faults.images:+.2f}"


def _first(rank: int) -> str:
    """A rank as people count, from 1 on."""
    return f"{rank + 1:,}" if rank >= 0 else "–"


def _flip_columns(flips: Flips, class_names: Sequence[str]) -> list[ListColumn]:
    """What faults make of an image; where it is right without them, they all make it wrong."""
    names = max([10, *(cell_len(name) + 3 for name in class_names)])
    golden_is_right = flips.golden_class == flips.label

    def prediction(place: int) -> str:
        return "not finite" if flips.nonfinite[place] else class_text(int(flips.prediction[place]), class_names)

    def answer(place: int) -> str:
        is_right = flips.prediction[place] == flips.label and not flips.nonfinite[place]
        return _answer(golden_is_right, not golden_is_right and is_right)

    columns = [ListColumn("prediction", prediction, names, left=True, style="bold")]
    return columns if golden_is_right else [*columns, ListColumn("answer", answer, 17, 2, left=True)]


def _answer(is_right_lost: bool, is_corrected: bool) -> str:
    """What a fault does to the answer for an image that it changes."""
    if is_right_lost:
        return "✗ made wrong"
    return "✓ corrected" if is_corrected else "· wrong as before"
