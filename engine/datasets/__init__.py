"""Labelled images for the networks."""

from engine.datasets.dataset import Dataset
from engine.datasets.load import load_dataset

__all__ = ["Dataset", "load_dataset"]
