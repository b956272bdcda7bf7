"""The line that a command shows while it prepares or measures something."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.text import Text

from dear_tui.cli.printing.say import talking_console
from dear_tui.text.steps import StepText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.steps import OnStep


@contextmanager
def shown_steps() -> Iterator[OnStep]:
    """What is being done, on stderr; nothing where that is no terminal."""
    text = StepText()
    with talking_console().status("loading ...") as status:
        yield lambda step: status.update(Text(text.of(step)))
