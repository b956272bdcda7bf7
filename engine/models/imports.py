"""Importing a user's modules from a folder, and forgetting them again: the next campaign's folder has its own."""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager, suppress
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType


@contextmanager
def importable_from(folder: Path | None) -> Iterator[Callable[[], set[str]]]:
    """Put a folder before the environment, as Python does for a script that lies in it.

    A module that was imported from elsewhere does not stand in for one of the same name in the folder, the standard
    library apart, which Python imports before anything else. On the way out the folder's modules are forgotten, and
    `sys.path` and the modules that were set aside are as before.

    Args:
        folder: absent: only the environment is there.

    Yields:
        A function that gives the names of the modules imported from the folder until now, packages without an
        `__init__.py` included.
    """
    if folder is None:
        yield set[str]
        return
    folder = folder.resolve()
    path, finders = list(sys.path), set(sys.path_importer_cache)
    aside = _set_aside(folder)
    before = dict(sys.modules)

    def imported() -> set[str]:
        roots = {folder, *(Path(entry).resolve() for entry in sys.path if entry not in path)}
        environment = [other for entry in path if (other := Path(entry).resolve()) != folder]
        return {
            name
            for name, module in list(sys.modules.items())
            if name not in before
            and not _is_of_a_known_package(name, before)
            and any(_lies_in(place, roots, environment) for place in _places(module))
        }

    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield imported
    finally:
        _forget(imported())
        sys.modules.update(aside)
        sys.path[:] = path
        for entry in set(sys.path_importer_cache) - finders:
            del sys.path_importer_cache[entry]


def _set_aside(folder: Path) -> dict[str, ModuleType]:
    """Take what was imported from elsewhere, and has a namesake in the folder, out of `sys.modules`."""
    importlib.invalidate_caches()
    shadowing = set()
    for name in {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names - {"__main__"}:
        spec = PathFinder.find_spec(name, [str(folder)])
        is_package_or_module = spec is not None and spec.origin is not None  # other folders are packages by chance
        if is_package_or_module and all(place.parent != folder for place in _places(sys.modules.get(name))):
            shadowing.add(name)
    names = [name for name in sys.modules if name.partition(".")[0] in shadowing]
    return {name: sys.modules.pop(name) for name in names}


def _forget(names: set[str]) -> None:
    for name in names:
        module = sys.modules.pop(name)
        parent, _, child = name.rpartition(".")
        if parent in sys.modules and vars(sys.modules[parent]).get(child) is module:
            with suppress(AttributeError):  # a module may guard its attributes
                delattr(sys.modules[parent], child)


def _is_of_a_known_package(name: str, before: dict[str, ModuleType]) -> bool:
    """Whether a module is a part, imported late, of a package of the environment that lies in the folder."""
    package = before.get(name.partition(".")[0])
    return package is not None and getattr(package, "__file__", None) is not None


def _places(module: ModuleType | None) -> list[Path]:
    """A module's file or package folder; of a package without `__init__.py`, all its folders."""
    file = getattr(module, "__file__", None)
    if file is not None:
        place = Path(file)
        return [(place.parent if place.stem == "__init__" else place).resolve()]
    try:
        return [Path(entry).resolve() for entry in getattr(module, "__path__", ())]
    except Exception:  # a module may answer to any attribute, with anything
        return []


def _lies_in(place: Path, roots: set[Path], environment: list[Path]) -> bool:
    """Whether a module was found through one of `roots`, not through a place of the environment inside it."""
    return any(
        place.is_relative_to(root)
        and not any(place.is_relative_to(other) for other in environment if root in other.parents)
        for root in roots
    )
