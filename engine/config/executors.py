"""Who can compute a campaign, by the name that a config gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EXECUTORS: Mapping[str, str] = {"local": "engine.running.blocks.executor:LocalExecutor"}
"""name -> module:class, imported when it is used: an executor may need packages that others do without"""
