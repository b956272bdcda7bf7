"""A network of the user's own: what a callable in a Python module returns. Nothing else in a config runs code."""

from __future__ import annotations

import hashlib
import importlib
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class MadeNetwork:
    """What a factory made."""

    model: nn.Module
    """on the CPU, in float32"""
    source_sha256: str
    """of the source of its module, and of the modules of the folder that were imported with it"""


def call_factory(arch: str, folder: Path | None) -> MadeNetwork:
    """The network that `package.module:factory`, called without arguments, returns.

    Args:
        arch: "package.module:factory".
        folder: where the module is looked for before the environment.

    Raises:
        InputError: no such module or attribute, an exception inside it, or something that is no nn.Module.
    """
    module_name, _, attribute = arch.partition(":")
    with _importable_from(folder) as before:
        try:
            module = importlib.import_module(module_name)
        except (Exception, SystemExit) as error:  # importing runs the user's code, which may raise anything
            if isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{error.name}."):
                where = "in the environment" if folder is None else f"in {folder} or the environment"
                raise InputError(f"there is no module {error.name} {where}; mend [model] arch or path") from None
            raise InputError(f"importing {module_name} failed with {_said(error)}; mend that module") from None
        if not hasattr(module, attribute):
            raise InputError(f"{module_name} has no {attribute}; mend [model] arch, or add it to that module")
        try:
            model = getattr(module, attribute)()
        except (Exception, SystemExit) as error:
            raise InputError(f"calling {arch}() failed with {_said(error)}; mend that callable") from None
        source = _source_sha256({module_name, *_modules_of(folder, before)})
    if not isinstance(model, nn.Module):
        raise InputError(f"{arch}() returns {type(model).__name__}, but should return an nn.Module; mend that callable")
    return MadeNetwork(model.cpu().float(), source)


@contextmanager
def _importable_from(folder: Path | None) -> Iterator[set[str]]:
    """Gives the names of the modules imported before.

    Afterwards the folder's modules are forgotten: another campaign's folder may have others of the same names.
    """
    before = set(sys.modules)
    if folder is None:
        yield before
        return
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield before
    finally:
        with suppress(ValueError):  # the module took it out itself
            sys.path.remove(str(folder))
        for name in _modules_of(folder, before):
            del sys.modules[name]


def _modules_of(folder: Path | None, before: set[str]) -> list[str]:
    """The modules imported since then from this folder."""
    if folder is None:
        return []
    places = {name: folder.joinpath(*name.split(".")) for name in set(sys.modules) - before}
    return [
        name
        for name, place in places.items()
        if getattr(sys.modules[name], "__file__", None) in (f"{place}.py", str(place / "__init__.py"))
    ]


def _source_sha256(modules: set[str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(modules):
        file = getattr(sys.modules[name], "__file__", None)
        digest.update(name.encode() + (b"" if file is None else Path(file).read_bytes()))
    return digest.hexdigest()


def _said(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
