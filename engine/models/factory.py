"""A network of the user's own: what a callable in a Python module returns. Nothing else in a config runs code."""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from torch import nn

from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def call_factory(arch: str, folder: Path | None) -> nn.Module:
    """The network that `package.module:factory`, called without arguments, returns; on the CPU, in float32.

    Args:
        arch: "package.module:factory".
        folder: where the module is looked for before the environment.

    Raises:
        InputError: no such module or attribute, an exception inside it, or something that is no nn.Module.
    """
    module_name, _, attribute = arch.partition(":")
    with _importable_from(folder):
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
    if not isinstance(model, nn.Module):
        raise InputError(f"{arch}() returns {type(model).__name__}, but should return an nn.Module; mend that callable")
    return model.cpu().float()


@contextmanager
def _importable_from(folder: Path | None) -> Iterator[None]:
    """Afterwards the folder's modules are forgotten: another campaign's folder may have others of the same names."""
    if folder is None:
        yield
        return
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        with suppress(ValueError):  # the module took it out itself
            sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            place = folder.joinpath(*name.split("."))
            if getattr(sys.modules[name], "__file__", None) in (f"{place}.py", str(place / "__init__.py")):
                del sys.modules[name]


def _said(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
