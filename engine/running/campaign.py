"""Running one campaign: what is left is planned, computed by an executor, cut into parts, committed and sealed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.campaign_results import population_shares
from engine.analysis.estimate import Confidence
from engine.analysis.precision import Look
from engine.injection.network.coverage import coverage
from engine.injection.network.layers import injectable_modules
from engine.running.blocks.audit_misses import find_misses, take_over
from engine.running.blocks.block_jobs import plan_jobs
from engine.running.blocks.dropped_faults import known_critical, note_critical
from engine.running.blocks.executor import executor_named
from engine.running.blocks.part_cutting import PartCutter
from engine.running.memory_budget import memory_in_words
from engine.running.out_of_memory import explained_memory
from engine.running.progress import ProgressMeter
from engine.running.unprepared import unprepared
from engine.store.records import CheckRecord, LayerRecord
from engine.store.write.background import BackgroundWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from engine.injection.check.self_check import CheckResult
    from engine.running.blocks.audit_misses import Miss
    from engine.running.preparation import PreparedCampaign
    from engine.running.progress import Progress
    from engine.store.records import NewCampaign, Span
    from engine.store.store import Store
    from engine.store.write.background import Room


def new_campaign(prepared: PreparedCampaign, checked: CheckResult) -> NewCampaign:
    """What the store keeps of a campaign from its start."""
    return replace(
        unprepared(prepared.config),
        fingerprint=prepared.fingerprint,
        identity=prepared.identity,
        numerics=describe_numerics(prepared, checked),
        faults=prepared.faults,
        golden_values=prepared.golden_values,
        faulty_values=prepared.faulty_values,
        labels=prepared.dataset.labels,
        golden_class=prepared.golden_class,
        metrics=prepared.metrics,
        workload=prepared.workload,
        layers=tuple(_layer_records(prepared, checked)),
        check=CheckRecord(**asdict(checked)),
        drawn=len(prepared.drawn),
    )


def _layer_records(prepared: PreparedCampaign, checked: CheckResult) -> Iterator[LayerRecord]:
    """Each layer with the method that runs its faults."""
    reasons = {each.layer: each.reason for each in checked.fallbacks}
    modules = [module for _, module in injectable_modules(prepared.plain)]
    for layer, module in zip(prepared.faults.layers, modules, strict=True):
        yield LayerRecord(
            index=layer.index,
            name=layer.name,
            shape=layer.shape,
            kind=type(module).__name__,
            method=prepared.injection.method_of(layer.index),
            reason=reasons.get(layer.name),
            groups=getattr(module, "groups", 1),
            transposed=bool(getattr(module, "transposed", False)),
        )


def describe_numerics(prepared: PreparedCampaign, checked: CheckResult) -> dict[str, str]:
    """Name -> value of all that numbers depend on, and of what the self-check found."""
    values = asdict(prepared.numerics) | prepared.injection.measured
    values |= {
        "memory": memory_in_words(prepared.config.run, prepared.injection.memory),
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
    writer = store.writer(campaign)
    with BackgroundWriter(writer, room) as background:
        for note in [*what_to_know(prepared, checked), *store.take_notes()]:
            on_note(note)
        for wave, stop in enumerate(prepared.wave_stops):
            while True:
                meter = ProgressMeter(store.campaign(campaign), on_progress)
                with explained_memory(prepared.config.run):
                    critical = known_critical(prepared, store, campaign)
                    left = _Left(prepared.wave_stops[: wave + 1], writer.done, critical)
                    stretch = _compute(prepared, left, background, meter, should_stop, on_note)
                background.finish()
                meter.finish(background.receipts())
                for note in take_over(prepared, writer, stretch.misses):
                    on_note(note)
                if describe_numerics(prepared, checked) != store.description(campaign)["numerics"]:  # as they are now
                    store.renew(campaign, new_campaign(prepared, checked), with_tables=False)
                if stretch.is_stopped:
                    return False
                if not stretch.misses:
                    break
            ran = prepared.first(stop)
            look = _look(ran, store, campaign)
            if look is not None:
                is_last = look.is_enough or ran is prepared
                on_note(look.sentence if is_last else look.on_the_way)
                if is_last and ran is not prepared:
                    store.stop_early(campaign, new_campaign(ran, checked), writer)
                    ProgressMeter(store.campaign(campaign), on_progress)  # which has fewer pairs now, all of them done
                if is_last:
                    break
        background.seal()
    return True


def _look(ran: PreparedCampaign, store: Store, campaign: int) -> Look | None:
    """What the campaign knows after the faults that have run; None where it is to run all of them in any case."""
    if ran.config.run.precision is None:
        return None
    summary, config = store.summary(campaign), ran.config.to_json()
    chosen = np.isin(summary.fault_id, ran.faults.fault_id)
    shares = population_shares(summary.of_faults(chosen), Confidence.of(config))
    return Look.at(shares, config, len(ran.faults), len(ran.drawn))


@dataclass(frozen=True)
class _Left:
    """What is to be computed: all pairs of the faults of some waves that are not done."""

    wave_stops: Sequence[int]
    done: Sequence[Span]
    critical: NDArray[np.bool_] | None
    """[faults, in execution order] those that were seen to be, which are dropped from the next block on; None where
    every pair is asked for"""


@dataclass(frozen=True)
class _Stretch:
    """How computing what was left has ended."""

    is_stopped: bool = False
    """because somebody asked for it"""
    misses: Sequence[Miss] = ()
    """because an audit has found these; the part that they are in is not committed"""


def _compute(
    prepared: PreparedCampaign,
    left: _Left,
    background: BackgroundWriter,
    meter: ProgressMeter,
    should_stop: Callable[[], bool],
    on_note: Callable[[str], None],
) -> _Stretch:
    """Have the config's executor compute what is left, and commit what comes, until all is there or it ends."""
    critical = left.critical
    planned = list(plan_jobs(len(prepared.workload), prepared.injection.block_rows, left.wave_stops, left.done))
    cutter = PartCutter(planned)
    jobs = planned if critical is None else (replace(job, dropped=critical.copy()) for job in planned)
    with closing(executor_named(prepared.config.run.executor).run(prepared, jobs)) as computed:
        for group in computed:
            if critical is not None:
                note_critical(critical, group)
            for note in group.notes:
                on_note(note)
            is_stopped = should_stop()
            if misses := find_misses(prepared, group):
                return _Stretch(is_stopped, misses)
            for part in [*cutter.add(group), *(cutter.rest() if is_stopped else [])]:
                background.commit(part)
            meter.advance(group.pairs, group.ranks, background.receipts())
            if is_stopped:
                return _Stretch(is_stopped)
    return _Stretch()


def what_to_know(prepared: PreparedCampaign, checked: CheckResult) -> Iterator[str]:
    """What the user should read before a campaign, in sentences: of its network, its images and its self-check."""
    yield from prepared.notes
    yield from prepared.injection.notes
    if checked.differences or checked.undecided:
        yield f"checked: {checked.sentence}"
    for each in checked.fallbacks:
        yield f"faults in {each.layer} are run by {each.method}, which is slower: {each.reason}"
