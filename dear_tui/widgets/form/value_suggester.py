"""Completing a value, or the last one of a list, from those that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.suggester import Suggester

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class ValueSuggester(Suggester):
    """Completes what is typed to the first value that begins so; right takes it, and typing on is as good."""

    def __init__(self, known: Callable[[], Iterable[str]], is_list: bool) -> None:
        """`known` is asked at every key, for what is known by then."""
        super().__init__(use_cache=False, case_sensitive=True)
        self._known = known
        self._is_list = is_list

    async def get_suggestion(self, value: str) -> str | None:
        """The value as it would be completed; None where no known one begins so."""
        before, last = split_last(value) if self._is_list else ("", value)
        if not last:
            return None
        first = next((one for one in self._known() if one.startswith(last) and one != last), None)
        return first and before + first


def split_last(text: str) -> tuple[str, str]:
    """A list as it is typed, in two: what stands before its last item, and that item."""
    head, comma, last = text.rpartition(",")
    item = last.lstrip()
    return head + comma + last[: len(last) - len(item)], item
