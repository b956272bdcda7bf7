"""An executor that a newcomer would add: the last block first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.running.blocks.executor import run_block

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from engine.running.blocks.block_jobs import BlockJob
    from engine.running.preparation import PreparedCampaign
    from engine.store.write.background import ComputedPart


class BackwardsExecutor:
    """One job after the other, the last one first."""

    def run(self, prepared: PreparedCampaign, jobs: Iterable[BlockJob]) -> Generator[ComputedPart, Any, None]:
        """Each job to its end."""
        for job in reversed(list(jobs)):
            yield from run_block(prepared, job)
