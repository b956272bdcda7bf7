"""Images of a workload in words: their list, one of them, and what it is taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from dear_tui.widgets.common.columns import ListColumn, class_text, lay_out
from dear_tui.widgets.common.status_text import MUTED, bar
from engine.metrics.registry import written
from engine.severity import NOT_RUN_NAMES
from engine.units import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dear_tui.widgets.common.row_list import Rows
    from engine.store.read.image_results import ImageRows, Mistakes

WRONG = "✗"
"""after a golden class that is not the label"""
ROOM_FOR_SHARE = 48
NAMES_FROM = 64
"""a list this wide has room for the names of classes"""


def image_rows(images: ImageRows, class_names: Sequence[str], width: int) -> Rows:
    """The list of images."""
    is_wide = width >= NAMES_FROM
    names = class_names if is_wide else ()
    class_width = max([5, *(cell_len(name) + 3 for name in names)])
    run = images.count()

    def golden(place: int) -> str:
        text = class_text(int(images.golden_class[place]), names)
        return text if images.golden_class[place] == images.label[place] else f"{text} {WRONG}"

    columns = [
        ListColumn("rank", lambda i: f"{images.rank[i] + 1:,}", len(f"{images.rank.max(initial=0) + 1:,}")),
        ListColumn("image", lambda i: str(images.image_id[i]), len(str(images.image_id.max(initial=0))), style=MUTED),
        ListColumn("critical" if is_wide else "crit", lambda i: _count(images.critical[i], run[i]), 5, style="bold"),
        *([ListColumn("corrected", lambda i: _corrected(images, i), 5, 8)] if images.corrected.any() else ()),
        ListColumn("label", lambda i: class_text(int(images.label[i]), names), class_width, 1, left=True),
        ListColumn("golden", golden, max(class_width + 2, 6) if is_wide else 6, 1, left=True),
        *(
            ListColumn(written(name), lambda i, values=values: f"{values[i]:.4f}", 6, 2 + place)  # type: ignore[misc]
            for place, (name, values) in enumerate(images.metrics.items())
        ),
    ]
    return lay_out(columns, images.image_id, width)  # type: ignore[arg-type]


def image_text(images: ImageRows, place: int, class_names: Sequence[str]) -> Content:
    """One image in two lines: which it is, and what the golden network takes it for."""
    label, golden = int(images.label[place]), int(images.golden_class[place])
    right = golden == label
    return Content.assemble(
        (f"image {images.image_id[place]}", "bold"),
        (f" · rank {images.rank[place] + 1:,}\n", MUTED),
        f"label {class_text(label, class_names)} · golden ",
        (class_text(golden, class_names) + ("" if right else f" {WRONG}"), "" if right else "$text-error"),
    )


def metrics_text(images: ImageRows, place: int) -> Content:
    """The value of each metric for one image."""
    values = (f"{written(name)} {values[place]:.4g}" for name, values in images.metrics.items())
    return Content.styled(" · ".join(values), MUTED)


def mistakes_text(
    images: ImageRows, place: int, mistakes: Mistakes, class_names: Sequence[str], room: tuple[int, int]
) -> Content:
    """What an image is taken for, and by how many faults: a line a class where there is room, else in a row.

    Args:
        room: columns and lines.
    """
    faults, run, critical = (int(counts[place]) for counts in (images.count(), images.count_run(), images.critical))
    if faults == 0:
        return Content.styled("Not run yet.", MUTED)
    if run == 0:
        return Content(f"No fault was run for it:{_not_run(images, place)}")
    if critical == 0:
        return Content(f"None of {run:,} faults changes its class.{_not_run(images, place)}")
    width, lines = room
    nonfinite = int(mistakes.nonfinite.sum())
    note = Content.styled(f"{nonfinite:,} not finite" if nonfinite else "", "$text-warning")
    effect = _effect_text(images, place)
    texts = [class_text(int(number), class_names) for number in mistakes.prediction]
    if len(texts) + 2 + bool(nonfinite) > lines:
        named = ", ".join(f"{text} ×{faults:,}" for text, faults in zip(texts, mistakes.faults, strict=True))
        whole = named.replace(" ×", "\u00a0×")
        gap = "; " * bool(note)
        return Content.assemble((f"{critical:,}", "bold"), " faults change it, ", effect, f": {whole}{gap}", note)
    share = f" ({percent(critical, faults)})" if width >= ROOM_FOR_SHARE else ""
    head = Content.assemble(
        (f"{critical:,}", "bold"), f" of {faults:,} faults change it{share}", (_not_run(images, place), MUTED)
    )
    name_width = max(map(cell_len, texts), default=0)
    most = int(mistakes.faults.max(initial=1))
    bar_width = max(width - name_width - 8, 4)
    rows = [
        Content.assemble(set_cell_size(text, name_width + 1), bar(int(faults) / most, bar_width), f" {faults:>6,}")
        for text, faults in zip(texts, mistakes.faults, strict=True)
    ]
    return Content("\n").join([head, effect, *rows, note])


def _effect_text(images: ImageRows, place: int) -> Content:
    """What the faults that change an image do to its answer: wrong, right, or another wrong one."""
    critical, corrected = int(images.critical[place]), int(images.corrected[place])
    if images.golden_class[place] == images.label[place]:
        return Content.styled("all make it wrong" if critical > 1 else "and makes it wrong", "$text-error")
    return Content.assemble(
        (f"{corrected:,} correct it", "$text-success" if corrected else MUTED),
        (f", {critical - corrected:,} leave it wrong", MUTED),
    )


def _corrected(images: ImageRows, place: int) -> str:
    """Faults that correct an image; one that golden has right needs no correction."""
    return "" if images.golden_class[place] == images.label[place] else f"{images.corrected[place]:,}"


def _not_run(images: ImageRows, place: int) -> str:
    """The faults that were not run for an image, where there are some."""
    texts = [f"{count:,} {name}" for name in NOT_RUN_NAMES if (count := int(getattr(images, name)[place]))]
    return f" {', '.join(texts)}." if texts else ""


def _count(faults: int, run: int) -> str:
    return f"{faults:,}" if run else "–"
