"""Texts from files, names and data, as a terminal or a page may have them: what would steer it becomes its escape."""

from __future__ import annotations

import re

STEERING = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters; line ends and tabs are looked at apart
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # turn the direction of writing
    "\u2028\u2029\ufeff\ud800-\udfff"  # other line ends, and what is no character by itself
)
IN_TEXT = re.compile(f"[{STEERING}]")
IN_LINE = re.compile(f"[{STEERING}\n\t]")


def printable(text: str) -> str:
    """A text of any number of lines: ESC becomes `\\x1b`, an override of the direction of writing `\\u202e`."""
    return IN_TEXT.sub(_escape, text)


def printable_line(text: str) -> str:
    """A text that has to stay on its line, such as a name in a table: line ends and tabs become escapes, too."""
    return IN_LINE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
