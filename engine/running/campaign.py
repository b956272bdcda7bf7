"""Running one campaign: blocks of images in rank order, parts of whole faults, resumable after every part."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from engine.injection.network.coverage import coverage
from engine.injection.network.layers import injectable_modules
from engine.injection.outcomes import Outcomes
from engine.running.out_of_memory import explained_memory
from engine.store.records import CheckRecord, Counted, LayerRecord, NewCampaign, Span
from engine.store.schema import COUNTS
from engine.store.write.background import BackgroundWriter, ComputedPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engine.injection.check.self_check import CheckResult
    from engine.injection.network.golden import GoldenBlock
    from engine.running.preparation import PreparedCampaign
    from engine.store.records import CampaignStatus, Receipt
    from engine.store.store import Store
from engine.store.write.background import Room

FIRST_BLOCK = 16
"""images in the first block; each next one is twice as long, so that the curve is there within seconds"""

PART_PAIRS = 8_500_000
"""Half of a block of 1,024 images and 16,600 faults, about the most of a layer-wise sample at 1 %: with twice as many
parts, writing takes a tenth longer."""
PART_SECONDS = 30.0
_RATE_SECONDS = 10.0
"""how far back the shown rate looks; the time left is told by a whole block, whose first faults may take most of it"""
_LEAST_SECONDS = 0.5


@dataclass(frozen=True)
class Progress(Counted):
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
    screened: int = 0
    dropped: int = 0


def describe(prepared: PreparedCampaign, checked: CheckResult) -> NewCampaign:
    """What the store keeps of a campaign from its start."""
    config = prepared.config
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
        numerics=describe_numerics(prepared, checked),
        faults=prepared.faults,
        golden_values=prepared.golden_values,
        faulty_values=prepared.faulty_values,
        labels=prepared.dataset.labels,
        golden_class=prepared.golden_class,
        metrics=prepared.metrics,
        workload=prepared.workload,
        layers=tuple(_layer_records(prepared, checked)),
        check=CheckRecord(
            pairs=checked.pairs,
            differences=checked.differences,
            undecided=checked.undecided,
            masked=checked.masked,
            fallbacks=tuple(asdict(each) for each in checked.fallbacks),
            seconds=checked.seconds,
        ),
    )


def _layer_records(prepared: PreparedCampaign, checked: CheckResult) -> Iterator[LayerRecord]:
    """Each layer with the method that runs its faults."""
    fell_back = {each.layer: each for each in checked.fallbacks}
    modules = [module for _, module in injectable_modules(prepared.plain)]
    for layer, module in zip(prepared.faults.layers, modules, strict=True):
        instead = fell_back.get(layer.name)
        yield LayerRecord(
            index=layer.index,
            name=layer.name,
            shape=layer.shape,
            kind=type(module).__name__,
            method=instead.method if instead else prepared.config.run.method,
            reason=instead.reason if instead else None,
        )


def describe_numerics(prepared: PreparedCampaign, checked: CheckResult) -> dict[str, str]:
    """Name -> value of all that numbers depend on, and of what the self-check found."""
    values = asdict(prepared.numerics) | prepared.injection.measured
    values |= {
        "coverage": coverage(prepared.plain).sentence,
        "check": checked.sentence,
        "check_pairs": checked.pairs,
        "check_differences": checked.differences,
        "check_undecided": checked.undecided,
        "check_masked": checked.masked,
        "check_fallbacks": "; ".join(f"{each.layer}: {each.method} ({each.reason})" for each in checked.fallbacks),
        "check_seconds": round(checked.seconds, 2),
    }
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}


def run_campaign(
    prepared: PreparedCampaign,
    checked: CheckResult,
    store: Store,
    campaign: int,
    on_progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
    room: Room,
    on_note: Callable[[str], None],
) -> bool:
    """Run what is left of a campaign and seal it.

    Args:
        prepared: what the campaign was created from.
        checked: what the self-check of its injection found.
        store: with its lock held.
        campaign: its id there.
        on_progress: called every few seconds at most.
        should_stop: asked after each group of faults; what was computed until then is committed.
        room: asked, in another thread, when the disk is full.
        on_note: told, in a sentence, what the user should know about the run.

    Returns:
        Whether the campaign is finished; False after a stop.
    """
    meter = ProgressMeter(store.campaign(campaign), on_progress)
    writer = store.writer(campaign)
    with BackgroundWriter(writer, room) as background:
        for note in [*what_to_know(prepared, checked), *store.take_notes()]:
            on_note(note)

        def advance(pairs: int, block: tuple[int, int]) -> None:
            meter.advance(pairs, block, background.receipts())

        computation = Computation(prepared, should_stop, advance, on_note)
        with explained_memory(prepared.config.run):
            for part in computation.parts(list(writer.done)):
                background.commit(part)
        background.finish()
        meter.finish(background.receipts())
        if not computation.is_stopped:
            background.seal()
    return not computation.is_stopped


class Computation:
    """The work on all pairs that are not in the store, until somebody asks for a stop."""

    def __init__(
        self,
        prepared: PreparedCampaign,
        should_stop: Callable[[], bool],
        advance: Callable[[int, tuple[int, int]], None],
        on_note: Callable[[str], None],
    ) -> None:
        """`advance` is told the pairs of each group of faults, and the ranks that it ran, the second one excluded."""
        self._prepared = prepared
        self._injection = prepared.injection
        self._on_note = on_note
        self._should_stop = should_stop
        self._advance = advance
        self.is_stopped = False

    def parts(self, done: Sequence[Span]) -> Iterator[ComputedPart]:
        """What is not done, a part at a time; after a stop the last one is cut short."""
        faults, images = self._prepared.faults_in_execution_order(), len(self._prepared.workload)
        for block in remaining_blocks(images, self._injection.block_rows, len(faults), done):
            started = time.monotonic()
            golden = self._injection.load(self._prepared.images(block.rank_start, block.rank_stop))
            self._compare_classes(golden, block)
            for gap in block.gaps:
                groups, start = list[Outcomes](), gap.start
                for outcomes in self._injection.inject(golden, faults.take(slice(gap.start, gap.stop))):
                    groups.append(outcomes)
                    self.is_stopped = self._should_stop()
                    part = ComputedPart(
                        block.rank_start, start, groups, time.monotonic() - started, self._injection.measured
                    )
                    is_full = part.pairs >= PART_PAIRS or part.seconds >= PART_SECONDS
                    if self.is_stopped or is_full or part.fault_stop == gap.stop:
                        yield part
                        groups, start, started = [], part.fault_stop, time.monotonic()
                    self._advance(outcomes.severity.size, (block.rank_start, block.rank_stop))
                    if self.is_stopped:
                        return

    def _compare_classes(self, golden: GoldenBlock, block: Block) -> None:
        """Tell of images whose two best classes are so close that their place in the batch decides between them."""
        images = self._prepared.workload[block.rank_start : block.rank_stop]
        for image in images[golden.logits.argmax(1).cpu().numpy() != self._prepared.golden_class[images]]:
            self._on_note(
                f"image {image}: its two best classes are as close as rounding; its severities count from the class "
                "that it has in its block, which is not the one it was ranked with"
            )


def what_to_know(prepared: PreparedCampaign, checked: CheckResult) -> Iterator[str]:
    """What the user should read before a campaign, in sentences: of its network, its images and its self-check."""
    yield from prepared.notes
    yield from prepared.injection.notes
    if checked.differences or checked.undecided:
        yield f"checked: {checked.sentence}"
    for each in checked.fallbacks:
        yield f"faults in {each.layer} are run by {each.method}, which is slower: {each.reason}"


@dataclass(frozen=True)
class Block:
    """Consecutive ranks, and the faults (places in execution order) that are not in the store for them yet."""

    rank_start: int
    rank_stop: int
    gaps: tuple[range, ...]


def remaining_blocks(images: int, most_rows: int, faults: int, done: Sequence[Span]) -> Iterator[Block]:
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


class _Window:
    """The latest moments at which so many pairs were done."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def add(self, now: float, done: int, least_pairs: int = 0) -> None:
        """One more; what is before the last _RATE_SECONDS and the last `least_pairs` is forgotten."""
        self._marks.append((now, done))
        while len(self._marks) > 2:
            time_then, done_then = self._marks[1]
            if now - time_then <= _RATE_SECONDS or done - done_then <= least_pairs:
                break
            self._marks.popleft()

    def rate(self) -> float | None:
        """Without the first group, which warms everything up, and only from what took long enough to measure."""
        if len(self._marks) < 2:
            return None
        (first_time, first), (last_time, last) = self._marks[0], self._marks[-1]
        return (last - first) / (last_time - first_time) if last_time - first_time >= _LEAST_SECONDS else None


class ProgressMeter:
    """Counts pairs, measures their rate, and reports."""

    def __init__(self, status: CampaignStatus, on_progress: Callable[[Progress], None]) -> None:
        """Start from what is committed."""
        self._on_progress = on_progress
        self._pairs, self._faults = status.pairs, status.faults
        self._counts = {name: getattr(status, name) for name in COUNTS}
        self._done = status.count()
        self._recent, self._over_a_block = _Window(), _Window()
        self._report(None)

    def advance(self, pairs: int, block: tuple[int, int], receipts: Sequence[Receipt]) -> None:
        """So many more pairs are computed, of these ranks, and these parts are in the store."""
        self._done += pairs
        now = time.monotonic()
        self._recent.add(now, self._done)
        self._over_a_block.add(now, self._done, least_pairs=self._faults * (block[1] - block[0]))
        self._count(receipts)
        self._report(block)

    def finish(self, receipts: Sequence[Receipt]) -> None:
        """These parts are in the store, and nothing more is computed."""
        self._count(receipts)
        self._report(None)

    def _count(self, receipts: Sequence[Receipt]) -> None:
        for name in COUNTS:
            self._counts[name] += sum(getattr(receipt, name) for receipt in receipts)

    def _report(self, block: tuple[int, int] | None) -> None:
        steady = self._over_a_block.rate()
        eta = (self._pairs - self._done) / steady if steady else None
        self._on_progress(Progress(self._done, self._pairs, self._recent.rate(), eta, **self._counts, block=block))
