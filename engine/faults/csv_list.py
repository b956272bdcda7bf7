"""Fault lists from CSV files: our own export, and published lists with the columns Layer,TensorIndex,Bit."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.faults.csv_cells import read_cells, row_error
from engine.faults.fault_list import FaultList
from engine.faults.population import FaultSites, Population
from engine.faults.tensor_index import NUMBER, parse_tensor_index, parse_tensor_indices
from engine.formats.fault_model import MODEL_OF_STUCK, STUCK_OF_MODEL
from engine.formats.float32 import FLOAT32

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from engine.faults.csv_cells import Cells
    from engine.faults.population import Convention, Layer
    from engine.formats.fault_model import FaultModel
    from engine.formats.weight_format import WeightFormat

STUCK_OF_VALUE = {"0": 0, "1": 1}
UNSAID = -2
"""the polarity of a row that does not say it"""
UNKNOWN = -9
"""the code of a cell that has none"""


def read_fault_list(
    path: Path,
    layers: tuple[Layer, ...],
    model: FaultModel,
    seed: int,
    convention: Convention = "x32",
    weight_format: WeightFormat = FLOAT32,
) -> FaultList:
    """Read every row of a CSV fault list.

    Its separator is a comma, a semicolon, a tab or a bar. Columns (case, blanks and underscores do not matter, others
    are ignored): layer; weight_index (flat, C order) or tensor_index (text such as `(3, 0, 2, 1)`) or both; bit;
    optionally model (bit_flip, stuck_at_0 or stuck_at_1) and value (also StuckAt or Stuck: 0 or 1, what the bit is
    stuck at). A list of 10 million rows takes about 20 seconds and 0.65 GB.

    Args:
        path: the file.
        layers: all injectable layers of the network.
        model: what the faults do where the file has neither a model nor a value column; polarities of `stuck_at`
            come from the seed.
        seed: of those polarities.
        convention: how the population, here of the whole network, is counted.
        weight_format: of the weights, which says which bits there are.

    Returns:
        The faults in file order; fault_id is the row, counted from 0 after the header.

    Raises:
        InputError: for a file that cannot be read, a missing column, or a row that is malformed, outside the network
            or a repeat of another; it names the row.
    """
    by_name = {layer.name: layer for layer in layers}
    parts = [_parse(path, cells, by_name, model, weight_format) for cells in read_cells(path)]
    if not parts:
        raise InputError(f"[faults] list: {path} has no rows; give at least one fault")
    polarity = np.concatenate([part.stuck for part in parts])
    if polarity[0] != UNSAID:
        model = "stuck_at" if model == "stuck_at" and polarity.min() >= 0 else _common_model(path, polarity)
    elif model == "stuck_at":
        polarity = np.random.default_rng(seed).integers(0, 2, size=len(polarity), dtype=np.int8)
    else:
        polarity = np.full(len(polarity), STUCK_OF_MODEL[model], dtype=np.int8)
    sites = FaultSites(
        np.concatenate([part.layer for part in parts]),
        np.concatenate([part.weight_index for part in parts]),
        np.concatenate([part.bit for part in parts]),
        polarity,
    )
    del parts
    population = Population.whole(layers, model, convention, weight_format)
    _refuse_repeats(path, population.encode(sites))
    return FaultList.of(sites, layers, model, [population.stratum("list", len(sites.layer))], weight_format)


@dataclass(frozen=True, eq=False)
class _Faults:
    """Consecutive faults, as columns."""

    layer: npt.NDArray[np.int32]
    weight_index: npt.NDArray[np.int64]
    bit: npt.NDArray[np.uint8]
    stuck: npt.NDArray[np.int8]
    """UNSAID where the rows do not say it"""


def _parse(
    path: Path, cells: Cells, by_name: Mapping[str, Layer], model: FaultModel, weight_format: WeightFormat
) -> _Faults:
    """Column by column where all cells are plain, else row by row: any spelling is read, and what is wrong is said."""
    faults = _parse_columns(cells.columns, by_name, weight_format)
    if faults is not None and not _may_contradict(cells.columns, model, faults.stuck):
        return faults
    rows = []
    for row, values in enumerate(zip(*cells.columns.values(), strict=True), start=cells.first_row):
        try:
            rows.append(_parse_row(dict(zip(cells.columns, values, strict=True)), by_name, model, weight_format))
        except ValueError as error:
            raise row_error(path, row, str(error)) from None
    layer, weight_index, bit, stuck = zip(*rows, strict=True)
    return _Faults(
        np.array(layer, np.int32), np.array(weight_index, np.int64), np.array(bit, np.uint8), np.array(stuck, np.int8)
    )


def _may_contradict(columns: Mapping[str, Sequence[str]], model: FaultModel, stuck: npt.NDArray[np.int8]) -> bool:
    """Whether the value of a row may say another polarity than its model or the config's."""
    if "value" not in columns:
        return False
    return "model" in columns or (
        model in ("stuck_at_0", "stuck_at_1") and bool((stuck != STUCK_OF_MODEL[model]).any())
    )


def _parse_columns(
    columns: Mapping[str, Sequence[str]], by_name: Mapping[str, Layer], weight_format: WeightFormat
) -> _Faults | None:
    """None where a cell is wrong, or spelled in another way than nearly all are."""
    rows = len(columns["bit"])
    layer = _codes(columns["layer"], {name: layer.index for name, layer in by_name.items()})
    bit = _codes(columns["bit"], {str(bit): bit for bit in weight_format.all_bits})
    stuck = np.full(rows, UNSAID)
    if "value" in columns:
        stuck = _codes(columns["value"], STUCK_OF_VALUE)
    elif "model" in columns:
        stuck = _codes(columns["model"], STUCK_OF_MODEL)
    if UNKNOWN in (layer.min(), bit.min(), stuck.min()):
        return None
    sizes = np.array([layer.size for layer in by_name.values()])
    places = []
    if "weight_index" in columns:
        places.append(_whole_numbers(columns["weight_index"]))
    if "tensor_index" in columns:
        places.append(_places(columns["tensor_index"], layer, tuple(by_name.values())))
    first = places[0]
    for place in places:
        if place is None or first is None or (place != first).any() or (place >= sizes[layer]).any():
            return None
    assert first is not None
    return _Faults(layer.astype(np.int32), first, bit.astype(np.uint8), stuck.astype(np.int8))


def _codes(texts: Sequence[str], code_of: Mapping[str, int]) -> npt.NDArray[np.int64]:
    return np.fromiter((code_of.get(text, UNKNOWN) for text in texts), np.int64, len(texts))


def _whole_numbers(texts: Sequence[str]) -> npt.NDArray[np.int64] | None:
    joined = "".join(texts)
    if not (joined.isascii() and joined.isdecimal() and all(texts)) or max(map(len, texts)) > 18:
        return None
    return np.fromiter(map(int, texts), np.int64, len(texts))


def _places(
    texts: Sequence[str], layer: npt.NDArray[np.int64], layers: tuple[Layer, ...]
) -> npt.NDArray[np.int64] | None:
    """The flat indices of tensor indices of several layers."""
    places = np.empty(len(texts), np.int64)
    for index in np.unique(layer):
        rows = np.flatnonzero(layer == index)
        some = parse_tensor_indices([texts[row] for row in rows.tolist()], layers[index])
        if some is None:
            return None
        places[rows] = some
    return places


def _parse_row(
    cells: Mapping[str, str], layers: Mapping[str, Layer], model: FaultModel, weight_format: WeightFormat
) -> tuple[int, int, int, int]:
    """(layer, weight index, bit, stuck) of one row.

    Raises:
        ValueError: what is wrong with it.
    """
    name = cells["layer"]
    if name not in layers:
        near = ", ".join(get_close_matches(name, layers) or layers)
        raise ValueError(f"the network has no injectable layer {name!r}; use one of {near}")
    layer = layers[name]
    places = [parse(cells[column], layer) for column, parse in PLACE_PARSERS.items() if column in cells]
    if len(set(places)) > 1:
        raise ValueError("weight_index and tensor_index name different weights; fix one or leave out its column")
    bit = cells["bit"]
    if not NUMBER.fullmatch(bit) or int(bit) >= weight_format.bits:
        highest = f"{weight_format.bits - 1} is the {weight_format.fields[0].name}"
        raise ValueError(
            f"bit {bit!r} is not a bit of a {weight_format.bits}-bit weight; "
            f"use 0 to {weight_format.bits - 1} ({highest})"
        )
    return layer.index, places[0], int(bit), _parse_stuck(cells, model)


def _parse_stuck(cells: Mapping[str, str], model: FaultModel) -> int:
    """What one row says of its polarity.

    Raises:
        ValueError: its model and its value, or its value and the config's model, do not go together.
    """
    named, value = cells.get("model"), cells.get("value")
    if named is not None and named not in STUCK_OF_MODEL and not (named == "stuck_at" and value is not None):
        raise ValueError(f"model {named!r} is not known here; use {', '.join(STUCK_OF_MODEL)}")
    if value is None:
        return UNSAID if named is None else STUCK_OF_MODEL[named]
    if value not in STUCK_OF_VALUE:
        raise ValueError(
            f"the value that the bit is stuck at is {value!r}; write 0 or 1, or rename a column of other values"
        )
    stuck = STUCK_OF_VALUE[value]
    said = f"[faults] model {model}" if named is None else f"model {named}"
    by_model = STUCK_OF_MODEL.get(model if named is None else named, stuck)
    if by_model != stuck and not (named is None and model == "bit_flip"):
        raise ValueError(f"the value {value} contradicts {said}; fix one of them, or leave out the column")
    return stuck


def _parse_weight_index(text: str, layer: Layer) -> int:
    if not NUMBER.fullmatch(text) or int(text) >= layer.size:
        raise ValueError(f"weight_index {text!r} is outside {layer.name}; use 0 to {layer.size - 1}")
    return int(text)


PLACE_PARSERS = {"weight_index": _parse_weight_index, "tensor_index": parse_tensor_index}


def _common_model(path: Path, polarity: npt.NDArray[np.int8]) -> FaultModel:
    """The model of a list whose rows name theirs: both polarities are `stuck_at`; flips stay among themselves."""
    kinds = np.unique(polarity).tolist()
    if kinds == [0, 1]:
        return "stuck_at"
    if len(kinds) > 1:
        row = int(np.flatnonzero((polarity < 0) != (polarity[0] < 0))[0])
        raise row_error(path, row, "bit flips and stuck-at faults do not share a population; give each its own list")
    return MODEL_OF_STUCK[kinds[0]]


def _refuse_repeats(path: Path, index: npt.NDArray[np.int64]) -> None:
    ascending = np.sort(index)
    if (ascending[1:] != ascending[:-1]).all():
        return
    order = np.argsort(index, kind="stable")
    repeats = np.flatnonzero(np.diff(index[order]) == 0)
    at = repeats[np.argmin(order[repeats + 1])]
    raise row_error(path, int(order[at + 1]), f"the same fault as row {order[at]}; remove one of them")
