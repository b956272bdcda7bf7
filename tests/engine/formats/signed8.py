"""A weight format of eight bits, to show what a new one needs: this file and a line in the registry."""

import numpy as np

from engine.formats.weight_format import WeightFormat


def _encode(values: np.ndarray) -> np.ndarray:
    return values.astype(np.int8).view(np.uint8).astype(np.uint32)


def _decode(patterns: np.ndarray) -> np.ndarray:
    return patterns.astype(np.uint8).view(np.int8).astype(np.float32)


SIGNED8 = WeightFormat("signed8", (("sign", 1), ("magnitude", 7)), _encode, _decode)
"""Two's complement with scale 1."""
