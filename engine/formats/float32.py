"""What a fault makes of a weight, bit by bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def faulty_values(
    golden: npt.NDArray[np.float32], bit: npt.NDArray[np.uint8], stuck: npt.NDArray[np.int8]
) -> npt.NDArray[np.float32]:
    """The value of each weight under its fault.

    Works on the bit pattern, so NaN payloads, infinities and signed zeros are exactly what the hardware would hold.

    Args:
        golden: [F] weights without fault.
        bit: [F] 0..31, 31 = sign.
        stuck: [F] -1 = bit_flip, 0 or 1 = stuck at that value.

    Returns:
        [F] float32; equal in every bit to golden where a stuck bit already holds its value.
    """
    pattern = golden.view(np.uint32)
    mask = np.uint32(1) << np.asarray(bit, dtype=np.uint32)
    faulty = np.where(stuck < 0, pattern ^ mask, np.where(stuck == 0, pattern & ~mask, pattern | mask))
    return faulty.astype(np.uint32, copy=False).view(np.float32)


def same_bits(golden: npt.NDArray[np.float32], faulty: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Where two float32 arrays hold the same bit pattern: NaN equals itself, -0.0 differs from 0.0."""
    return np.equal(golden.view(np.uint32), faulty.view(np.uint32))
