"""Who computes the jobs of a campaign: one block after the other in this process, or in a way of its own.

An executor is a class with a method `run`; a line of `engine.config.executors.EXECUTORS` gives it its name in configs.
"""

from __future__ import annotations

import pkgutil
import time
from typing import TYPE_CHECKING, Protocol

from engine.config.executors import EXECUTORS
from engine.store.write.background import ComputedPart

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from engine.injection.network.golden import GoldenBlock
    from engine.running.block_jobs import BlockJob
    from engine.running.preparation import PreparedCampaign


class Executor(Protocol):
    """Computes jobs; which one is computed where and when is its own affair."""

    def run(self, prepared: PreparedCampaign, jobs: Iterable[BlockJob]) -> Generator[ComputedPart, Any, None]:
        """Yield what `run_block` yields of every job: the parts of one job in order, those of several mixed at will.

        It is asked for a part only when the last one is on its way to the disk: an executor that computes ahead keeps
        few parts waiting. Closing the generator stops the work; what was not yielded until then is computed again.

        Args:
            prepared: the campaign; one injection serves one thread, so that others need an injection of their own.
            jobs: to be taken one by one.
        """


class LocalExecutor:
    """One job after the other, in this process."""

    def run(self, prepared: PreparedCampaign, jobs: Iterable[BlockJob]) -> Generator[ComputedPart, Any, None]:
        """Each job to its end."""
        for job in jobs:
            yield from run_block(prepared, job)


def executor_named(name: str) -> Executor:
    """The executor of a config, by its name in `EXECUTORS`."""
    executor: Executor = pkgutil.resolve_name(EXECUTORS[name])()
    return executor


def run_block(prepared: PreparedCampaign, job: BlockJob) -> Iterator[ComputedPart]:
    """Inject the faults that are missing of one block of images; nothing is written.

    Yields:
        A part for each group of faults that the injection runs together, a few seconds' work, in execution order.
        The first one's time includes loading the block.
    """
    injection, faults = prepared.injection, prepared.faults_in_execution_order()
    started = time.monotonic()
    golden = injection.load(prepared.images(job.rank_start, job.rank_stop))
    notes = tuple(_other_classes(prepared, golden, job))
    for gap in job.gaps:
        start = gap.start
        for outcomes in injection.inject(golden, faults.take(slice(gap.start, gap.stop))):
            seconds = time.monotonic() - started
            yield ComputedPart(job.rank_start, start, [outcomes], seconds, injection.measured, notes)
            start, notes, started = start + len(outcomes.positions), (), time.monotonic()


def _other_classes(prepared: PreparedCampaign, golden: GoldenBlock, job: BlockJob) -> Iterator[str]:
    """A note on each image whose two best classes are so close that its place in the batch decides between them."""
    images: NDArray[Any] = prepared.workload[job.rank_start : job.rank_stop]
    for image in images[golden.logits.argmax(1).cpu().numpy() != prepared.golden_class[images]]:
        yield (
            f"image {image}: its two best classes are as close as rounding; its severities count from the class "
            "that it has in its block, which is not the one it was ranked with"
        )
