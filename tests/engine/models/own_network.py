"""A factory of the user's own in a folder, with the weights of what it makes: written for one test, then loaded."""

from __future__ import annotations

import importlib
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from engine.config.campaign_config import ModelConfig
from engine.datasets import Dataset
from engine.models import load_model
from engine.models.imports import importable_from

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from engine.models import LoadedModel

IMAGES = Dataset("npz", np.arange(2 * 3 * 8 * 8, dtype=np.uint8).reshape(2, 3, 8, 8), np.array([0, 4]))
"""two images of 3 x 8 x 8, of classes 0 and 4"""

HEADER = """
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune
import torch.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 4, 3)
        self.f = nn.Linear(4, 5)
    def forward(self, x):
        return self.f(self.c(x).relu().mean((2, 3)))

"""


def write_factory(folder: Path, body: str, header: str = HEADER) -> None:
    """Write fac.py, whose `make` has this body; `Net` is a small network that it may start from."""
    code = header + "def make():\n" + indent(dedent(body).strip(), "    ") + "\n"
    (folder / "fac.py").write_text(code, encoding="utf-8")


def made(folder: Path) -> nn.Module:
    """What the factory makes, as a user's own script would get it, with weights drawn with seed 0."""
    with importable_from(folder):
        torch.manual_seed(0)
        network: nn.Module = importlib.import_module("fac").make()
    return network


def load(folder: Path, stored: Any = None, file: str = "w.pt", dataset: Dataset = IMAGES) -> LoadedModel:
    """Load the factory's network with what is stored, or with the weights of what it makes."""
    torch.save(made(folder).state_dict() if stored is None else stored, folder / file)
    return load_model(ModelConfig(arch="fac:make", path=folder, weights=folder / file), dataset)
