"""A terminal that remembers what is printed on it; its width is the environment's COLUMNS."""

from __future__ import annotations

import io


class NarrowTerminal(io.StringIO):
    """Standard output, were it a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """What stands on it, without blanks at the ends."""
        return [line.rstrip() for line in self.getvalue().splitlines()]
