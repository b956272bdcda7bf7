"""A network of the user's own: what a callable in a Python module returns. Nothing else in a config runs code."""

from __future__ import annotations

import hashlib
import importlib
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from engine.errors import InputError
from engine.models.imports import importable_from
from engine.models.plain import plain_network
from engine.models.torch_state import settings_kept

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class MadeNetwork:
    """What a factory made."""

    model: nn.Module
    """on the CPU, in float32, without wrappers; lazy modules have no weights yet"""
    source_sha256: str
    """of the source of its module, and of the modules of the folder that were imported with it"""


def call_factory(arch: str, folder: Path | None) -> MadeNetwork:
    """The network that `package.module:factory`, called without arguments, returns.

    What the module prints goes to standard error, and what it sets in torch is as before afterwards.

    Args:
        arch: "package.module:factory".
        folder: where the module is looked for before the environment.

    Raises:
        InputError: no such module or attribute, an exception inside it, or something whose weights cannot be changed:
            no nn.Module, a scripted or a quantised one.
    """
    module_name, _, attribute = arch.partition(":")
    with importable_from(folder) as imported, settings_kept(), redirect_stdout(sys.stderr):
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
        source = _source_sha256({module_name, *imported()})
    if not isinstance(model, nn.Module):
        raise InputError(f"{arch}() returns {_no_network(model)}; mend that callable")
    return MadeNetwork(plain_network(arch, model), source)


def _no_network(returned: object) -> str:
    """What was returned, with a hint where it is a step away from a network."""
    kind = type(returned).__name__
    if isinstance(returned, type) and issubclass(returned, nn.Module):
        return f"the class {returned.__name__} instead of a network"
    if isinstance(returned, tuple | list):
        for place, item in enumerate(returned):
            if isinstance(item, nn.Module):
                return f"{kind}, but should return an nn.Module, which item {place} is"
    return f"{kind}, but should return an nn.Module"


def _source_sha256(modules: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(modules):
        file = getattr(sys.modules[name], "__file__", None)
        digest.update(name.encode())
        if file is not None and Path(file).is_file():  # a module of a zip archive has no file of its own
            digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def _said(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
