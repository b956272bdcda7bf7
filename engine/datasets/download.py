"""Fetching the well-known data sets through torchvision."""

from __future__ import annotations

import contextlib
import shutil
import socket
import sys
import tempfile
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.paths import own_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TORCHVISION_NAMES = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "cifar10": "CIFAR10"}

TIMEOUT = 20
"""seconds without an answer"""


def default_folder() -> Path:
    """Where data sets go when no folder is given."""
    import platformdirs

    return own_folder(platformdirs.user_cache_path) / "datasets"


def download(name: str, folder: Path, train: bool) -> None:
    """Put a data set into the folder, in torchvision's layout; the folder is untouched when that fails.

    Raises:
        InputError: no internet, or a folder that cannot be written.
    """
    from torchvision import datasets  # brings torch along, which reading files does not need

    try:
        with (
            tempfile.TemporaryDirectory() as temporary,
            contextlib.redirect_stdout(sys.stderr),  # stdout carries data only
            _timeout(),
        ):
            getattr(datasets, TORCHVISION_NAMES[name])(temporary, train=train, download=True)
            shutil.copytree(temporary, folder, dirs_exist_ok=True)
    except (OSError, RuntimeError) as error:
        split = "training" if train else "test"
        reason = str(error).strip().splitlines()[-1]  # torchvision lists every mirror it tried, a line each
        raise InputError(
            f"{folder}: does not hold the {split} files of {name}, and they cannot be downloaded there ({reason}); "
            "put the files there or give another path"
        ) from None


@contextlib.contextmanager
def _timeout() -> Iterator[None]:
    """Behind a firewall that drops everything, a connection would otherwise be awaited for minutes."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
