"""A network of the user's own: what a callable in a Python module returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from engine.errors import InputError
from engine.models.own_code import called, own_code
from engine.models.plain import plain_network

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class MadeNetwork:
    """What a factory made."""

    model: nn.Module
    """on the CPU, in float32, without wrappers; lazy modules have no weights yet"""
    source_sha256: str
    """of the source of its module, and of the modules of the folder that were imported with it"""


def call_factory(arch: str, folder: Path | None) -> MadeNetwork:
    """The network that `package.module:factory`, called without arguments, returns.

    Args:
        arch: "package.module:factory".
        folder: where the module is looked for before the environment.

    Raises:
        InputError: no such module or attribute, an exception inside it, or something whose weights cannot be changed:
            no nn.Module, a scripted or a quantised one.
    """
    with own_code(arch, folder, "[model] arch") as (factory, source_sha256):
        model = called(arch, factory)
        source = source_sha256()
    if not isinstance(model, nn.Module):
        raise InputError(f"{arch}() returns {_no_network(model)}; fix that callable")
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
