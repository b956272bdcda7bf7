"""IEEE 754 single precision, as which networks are trained and loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.formats.weight_format import WeightFormat

if TYPE_CHECKING:
    import numpy.typing as npt


def _encode(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint32]:
    return values.view(np.uint32)


def _decode(patterns: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
    return patterns.view(np.float32)


FLOAT32 = WeightFormat("float32", (("sign", 1), ("exponent", 8), ("mantissa", 23)), _encode, _decode)
