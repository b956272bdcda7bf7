"""What only some formats need, and the program does without."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


class MissingExtraError(InputError):
    """The packages of an extra are not installed."""


@contextmanager
def needs_extra(what: str) -> Iterator[None]:
    """While the packages of the extra `report` are imported.

    Raises:
        MissingExtraError: one is not there.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            f"{what} needs {error.name}, which is not installed; pip install 'dear-tui[report]', or take another format"
        ) from None
