"""Code of the user's own, which a config names as `package.module:name`. Nothing else in a config runs code."""

from __future__ import annotations

import hashlib
import importlib
import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InputError
from engine.models.imports import importable_from
from engine.models.torch_state import settings_kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@contextmanager
def own_code(named: str, folder: Path | None, key: str) -> Iterator[tuple[Any, Callable[[], str]]]:
    """What has this name, imported, and what gives the hash of its module's source and of those imported with it.

    What the code prints meanwhile goes to standard error; what it sets in torch is as before afterwards.

    Args:
        named: "package.module:name".
        folder: where the module is looked for before the environment.
        key: of the config, that the name is from.

    Raises:
        InputError: there is no such module or name, or importing it fails.
    """
    module_name, _, name = named.partition(":")
    with importable_from(folder) as imported, settings_kept(), redirect_stdout(sys.stderr):
        try:
            module = importlib.import_module(module_name)
        except (Exception, SystemExit) as error:  # importing runs the user's code, which may raise anything
            if isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{error.name}."):
                where = "in the environment" if folder is None else f"in {folder} or the environment"
                raise InputError(f"there is no module {error.name} {where}; fix {key} or path") from None
            raise InputError(f"importing {module_name} failed with {_said(error)}; fix that module") from None
        if not hasattr(module, name):
            raise InputError(f"{module_name} has no {name}; fix {key}, or add it to that module")
        yield getattr(module, name), lambda: _source_sha256({module_name, *imported()})


def called(named: str, function: Callable[..., Any], *arguments: object) -> Any:
    """What a function of the user's own returns; `own_code` is still open around it.

    Raises:
        InputError: it raises.
    """
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        raise InputError(f"calling {named}() failed with {_said(error)}; fix that callable") from None


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
