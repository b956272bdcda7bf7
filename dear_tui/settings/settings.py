"""What the user chose for the terminal: theme, keys, sizes of panes, how to be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """The terminal's settings; by default nothing is changed and nothing remembered."""

    path: Path | None = None
    """the file they are from and go to; None: what is chosen in the terminal is not kept"""
    theme: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    """action id -> keys"""
    panes: Mapping[str, float] = field(default_factory=dict)
    """name -> the first pane's share of the room of two"""
    bell: bool = False
    """ring the terminal's bell when a campaign ends"""
    desktop: bool = False
    """have the terminal show a notification then (OSC 9)"""
