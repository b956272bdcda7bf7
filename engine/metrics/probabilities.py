"""How hard each image is for the fault-free network, from its logits (one forward pass)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Logits = npt.NDArray[np.float32] | npt.NDArray[np.float64]
    Labels = npt.NDArray[np.int64]
    Values = npt.NDArray[np.float64]


def log_softmax(logits: Logits) -> Values:
    """Log-probabilities, [N, K] -> [N, K], in float64: float32 would tie thousands of images."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def softmax(logits: Logits) -> Values:
    """Probabilities, [N, K] -> [N, K], in float64."""
    return np.exp(log_softmax(logits))


def el2n(logits: Logits, labels: Labels) -> Values:
    """||p - y||_2, y the one-hot label (Paul et al. 2021): 0 sure and right .. sqrt 2 sure and wrong, [N]."""
    error = softmax(logits)
    error[np.arange(len(labels)), labels] -= 1
    return np.asarray(np.linalg.norm(error, axis=1))


def deepgini(logits: Logits, labels: Labels) -> Values:  # noqa: ARG001 - every metric is called alike
    """1 - sum p^2 (Weiss and Tonella 2022): 0 sure .. 1 - 1/K undecided; the label plays no part, [N]."""
    p = softmax(logits)
    # sum p (1 - p) is the same, and keeps apart the sure images that 1 - sum p^2 rounds to 0 or below
    return np.asarray((p * (1 - p)).sum(axis=1))


def cross_entropy(logits: Logits, labels: Labels) -> Values:
    """-log p_label: 0 sure and right, without an upper bound, always finite, [N]."""
    # subtracted from 0, because the negative of 0.0 is -0.0
    return 0.0 - log_softmax(logits)[np.arange(len(labels)), labels]


METRICS: dict[str, Callable[[Logits, Labels], Values]] = {
    "el2n": el2n,
    "deepgini": deepgini,
    "cross_entropy": cross_entropy,
}


def compute_metrics(logits: npt.NDArray[np.float32], labels: Labels) -> dict[str, Values]:
    """Every metric of every image.

    Args:
        logits: [N, K] of the fault-free network.
        labels: [N] 0..K-1.

    Returns:
        Metric name -> [N], raw values.

    Raises:
        InputError: for a label that is no class of the network and for non-finite logits, naming the first image.
    """
    classes = logits.shape[1]
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(outside):
        image = outside[0]
        raise InputError(
            f"[dataset] image {image} has the label {labels[image]}, but the network has {classes} classes "
            f"(labels 0 to {classes - 1}); mend the labels or use weights with more classes"
        )
    broken = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(broken):
        raise InputError(
            f"[model] the fault-free network gives image {broken[0]} a logit that is not finite; "
            "check its weights and the [dataset] mean and std"
        )
    return {name: metric(logits, labels) for name, metric in METRICS.items()}
