"""A campaign proves itself before it starts: its network and method are compared with the plain loop, on its images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.injection.check.self_check import CheckResult, Extent, check
from engine.metrics.probabilities import DEEPGINI
from engine.running.out_of_memory import explained_memory, until_it_fits
from engine.steps import OnStep, nobody_waits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engine.running.preparation import PreparedCampaign

_BRIEF_SECONDS = 0.5
"""that a brief check takes, every layer at least once: who queues campaigns waits for it"""

_HARD_PER_IMAGE = 8
"""of the most uncertain images, how many for each one that is taken"""


def prove(
    prepared: PreparedCampaign, on_step: OnStep = nobody_waits, briefly: bool = False, pairs: int | None = None
) -> CheckResult:
    """Compare a campaign's method with the plain loop; where a layer does not agree it falls back to what does.

    Args:
        prepared: what is checked; the methods of its injection's layers may change.
        on_step: told how far it is.
        briefly: half a second where the config asks for a share: the campaign is checked again when it starts.
        pairs: to compare, instead of what `[run] check` says.

    Raises:
        InputError: the network does not answer the same each time, or nothing agrees with the plain loop.
    """
    run = prepared.config.run
    extent = Extent(
        pairs=run.check_pairs if pairs is None else pairs,
        share=0.0 if briefly or pairs is not None else run.check_share,
        least_seconds=_BRIEF_SECONDS if briefly else None,
        faults=prepared.faults_by_layer,
        campaign_images=len(prepared.workload),
    )

    def draw_images(count: int, turn: int) -> torch.Tensor:
        batch = prepared.dataset.batch(choose_images(prepared, count, turn))
        return torch.from_numpy(batch).to(prepared.numerics.device)

    with explained_memory(run):
        return until_it_fits(
            lambda: check(prepared.injection, prepared.plain, draw_images, extent, on_step),
            lambda: prepared.halve_batches(on_step=on_step),
        )


def choose_images(prepared: PreparedCampaign, count: int, turn: int) -> NDArray[np.int64]:
    """Image ids [count] of the workload: of every golden class, and of those the network is least sure of.

    A workload of fewer images gives some of them more than once.
    """
    generator = np.random.default_rng(turn)
    shuffled = generator.permutation(prepared.workload)
    classes = prepared.golden_class[shuffled]
    order = np.argsort(classes, kind="stable")
    starts = np.searchsorted(classes[order], classes[order], side="left")
    nth_of_class = np.empty(len(order), dtype=np.int64)
    nth_of_class[order] = np.arange(len(order)) - starts
    of_every_class = shuffled[np.argsort(nth_of_class, kind="stable")]
    uncertain = prepared.workload[np.argsort(-prepared.metrics[DEEPGINI.name][prepared.workload], kind="stable")]
    hard = generator.permutation(uncertain[: _HARD_PER_IMAGE * count])[: count // 2]
    chosen = np.concatenate([hard, of_every_class[~np.isin(of_every_class, hard)]])
    return np.resize(chosen, count)
