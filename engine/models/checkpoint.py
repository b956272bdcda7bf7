"""Weights files: read as tensors only, never as code, and searched for the tensors of one network."""

from __future__ import annotations

import warnings
import zipfile
from argparse import Namespace
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.errors import InputError
from engine.models.fill import listed
from engine.models.plain import odd_kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

_DEPTH = 3
"""how far down in a checkpoint named tensors are looked for: {"ema": {"model": {"state_dict": ...}}}"""
_PLAIN: list[Any] = [
    Namespace,
    PosixPath,
    np.dtype,
    *(type(np.dtype(kind)) for kind in "?bBhHiIlLfd"),
    *((np.float64(0).__reduce__()[0], f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
]
"""What training scripts keep beside the tensors and torch does not read by itself: options and numpy's numbers, which
hold values only and run nothing"""
_COMPILED = "_orig_mod"
_PARALLEL = "module"
"""what torch.compile and DataParallel put into the names of what they wrap"""


@dataclass(frozen=True)
class StateDict:
    """Named tensors of a file."""

    place: str
    """the keys that lead there, with dots between; empty where the file holds nothing else"""
    tensors: Mapping[str, Tensor]
    """name -> tensor of any shape"""


@dataclass(frozen=True)
class NetworkWeights:
    """The tensors of a file that are meant for one network, by the network's own names."""

    tensors: dict[str, Tensor]
    """name -> tensor of the shape that the file has it in"""
    notes: tuple[str, ...] = ()
    """what of the file was left out"""


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, or of a file saved by torch: .pt, .pth, .th, .ckpt.

    `{"state_dict": ...}` and its like are unwrapped, the prefix "module." is removed, and shapes stay as they are.

    Raises:
        InputError: the file is missing, holds no named tensors, or several sets of them.
    """
    state_dicts = read_state_dicts(path)
    if len(state_dicts) > 1:
        raise InputError(_ambiguous(path, [found.place for found in state_dicts]))
    return {name.removeprefix("module."): tensor for name, tensor in state_dicts[0].tensors.items()}


def read_state_dicts(path: Path) -> tuple[StateDict, ...]:
    """All sets of named tensors in a file, at least one, each a network's weights or something else.

    Raises:
        InputError: the file is missing, claims more than it can hold, or holds no named tensors.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; give [model] weights a .safetensors, .pt or .th file")
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); fix its permissions, or give another") from None
    try:
        stored = load_file(path) if path.suffix == ".safetensors" else _load_torch(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: not a safetensors file ({error}); give [model] weights another file") from None
    found = tuple(_state_dicts(stored, ()))
    if not found:
        raise InputError(
            f"{path}: holds more than named tensors{_first_oddity(stored)}; save the network's state_dict() there "
            "instead"
        )
    return found


def _load_torch(path: Path) -> object:
    _check_zip(path)
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # torch's advice on foreign pickles, which are refused anyway
            torch.serialization.safe_globals(_PLAIN),
        ):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch documents no closed set of errors for files that are not its own
        raise InputError(
            f"{path}: not a file of tensors, and nothing else is unpickled{_unsafe_names(path)}; give [model] weights "
            "the network's state_dict() as .safetensors, .pt or .th"
        ) from None


def _check_zip(path: Path) -> None:
    """Refuse, from its table of contents, an archive that unpacks to more than itself: torch never compresses."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            is_scripted = any(entry.filename.endswith("/constants.pkl") for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return  # no archive: the format before it, or nothing that torch reads
    if is_scripted:
        raise InputError(
            f"{path}: holds a scripted network (torch.jit.save), whose code is not run; save the state_dict() of the "
            "network that it was made from"
        )
    if unpacked > path.stat().st_size:
        raise InputError(
            f"{path}: claims to hold {unpacked:,} bytes, but has {path.stat().st_size:,}; save the weights again with "
            "torch.save"
        )


def _unsafe_names(path: Path) -> str:
    """What a file would have unpickled, as " (argparse.Namespace)"; empty where torch cannot tell."""
    try:
        with warnings.catch_warnings(action="ignore"), torch.serialization.safe_globals(_PLAIN):
            names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # it is not even a pickle
        return ""
    return f" (it holds {listed(sorted(names))})" if names else ""


def _state_dicts(stored: object, place: tuple[str, ...]) -> Iterator[StateDict]:
    if not isinstance(stored, dict):
        return
    if all(isinstance(value, Tensor) for value in stored.values()) and (stored or not place):
        yield StateDict(".".join(place), {str(name): tensor for name, tensor in stored.items()})
    elif len(place) < _DEPTH:
        for key, value in stored.items():
            if isinstance(key, str):
                yield from _state_dicts(value, (*place, key))


def _first_oddity(stored: object, place: tuple[str, ...] = ()) -> str:
    """The first value beside tensors, as " (best.epoch is an int)"; empty where the file is no mapping.

    Looked for as deep as tensors are: a mapping may hold itself.
    """
    if not isinstance(stored, dict) or len(place) > _DEPTH:
        return ""
    oddity = next((item for item in stored.items() if not isinstance(item[1], Tensor)), None)
    if oddity is None:
        return ""
    inner = (*place, str(oddity[0]))
    kind = type(oddity[1]).__name__
    article = "an" if kind[0] in "aeiou" else "a"
    return _first_oddity(oddity[1], inner) or f" ({'.'.join(inner)} is {article} {kind})"


def choose_weights(path: Path, state_dicts: Sequence[StateDict], names: Collection[str]) -> NetworkWeights:
    """The tensors of a file that a network's names are found among, whatever wraps or precedes them.

    A prefix that all of them have ("module.", "model.", "net.encoder.") is removed where the rest are the network's
    names; so are "_orig_mod" and, where that helps, "module" inside. Without such a match the closest one is given:
    the caller says what is missing.

    Args:
        path: names the file in messages.
        state_dicts: of the file.
        names: of the network's own tensors.

    Raises:
        InputError: the file holds different weights for all of them more than once.
    """
    required = {name for name in names if not name.endswith("num_batches_tracked")}
    readings = [reading for found in state_dicts for reading in _matching(found, required)]
    distinct: list[_Reading] = []
    for reading in readings:
        if not any(_same(reading.tensors, other.tensors, required) for other in distinct):
            distinct.append(reading)
    if len(distinct) > 1:
        raise InputError(_ambiguous(path, [reading.place for reading in distinct]))
    if not distinct:
        closest = max((_closest(found, required) for found in state_dicts), key=lambda it: len(required & it.keys()))
        return NetworkWeights(closest)
    (chosen,) = distinct
    notes = (f"{path}: {chosen.place} is read, and {listed(chosen.others)} left out",) if chosen.others else ()
    return NetworkWeights(chosen.tensors, notes)


@dataclass(frozen=True)
class _Reading:
    """A way to find all of a network's names in a set of named tensors."""

    place: str
    """the keys and the prefix that lead there"""
    tensors: dict[str, Tensor]
    """without the prefix"""
    others: list[str]
    """names without the prefix"""


def _matching(found: StateDict, required: set[str]) -> list[_Reading]:
    """Every way; where one of them leaves nothing over, only that."""
    for tensors in _without_wrappers(found.tensors):
        readings = [
            _Reading(f"{found.place}.{prefix}".strip("."), *_split(tensors, prefix))
            for prefix, count in _prefixes(tensors, required).items()
            if count == len(required)
        ]
        if readings:
            return [reading for reading in readings if not reading.others] or readings
    return []


def _closest(found: StateDict, required: set[str]) -> dict[str, Tensor]:
    """The tensors by the names that come closest to the network's; a prefix is removed only where all have it."""
    choices = [
        _split(tensors, prefix)[0]
        for tensors in _without_wrappers(found.tensors)
        for prefix in _common_prefixes(tensors)
    ]
    return max(choices, key=lambda tensors: len(required & tensors.keys()))


def _without_wrappers(tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """The tensors by their names, then without what torch.compile, then also what DataParallel put into them."""
    for wrappers in ((), (_COMPILED,), (_COMPILED, _PARALLEL)):
        names = [".".join(part for part in name.split(".") if part not in wrappers) for name in tensors]
        if len(set(names)) == len(names):
            yield dict(zip(names, tensors.values(), strict=True))


def _prefixes(tensors: Mapping[str, Tensor], required: set[str]) -> Counter[str]:
    """Each prefix, empty or ending in a dot, and how many of the network's names follow it."""
    if not required:
        return Counter({"": 0})
    return Counter(prefix for name in tensors for prefix in _prefixes_of(name) if name.removeprefix(prefix) in required)


def _prefixes_of(name: str) -> list[str]:
    parts = name.split(".")
    return ["".join(f"{part}." for part in parts[:count]) for count in range(len(parts))]


def _common_prefixes(tensors: Mapping[str, Tensor]) -> list[str]:
    return [
        prefix for prefix in _prefixes_of(next(iter(tensors), "")) if all(name.startswith(prefix) for name in tensors)
    ]


def _split(tensors: Mapping[str, Tensor], prefix: str) -> tuple[dict[str, Tensor], list[str]]:
    """What has the prefix, without it, and the names of the rest."""
    inside = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return inside, [name for name in tensors if not name.startswith(prefix)]


def _same(some: Mapping[str, Tensor], others: Mapping[str, Tensor], names: set[str]) -> bool:
    for one, other in ((some[name], others[name]) for name in names if some[name] is not others[name]):
        if one.dtype != other.dtype or odd_kind(one) or odd_kind(other) or not torch.equal(one, other):
            return False
    return True


def _ambiguous(path: Path, places: Sequence[str]) -> str:
    shown = ", ".join(place or "its top" for place in places[:-1]) + f" and {places[-1] or 'its top'}"
    return (
        f"{path}: holds named tensors that fit more than once ({shown}); save the one that is meant in a file of its "
        "own and give that as [model] weights"
    )
