"""The registry of methods: what reads it, and that it needs no torch."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from engine.config.campaign_config import RunConfig
from engine.errors import InputError
from engine.injection.injection import Injection
from engine.injection.methods import DEFAULT_METHOD, METHODS


def test_the_registry_is_read_without_torch() -> None:
    code = "import sys, engine.injection.methods; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_configs_take_the_names_of_the_registry() -> None:
    field = RunConfig.model_fields["method"]
    assert field.default == DEFAULT_METHOD
    for name, entry in METHODS.items():
        assert RunConfig(method=name).method == name
        assert f"{name} {entry.promise}" in (field.description or "")


def test_an_unknown_method_is_named_with_those_that_exist() -> None:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
    with pytest.raises(InputError, match=r'method: there is no "faster"; use one of exact, fast'):
        Injection(model, torch.zeros(4, 1, 2, 2), 10**7, "faster")
