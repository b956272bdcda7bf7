"""What injecting faults gave, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class WeightFaults:
    """Faults as they are executed: the value each one leaves in its weight. All arrays have one row per fault."""

    positions: NDArray[np.int64]
    """place in the fault list"""
    layer: NDArray[np.int32]
    """index of the injectable layer"""
    weight_index: NDArray[np.int64]
    """flat index into the layer's weight, C order"""
    value: NDArray[np.float32]
    """the faulty value"""
    changes: NDArray[np.bool_]
    """False where a stuck-at bit already holds its value: masked by construction, never run"""

    def __len__(self) -> int:
        return len(self.positions)

    def take(self, rows: NDArray[np.int64] | slice) -> WeightFaults:
        """The faults at these rows."""
        return WeightFaults(
            self.positions[rows], self.layer[rows], self.weight_index[rows], self.value[rows], self.changes[rows]
        )


@dataclass(frozen=True)
class Outcomes:
    """What F faults did to a block of I images; K of the pairs are critical."""

    positions: NDArray[np.int64]
    """[F] places in the fault list, consecutive in execution order"""
    severity: NDArray[np.uint8]
    """[F, I] 0 masked, 1 non-critical, 2 critical, 3 screened, 4 dropped"""
    critical_fault: NDArray[np.int64]
    """[K] row in `severity`; pairs are in the order of rows, then columns"""
    critical_image: NDArray[np.int64]
    """[K] column in `severity`"""
    prediction: NDArray[np.uint16]
    """[K] faulty top-1, torch's argmax where logits are not finite"""
    nonfinite: NDArray[np.bool_]
    """[K] whether any faulty logit is NaN or infinite"""
    golden_in_top5: NDArray[np.bool_]
    """[K] whether the golden class is among the five best under the fault; never where logits are not finite"""
    softmax_lost: NDArray[np.float32]
    """[K] the golden class's softmax without the fault minus with it; NaN where logits are not finite"""
