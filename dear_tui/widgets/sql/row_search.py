"""A text sought in the cells of a page; imports Arrow, so import it off the event loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from dear_tui.query.values import is_number, value_text

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Found:
    """The cells that hold a text, whether in capitals or not."""

    text: str
    places: NDArray[np.int64]
    """[n] row times columns plus column, rising"""
    columns: int
    """of a row"""

    def next_to(self, row: int, column: int, step: int) -> tuple[int, int] | None:
        """The next one after a cell, or the one before it with step -1; after the last one the first one again."""
        if not len(self.places):
            return None
        here = row * self.columns + column
        if step > 0:
            index = np.searchsorted(self.places, here, side="right") % len(self.places)
        else:
            index = np.searchsorted(self.places, here) - 1
        found, at = divmod(int(self.places[index]), self.columns)
        return found, at


def find_cells(rows: pa.Table, text: str) -> Found:
    """Look through all values, whole ones where the grid cuts them; NULL holds no text."""
    found = [np.flatnonzero(_holds(column, text)) * rows.num_columns + at for at, column in enumerate(rows.columns)]
    return Found(text, np.sort(np.concatenate(found)).astype(np.int64), rows.num_columns)


def _holds(column: pa.ChunkedArray, text: str) -> NDArray[np.bool_]:
    """Which values of a column do."""
    if is_number(column.type) or types.is_string(column.type) or types.is_large_string(column.type):
        texts = column.cast(pa.string())
    else:
        texts = pa.array([None if value is None else value_text(value) for value in column.to_pylist()], pa.string())
    held: NDArray[np.bool_] = np.array(pc.fill_null(pc.match_substring(texts, text, ignore_case=True), False))
    return held
