"""Who computes the jobs of a campaign: one block after the other in this process, or in a way of its own.

An executor is a class with a method `run`; a line of `engine.config.executors.EXECUTORS` gives it its name in configs.
"""

from __future__ import annotations

import pkgutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from engine.config.executors import EXECUTORS
from engine.injection.memory import is_out_of_memory
from engine.running.blocks.dropped_faults import inject_left
from engine.running.blocks.image_slices import run_in_slices
from engine.store.write.background import ComputedPart

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from typing import Any

    from numpy.typing import NDArray

    from engine.injection.network.golden import GoldenBlock
    from engine.running.blocks.block_jobs import BlockJob
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

    Where memory runs out, batches are halved, and it goes on with the faults of which nothing was yielded yet.

    Yields:
        A part for each group of faults that the injection runs together, a few seconds' work, in execution order.
        The first one's time includes loading the block.

    Raises:
        InputError: memory ran out, however small the batches.
    """
    left = job
    said: tuple[str, ...] = ()
    while True:
        try:
            for part in _parts(prepared, left, is_begun=left is not job):
                yield replace(part, notes=(*said, *part.notes)) if said else part
                left, said = left.after(part.fault_stop), ()
            return
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        said = (*said, prepared.halve_batches(keeps_fall_backs=True))  # here nothing holds what was computed


def _parts(prepared: PreparedCampaign, job: BlockJob, is_begun: bool) -> Iterator[ComputedPart]:
    """What a job lacks, by the batches of the injection as it is now; notes on the images where it is not begun."""
    injection, faults = prepared.injection, prepared.faults_in_execution_order()

    def load(start: int, stop: int) -> tuple[GoldenBlock, tuple[str, ...]]:
        golden = prepared.load(start, stop)
        return golden, () if is_begun else tuple(_other_classes(prepared, golden, start, stop))

    if job.rank_stop - job.rank_start > injection.block_rows:
        yield from run_in_slices(job, injection, faults, load)
        return
    started = time.monotonic()
    golden, notes = load(job.rank_start, job.rank_stop)
    for gap in job.gaps:
        start = gap.start
        some = faults.take(slice(gap.start, gap.stop))
        for outcomes in inject_left(injection, golden, some, job.dropped_of(gap)):
            seconds = time.monotonic() - started
            yield ComputedPart(job.rank_start, start, [outcomes], seconds, injection.measured, notes)
            start, notes, started = start + len(outcomes.positions), (), time.monotonic()


def _other_classes(prepared: PreparedCampaign, golden: GoldenBlock, start: int, stop: int) -> Iterator[str]:
    """A note on each image whose two best classes are so close that its place in the batch decides between them."""
    images: NDArray[Any] = prepared.workload[start:stop]
    for image in images[golden.logits.argmax(1).cpu().numpy() != prepared.golden_class[images]]:
        yield (
            f"image {image}: its two best classes are as close as rounding; its severities count from the class "
            "that it has in its block, which is not the one it was ranked with"
        )
