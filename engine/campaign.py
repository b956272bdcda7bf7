"""Running one campaign: blocks of images in rank order, parts of whole faults, resumable after every part."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeVar

from engine.errors import DiskFullError
from engine.injection.methods import METHODS
from engine.store.records import NewCampaign, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.injection.exact import ExactInjection
    from engine.injection.outcomes import Outcomes
    from engine.preparation import PreparedCampaign
    from engine.store.records import CampaignStatus, Receipt
    from engine.store.store import Store
    from engine.store.writer import CampaignWriter

FIRST_BLOCK = 16
"""images in the first block; each next one is twice as long, so that the curve is there within seconds"""

PART_PAIRS = 4_000_000
PART_SECONDS = 30.0
_MOST_PROBED = 4096
_RATE_SECONDS = 10.0
"""how far back the shown rate looks"""
_LEAST_SECONDS = 0.5

Written = TypeVar("Written")


@dataclass(frozen=True)
class Progress:
    """How far a campaign is; counts are pairs."""

    pairs_done: int
    pairs: int
    rate: float | None
    """pairs per second of late; None until it is known"""
    eta_s: float | None
    masked: int
    non_critical: int
    critical: int
    block: tuple[int, int] | None = None
    """ranks of the images being run, the second one excluded"""


def describe(prepared: PreparedCampaign, injection: ExactInjection) -> NewCampaign:
    """What the store keeps of a campaign from its start."""
    config, numerics = prepared.config, asdict(prepared.numerics) | injection.measured
    return NewCampaign(
        fingerprint=prepared.fingerprint,
        identity=prepared.identity,
        name=config.name,
        network=config.model.arch,
        dataset=config.dataset.name,
        select=config.workload.select,
        metric=config.workload.metric,
        method=config.run.method,
        config=config.to_json(),
        numerics={
            key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in numerics.items()
        },
        faults=prepared.faults,
        golden_values=prepared.golden_values,
        faulty_values=prepared.faulty_values,
        labels=prepared.dataset.labels,
        golden_class=prepared.golden_class,
        metrics=prepared.metrics,
        workload=prepared.workload,
    )


def start_injection(prepared: PreparedCampaign) -> ExactInjection:
    """The campaign's network, traced, with its batch sizes probed.

    Raises:
        InputError: the memory does not hold one image.
    """
    probe = prepared.images(0, min(len(prepared.workload), _MOST_PROBED))
    return METHODS[prepared.config.run.method](prepared.model, probe, prepared.config.run.memory)


def run_campaign(
    prepared: PreparedCampaign,
    injection: ExactInjection,
    store: Store,
    campaign: int,
    on_progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
    wait_for_room: Callable[[DiskFullError], None],
    on_note: Callable[[str], None],
) -> bool:
    """Run what is left of a campaign and seal it.

    Args:
        prepared: what the campaign was created from.
        injection: of its network.
        store: with its lock held.
        campaign: its id there.
        on_progress: called every few seconds at most.
        should_stop: asked after each group of faults; what was computed until then is committed.
        wait_for_room: called when the disk is full; when it returns, the same is tried again. May raise to give up.
        on_note: told, in a sentence, what the user should know about the run.

    Returns:
        Whether the campaign is finished; False after a stop.
    """
    faults = prepared.faults_in_execution_order()
    meter = ProgressMeter(store.campaign(campaign), on_progress)
    with store.writer(campaign) as writer:

        def commit(seconds: float) -> Receipt | None:
            return _written(lambda: writer.commit(seconds), wait_for_room)

        for note in [*injection.notes, *store.take_notes()]:
            on_note(note)
        for block in remaining_blocks(len(prepared.workload), injection.block_rows, len(faults), writer.done):
            meter.block = (block.rank_start, block.rank_stop)
            started = time.monotonic()
            golden = injection.load(prepared.images(block.rank_start, block.rank_stop))
            for gap in block.gaps:
                outcomes = injection.inject(golden, faults.take(slice(gap.start, gap.stop)))
                if not _write_parts(writer, commit, block, gap, outcomes, started, meter, should_stop):
                    return False
                started = time.monotonic()
        _written(writer.seal, wait_for_room)
    return True


def _written(write: Callable[[], Written], wait_for_room: Callable[[DiskFullError], None]) -> Written:
    """Write, as soon as there is room."""
    while True:
        try:
            return write()
        except DiskFullError as error:
            wait_for_room(error)


def _write_parts(
    writer: CampaignWriter,
    commit: Callable[[float], Receipt | None],
    block: Block,
    gap: range,
    groups: Iterator[Outcomes],
    started: float,
    meter: ProgressMeter,
    should_stop: Callable[[], bool],
) -> bool:
    """Commit the outcomes of one gap, whose work began at `started`, a part at a time; False after a stop."""
    fault_start = gap.start
    for outcomes in groups:
        writer.add(block.rank_start, fault_start, outcomes)
        fault_start += len(outcomes.positions)
        stop = should_stop()
        seconds = time.monotonic() - started
        is_full = writer.buffered_pairs >= PART_PAIRS or seconds >= PART_SECONDS
        receipt = commit(seconds) if stop or is_full or fault_start == gap.stop else None
        meter.advance(outcomes.severity.size, receipt)
        if receipt is not None:
            started = time.monotonic()
        if stop:
            return False
    return True


@dataclass(frozen=True)
class Block:
    """Consecutive ranks, and the faults (places in execution order) that are not in the store for them yet."""

    rank_start: int
    rank_stop: int
    gaps: tuple[range, ...]


def remaining_blocks(images: int, most_rows: int, faults: int, done: list[Span]) -> Iterator[Block]:
    """The blocks that are not complete, in rank order.

    Blocks that parts already exist for keep their length, whatever the batch sizes are this time.
    """
    stops = {span.rank_start: span.rank_stop for span in done}
    start, length = 0, min(FIRST_BLOCK, most_rows)
    while start < images:
        stop = stops.get(start, min(start + length, images, *(known for known in stops if known > start)))
        covered = sorted((span.fault_start, span.fault_stop) for span in done if span.rank_start == start)
        gaps = tuple(_gaps(covered, faults))
        if gaps:
            yield Block(start, stop, gaps)
        start, length = stop, min(length * 2, most_rows)


def _gaps(covered: list[tuple[int, int]], faults: int) -> Iterator[range]:
    start = 0
    for first, stop in [*covered, (faults, faults)]:
        if first > start:
            yield range(start, first)
        start = max(start, stop)


class ProgressMeter:
    """Counts pairs, measures their rate, and reports."""

    def __init__(self, status: CampaignStatus, on_progress: Callable[[Progress], None]) -> None:
        """Start from what is committed."""
        self._on_progress = on_progress
        self._pairs = status.pairs
        self._counts = (status.masked, status.non_critical, status.critical)
        self._done = sum(self._counts)
        self.block: tuple[int, int] | None = None
        """ranks of the images being run"""
        self._marks: list[tuple[float, int]] = []
        self._report()

    def advance(self, pairs: int, receipt: Receipt | None) -> None:
        """So many more pairs are computed, and perhaps a part is in the store."""
        self._done += pairs
        self._marks.append((time.monotonic(), self._done))
        while len(self._marks) > 2 and self._marks[-1][0] - self._marks[1][0] > _RATE_SECONDS:
            del self._marks[0]
        if receipt is not None:
            masked, non_critical, critical = self._counts
            self._counts = (
                masked + receipt.masked,
                non_critical + receipt.non_critical,
                critical + receipt.critical,
            )
        self._report()

    def _report(self) -> None:
        rate = self._rate()
        eta = (self._pairs - self._done) / rate if rate else None
        self._on_progress(Progress(self._done, self._pairs, rate, eta, *self._counts, self.block))

    def _rate(self) -> float | None:
        """Without the first group, which warms everything up, and only from what took long enough to measure."""
        if len(self._marks) < 2:
            return None
        (first_time, first), (last_time, last) = self._marks[0], self._marks[-1]
        return (last - first) / (last_time - first_time) if last_time - first_time >= _LEAST_SECONDS else None
