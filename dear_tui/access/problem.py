"""What went wrong, in one sentence for the screens, which go on."""

from __future__ import annotations

from engine.errors import DearError


def problem_of(error: Exception, what: str = "The store") -> str:
    """An error of ours is its own sentence; of any other, its kind and what it says first."""
    if isinstance(error, DearError):
        return str(error)
    first = (str(error).splitlines() or [""])[0]
    return f"{what} cannot be read: {type(error).__name__}: {first}"
