"""The cells of a CSV fault list, many rows at a time: its separator found, its columns known, its size limited."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.paths import MissingFileError, file_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

MOST_BYTES = 8 * 10**9
"""of a list"""

MOST_ROWS = 100_000_000
"""of a list: 4 GB as columns; the largest layer-wise samples of published networks have 5 million"""

MOST_LINE = 2**20
"""bytes that are read at once; a line as long as two such pieces is refused"""

ROWS_AT_ONCE = 2_000
"""few enough to stay in the cache of the processor: with 50,000 it takes twice as long"""

CELLS_AT_ONCE = 1_000_000
"""fewer rows are read at once where each has thousands of cells"""

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

NAMES = {
    "layer": ("layer",),
    "weight_index": ("weightindex",),
    "tensor_index": ("tensorindex",),
    "bit": ("bit",),
    "model": ("model",),
    "value": ("value", "stuckat", "stuckvalue", "stuck"),
}
"""column -> how its header is written, without case, blanks and underscores"""

NEEDED = (("layer",), ("weight_index", "tensor_index"), ("bit",))


@dataclass(frozen=True)
class Cells:
    """Consecutive rows of a list, as columns."""

    first_row: int
    columns: Mapping[str, Sequence[str]]
    """known column -> its cells, stripped; columns of other names are left out"""


def row_error(path: Path, row: int, problem: str) -> InputError:
    """The sentence about one row, counted from 0 after the header, empty lines left out."""
    return InputError(f"[faults] list: {path}, row {row} (the first is 0): {problem}")


def read_cells(path: Path) -> Iterator[Cells]:
    """All rows of a list, at most `ROWS_AT_ONCE` at a time; memory does not grow with the file.

    Raises:
        InputError: for a file that is missing, too large or no CSV, a column that is missing or there twice, or a row
            with more cells than the header.
    """
    try:
        size = file_bytes(path, "give a CSV fault list")
    except MissingFileError:
        raise InputError(f"[faults] list: there is no file {path}; give the path of a CSV fault list") from None
    except InputError as error:
        raise InputError(f"[faults] list: cannot be read as CSV: {error}") from None
    if size > MOST_BYTES:
        raise InputError(
            f"[faults] list: {path} has {size:,} bytes, and a list may have {MOST_BYTES:,}; split it into several lists"
        )
    try:
        with path.open("rb") as file:
            yield from _chunks(path, chain.from_iterable(_lines(path, file)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"[faults] list: {path} cannot be read as CSV ({error}); give a CSV fault list") from None


def _lines(path: Path, file: BinaryIO) -> Iterator[Iterable[str]]:
    """The lines of the file, many at a time: those that end in the next `MOST_LINE` bytes."""
    rest, encoding = b"", "utf-8-sig"
    while read := file.read(MOST_LINE):
        is_utf_16 = read.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in read[:512]
        if is_utf_16 and encoding == "utf-8-sig":
            why = "it looks like UTF-16 text"
            raise InputError(f"[faults] list: {path} cannot be read as CSV ({why}); save it as UTF-8")
        block = rest + read
        end = block.rfind(b"\n") + 1 or block.rfind(b"\r") + 1
        if len(block) - end >= 2 * MOST_LINE:
            raise InputError(
                f"[faults] list: {path} has a line of {len(block) - end:,} bytes or more; give a CSV fault list"
            )
        if end:
            yield io.StringIO(block[:end].decode(encoding), newline="")
            encoding = "utf-8"
        rest = block[end:]
    yield io.StringIO(rest.decode(encoding), newline="")


def _chunks(path: Path, lines: Iterator[str]) -> Iterator[Cells]:
    header = next((line for line in lines if line.strip()), "")
    separator = _separator(header)
    reader = csv.reader(chain([header], lines), delimiter=separator, strict=True)
    given = next(reader, [])
    places, width, first = _places(path, given, separator), len(given), 0
    narrow = _NarrowRows(reader, width)
    rows = iter(narrow)
    while read := list(islice(rows, max(1, min(ROWS_AT_ONCE, CELLS_AT_ONCE // width)))):
        if first + len(read) > MOST_ROWS:
            raise InputError(f"[faults] list: {path} has more than {MOST_ROWS:,} rows; split it into several lists")
        columns = list(zip(*_padded(read, width), strict=True))
        yield Cells(first, {name: [*map(str.strip, columns[place])] for name, place in places.items()})
        first += len(read)
    if narrow.has_wide:
        raise row_error(path, first, f"more cells than columns; {_unquoted(separator)}")


class _NarrowRows:
    """The rows that are not empty, up to the first that has too many cells: of those, one is in memory at most."""

    def __init__(self, rows: Iterator[list[str]], width: int) -> None:
        self._rows = rows
        self._width = width
        self.has_wide = False
        """whether such a row ended them"""

    def __iter__(self) -> Iterator[list[str]]:
        for row in self._rows:
            if len(row) > self._width:
                self.has_wide = True
                return
            if row:
                yield row


def _padded(rows: list[list[str]], width: int) -> list[list[str]]:
    """Cells that a row lacks are empty."""
    if {*map(len, rows)} == {width}:
        return rows
    return [row + [""] * (width - len(row)) for row in rows]


def _unquoted(separator: str) -> str:
    if separator == ",":
        return 'put a tensor index in quotes: "(3, 0, 2, 1)"'
    return f"they are separated by {separator!r} ({SEPARATORS[separator]}) here; put cells that hold one in quotes"


def _separator(header: str) -> str:
    """The one that finds most of the known columns in the header; of equals, the comma."""

    def known(separator: str) -> int:
        try:
            names = {_plain(name) for name in next(csv.reader([header], delimiter=separator), [])}
        except csv.Error:
            return 0
        return sum(any(spelling in names for spelling in spellings) for spellings in NAMES.values())

    return max(SEPARATORS, key=known)


def _places(path: Path, given: Iterable[str], separator: str) -> dict[str, int]:
    """The place of each known column in a row."""
    places: dict[str, int] = {}
    headers = list(given)
    for place, header in enumerate(headers):
        column = next((name for name, spellings in NAMES.items() if _plain(header) in spellings), None)
        if column in places:
            both = f"{headers[places[column]].strip()!r}, {header.strip()!r}"
            raise InputError(f"[faults] list: {path} has the column {column} twice ({both}); remove one of them")
        if column is not None:
            places[column] = place
    for needed in NEEDED:
        if not any(column in places for column in needed):
            raise InputError(
                f"[faults] list: {path} has no column {' or '.join(needed)} where its first line is separated by "
                f"{separator!r} ({SEPARATORS[separator]}); its first line must name the columns, for example "
                "layer,weight_index,bit or Layer,TensorIndex,Bit"
            )
    return places


def _plain(header: str) -> str:
    return "".join(header.lower().replace("_", " ").split())
