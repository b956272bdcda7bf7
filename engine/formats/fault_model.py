"""What a fault does to a bit, as the name a user writes and as the code that arrays hold."""

from __future__ import annotations

from typing import Literal

FaultModel = Literal["bit_flip", "stuck_at_0", "stuck_at_1", "stuck_at"]
"""`stuck_at` draws the polarity of each fault."""

FLIPPED = -1
"""The code of a bit that is flipped; 0 and 1 are the values that a bit is stuck at."""

MODEL_OF_STUCK: dict[int, FaultModel] = {FLIPPED: "bit_flip", 0: "stuck_at_0", 1: "stuck_at_1"}
"""Code -> the model of a single fault, which has drawn its polarity."""

STUCK_OF_MODEL: dict[str, int] = {model: stuck for stuck, model in MODEL_OF_STUCK.items()}
"""Model -> code; `stuck_at` has none."""
