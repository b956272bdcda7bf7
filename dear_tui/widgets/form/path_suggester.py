"""Completing the path of a file as it is typed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.suggester import Suggester

from dear_tui.form.sources import complete

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class PathSuggester(Suggester):
    """Completes the path of a file; right takes what is suggested."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._folder = folder

    async def get_suggestion(self, value: str) -> str | None:
        """Look into the folder, which may be on a slow disk."""
        return await asyncio.to_thread(complete, value, self._folder())
