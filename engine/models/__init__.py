"""The networks, and reading their weights."""

from engine.models.build import ARCHITECTURES, build_model
from engine.models.checkpoint import read_weights
from engine.models.weights import LoadedModel, load_model

__all__ = ["ARCHITECTURES", "LoadedModel", "build_model", "load_model", "read_weights"]
