"""The methods by the name that a config gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.injection.exact.injection import ExactInjection
from engine.injection.fast.injection import FastInjection

if TYPE_CHECKING:
    from collections.abc import Mapping

METHODS: Mapping[str, type[ExactInjection]] = {"exact": ExactInjection, "fast": FastInjection}
