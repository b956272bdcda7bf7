"""Fault lists from CSV files: our own export, and published lists with the columns Layer,TensorIndex,Bit."""

from __future__ import annotations

import csv
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.faults.fault_list import MODEL_OF_STUCK, FaultList
from engine.faults.population import ALL_BITS, FIXED_STUCK, FaultSites, Population

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from engine.faults.population import Convention, FaultModel, Layer

COLUMNS = ("layer", "weight_index", "tensor_index", "bit", "model")
NUMBER = re.compile(r"\d{1,18}", re.ASCII)
TENSOR_INDEX = re.compile(r"\(\s*\d{1,18}(\s*,\s*\d{1,18})*\s*,?\s*\)", re.ASCII)
STUCK_OF_MODEL: dict[str, int] = {model: stuck for stuck, model in MODEL_OF_STUCK.items()}


def read_fault_list(
    path: Path, layers: tuple[Layer, ...], model: FaultModel, seed: int, convention: Convention = "x32"
) -> FaultList:
    """Read every row of a CSV fault list.

    Columns (case and underscores do not matter, others are ignored): layer; weight_index (flat, C order) or
    tensor_index (text such as `(3, 0, 2, 1)`) or both; bit; optionally model (bit_flip, stuck_at_0 or stuck_at_1).

    Args:
        path: the file.
        layers: all injectable layers of the network.
        model: what the faults do where the file has no model column; polarities of `stuck_at` come from the seed.
        seed: of those polarities.
        convention: how the population, here of the whole network, is counted.

    Returns:
        The faults in file order; fault_id is the row, counted from 0 after the header.

    Raises:
        InputError: for a file that cannot be read, a missing column, or a row that is malformed, outside the network
            or a repeat of another; it names the row.
    """
    by_name = {layer.name: layer for layer in layers}
    faults: list[tuple[int, int, int, int | None]] = []
    for row, cells in enumerate(_read_cells(path)):
        try:
            faults.append(_parse_fault(cells, by_name))
        except ValueError as error:
            raise _row_error(path, row, str(error)) from None
    if not faults:
        raise InputError(f"[faults] list: {path} has no rows; give at least one fault")
    layer, weight_index, bit, stuck = zip(*faults, strict=True)
    if stuck[0] is not None:
        polarity = np.array(stuck, dtype=np.int8)
        model = _common_model(path, polarity)
    elif model == "stuck_at":
        polarity = np.random.default_rng(seed).integers(0, 2, size=len(faults), dtype=np.int8)
    else:
        polarity = np.full(len(faults), FIXED_STUCK[model], dtype=np.int8)
    sites = FaultSites(np.array(layer, np.int32), np.array(weight_index, np.int64), np.array(bit, np.uint8), polarity)
    population = Population.whole(layers, model, convention)
    _refuse_repeats(path, population.encode(sites))
    return FaultList.of(sites, layers, model, len(population))


def _row_error(path: Path, row: int, problem: str) -> InputError:
    return InputError(f"[faults] list: {path}, row {row} (the first is 0): {problem}")


def _read_cells(path: Path) -> Iterator[dict[str, str]]:
    """Each row as its known columns, stripped."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, restval="", strict=True)
            headers = _headers(path, rows.fieldnames or ())
            for row, cells in enumerate(rows):
                if None in cells:
                    raise _row_error(path, row, 'more cells than columns; put a tensor index in quotes: "(3, 0, 2, 1)"')
                yield {column: cells[header].strip() for column, header in headers.items()}
    except FileNotFoundError:
        raise InputError(f"[faults] list: there is no file {path}; give the path of a CSV fault list") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"[faults] list: {path} cannot be read as CSV ({error}); give a CSV fault list") from None


def _headers(path: Path, given: Sequence[str]) -> dict[str, str]:
    """Which header of the file each known column has."""
    headers: dict[str, str] = {}
    for column in COLUMNS:
        for header in given:
            if header.strip().lower().replace("_", "") == column.replace("_", ""):
                headers[column] = header
    for needed in (("layer",), ("weight_index", "tensor_index"), ("bit",)):
        if not any(column in headers for column in needed):
            raise InputError(
                f"[faults] list: {path} has no column {' or '.join(needed)}; its first line must name the columns, "
                "for example layer,weight_index,bit or Layer,TensorIndex,Bit"
            )
    return headers


def _parse_fault(cells: Mapping[str, str], layers: Mapping[str, Layer]) -> tuple[int, int, int, int | None]:
    """(layer, weight index, bit, stuck) of one row; stuck is None without a model column."""
    name = cells["layer"]
    if name not in layers:
        near = ", ".join(get_close_matches(name, layers) or layers)
        raise ValueError(f"the network has no injectable layer {name!r}; use one of {near}")
    layer = layers[name]
    places = [parse(cells[column], layer) for column, parse in PLACE_PARSERS.items() if column in cells]
    if len(set(places)) > 1:
        raise ValueError("weight_index and tensor_index name different weights; mend one or leave out its column")
    bit = cells["bit"]
    if not NUMBER.fullmatch(bit) or int(bit) not in ALL_BITS:
        raise ValueError(f"bit {bit!r} is not a bit of a 32-bit weight; use 0 to 31 (31 is the sign)")
    if "model" not in cells:
        return layer.index, places[0], int(bit), None
    if cells["model"] not in STUCK_OF_MODEL:
        raise ValueError(f"model {cells['model']!r} is not known here; use {', '.join(STUCK_OF_MODEL)}")
    return layer.index, places[0], int(bit), STUCK_OF_MODEL[cells["model"]]


def _parse_weight_index(text: str, layer: Layer) -> int:
    if not NUMBER.fullmatch(text) or int(text) >= layer.size:
        raise ValueError(f"weight_index {text!r} is outside {layer.name}; use 0 to {layer.size - 1}")
    return int(text)


def _parse_tensor_index(text: str, layer: Layer) -> int:
    place = tuple(map(int, NUMBER.findall(text))) if TENSOR_INDEX.fullmatch(text) else ()
    inside = len(place) == len(layer.shape) and all(i < n for i, n in zip(place, layer.shape, strict=True))
    if not inside:
        raise ValueError(f"tensor_index {text!r} is outside {layer.name}, whose weight has the shape {layer.shape}")
    return int(np.ravel_multi_index(place, layer.shape))


PLACE_PARSERS = {"weight_index": _parse_weight_index, "tensor_index": _parse_tensor_index}


def _common_model(path: Path, polarity: npt.NDArray[np.int8]) -> FaultModel:
    """The model of a list whose rows name theirs: both polarities are `stuck_at`; flips stay among themselves."""
    kinds = sorted(set(polarity.tolist()))
    if kinds == [0, 1]:
        return "stuck_at"
    if len(kinds) > 1:
        row = int(np.flatnonzero((polarity < 0) != (polarity[0] < 0))[0])
        raise _row_error(path, row, "bit flips and stuck-at faults do not share a population; give each its own list")
    return MODEL_OF_STUCK[kinds[0]]


def _refuse_repeats(path: Path, index: npt.NDArray[np.int64]) -> None:
    order = np.argsort(index, kind="stable")
    repeats = np.flatnonzero(np.diff(index[order]) == 0)
    if len(repeats):
        at = repeats[np.argmin(order[repeats + 1])]
        raise _row_error(path, int(order[at + 1]), f"the same fault as row {order[at]}; remove one of them")
