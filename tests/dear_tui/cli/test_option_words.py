"""An option that is a key of a config is explained as the form explains the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dear_tui.form.check import again_field
from engine.config.fields import config_fields

if TYPE_CHECKING:
    from tests.dear_tui.cli.conftest import Invoke

DEVICE = next(one.help for one in config_fields() if one.key == "device")
AGAIN = again_field().meanings["true"]


@pytest.mark.parametrize(
    ("command", "said"), [("train", DEVICE), *((command, AGAIN) for command in ("run", "submit", "study", "demo"))]
)
def test_the_help_has_the_words_of_the_form(invoke: Invoke, command: str, said: str) -> None:
    assert said.lower() in " ".join(invoke(command, "--help").out.lower().split())
