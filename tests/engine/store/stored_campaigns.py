"""Small campaigns with made-up outcomes, and what the store must then say about them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.faults.fault_list import FaultList
from engine.faults.population import Layer
from engine.faults.strata import Stratum
from engine.injection.outcomes import Audit, Outcomes
from engine.severity import CRITICAL, DROPPED, MASKED, SCREENED
from engine.store import NewCampaign, Store
from engine.store.write.writer import CampaignWriter

LAYERS = (Layer(0, "conv1", (6, 1, 5, 5)), Layer(1, "fc1", (120, 400)))
CLASSES = 10
AS_PAIR, AS_FAULT = 0, 1
PLAN = [(0, 2, 0, 12), (2, 9, 0, 5), (2, 9, 5, 12), (9, 15, 0, 12)]
"""Parts of the campaign below: a whole block, a block in two parts, a whole block."""


def new_campaign(
    faults: int = 12, images: int = 20, workload: int = 15, seed: int = 0, fingerprint: str = "f00"
) -> NewCampaign:
    """F faults in mixed layer order, ids with gaps as after a filter; the workload is part of the data set."""
    random = np.random.default_rng(seed)
    layer = random.integers(0, len(LAYERS), faults).astype(np.int32)
    golden = random.standard_normal(faults).astype(np.float32)
    faulty = golden.copy()
    faulty[:3] = np.nan, np.inf, -np.inf
    labels = random.integers(0, CLASSES, images)
    metrics = {name: random.random(images) for name in ("el2n", "deepgini")}
    return NewCampaign(
        fingerprint=fingerprint,
        identity={"weights": "w00", "torch": "2.6"},
        name="small",
        network="lenet5",
        dataset="mnist",
        select="top_n",
        metric="el2n",
        method="exact",
        config={"name": "small", "model": {"arch": "lenet5"}},
        numerics={"torch": "2.6", "device": "cpu"},
        faults=FaultList(
            layers=LAYERS,
            fault_id=np.sort(random.choice(100, faults, replace=False)).astype(np.uint32),
            layer=layer,
            weight_index=np.array([random.integers(LAYERS[index].size) for index in layer]),
            bit=random.integers(0, 32, faults).astype(np.uint8),
            stuck=random.integers(-1, 2, faults).astype(np.int8),
            model="bit_flip",
            strata=(Stratum("network", (0, 1), tuple(range(32)), 1, 1000, faults),),
            stratum=np.zeros(faults, np.int32),
            wave=np.zeros(faults, np.uint8),
        ),
        golden_values=golden,
        faulty_values=faulty,
        labels=labels,
        golden_class=np.where(random.random(images) < 0.8, labels, (labels + 1) % CLASSES),
        metrics=metrics,
        workload=np.argsort(-metrics["el2n"], kind="stable")[:workload],
    )


@dataclass(frozen=True, eq=False)
class Truth:
    """Every pair of a campaign, rows in execution order, columns by rank."""

    new: NewCampaign
    severity: np.ndarray
    prediction: np.ndarray
    nonfinite: np.ndarray
    golden_in_top5: np.ndarray
    softmax_lost: np.ndarray
    """NaN where logits are not finite"""
    audited: tuple[tuple[int, int, int, int], ...] = ()
    """(row, rank, severity, drawn_as) of each pair that was audited"""

    @classmethod
    def of(cls, new: NewCampaign, seed: int = 1) -> "Truth":
        random = np.random.default_rng(seed)
        shape = len(new.faults), len(new.workload)
        severity = random.choice(3, shape, p=[0.6, 0.25, 0.15]).astype(np.uint8)
        severity[0] = 0  # a fault that is always masked
        prediction, nonfinite = random.integers(0, CLASSES, shape).astype(np.uint16), random.random(shape) < 0.2
        lost = np.where(nonfinite, np.nan, random.random(shape)).astype(np.float32)
        return cls(new, severity, prediction, nonfinite, (random.random(shape) < 0.5) & ~nonfinite, lost)

    @property
    def fault_ids(self) -> np.ndarray:
        return self.new.faults.fault_id[self.new.faults.execution_order()]

    def outcomes(self, rank_start: int, rank_stop: int, fault_start: int, fault_stop: int) -> Outcomes:
        """One rectangle, as the injection gives it."""
        place = np.s_[fault_start:fault_stop, rank_start:rank_stop]
        fault, image = np.nonzero(self.severity[place] == 2)
        return Outcomes(
            positions=self.new.faults.execution_order()[fault_start:fault_stop],
            severity=self.severity[place],
            critical_fault=fault,
            critical_image=image,
            prediction=self.prediction[place][fault, image],
            nonfinite=self.nonfinite[place][fault, image],
            golden_in_top5=self.golden_in_top5[place][fault, image],
            softmax_lost=self.softmax_lost[place][fault, image],
            audit=self.audit(rank_start, rank_stop, fault_start, fault_stop),
        )

    def audit(self, rank_start: int, rank_stop: int, fault_start: int, fault_stop: int) -> Audit | None:
        """What was audited of one rectangle; a bound tells the pair, so that a test sees which one it is of."""
        rows = [
            (row - fault_start, rank - rank_start, row + rank / 100, 7, severity, drawn_as)
            for row, rank, severity, drawn_as in self.audited
            if fault_start <= row < fault_stop and rank_start <= rank < rank_stop
        ]
        if not rows:
            return None
        kinds = (np.int64, np.int64, np.float32, np.uint16, np.uint8, np.int8)
        return Audit(*(np.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)))

    def severities(self) -> list[tuple[int, int, int]]:
        """(fault_id, image_id, severity) of all pairs, sorted."""
        return sorted(
            (int(fault), int(image), int(self.severity[row, rank]))
            for row, fault in enumerate(self.fault_ids)
            for rank, image in enumerate(self.new.workload)
        )

    def criticals(self) -> list[tuple[int | float | None, ...]]:
        """(fault_id, image_id, prediction, nonfinite, golden_in_top5, softmax_lost) of the critical pairs, sorted."""
        return sorted(
            (
                int(self.fault_ids[row]),
                int(self.new.workload[rank]),
                int(self.prediction[row, rank]),
                bool(self.nonfinite[row, rank]),
                bool(self.golden_in_top5[row, rank]),
                None if self.nonfinite[row, rank] else float(self.softmax_lost[row, rank]),
            )
            for row, rank in zip(*np.nonzero(self.severity == 2), strict=True)
        )

    def fault_summaries(self) -> list[tuple[Any, ...]]:
        """(fault_id, all counts, correct, first_non_masked, first_critical, first_screened), sorted."""
        rows = []
        for row, fault in enumerate(self.fault_ids):
            correct = 0
            first: dict[int, int | None] = {1: None, 2: None, 3: None}
            for rank, image in enumerate(self.new.workload):
                severity, label = self.severity[row, rank], self.new.labels[image]
                if severity == 2:
                    correct += int(self.prediction[row, rank] == label and not self.nonfinite[row, rank])
                else:
                    correct += int(self.new.golden_class[image] == label)
                for worst, reached in ((1, severity in (1, 2)), (2, severity == 2), (3, severity == 3)):
                    if reached and first[worst] is None:
                        first[worst] = rank
            if first[1] is not None and first[3] is not None and first[3] < first[1]:
                first[1] = None  # nobody knows whether it would have been masked there
            counts = [int((self.severity[row] == severity).sum()) for severity in range(5)]
            rows.append((int(fault), *counts, correct, first[1], first[2], first[3]))
        return sorted(rows)

    def image_summaries(self) -> list[tuple[int, ...]]:
        """(image_id, masked, non_critical, critical, screened, dropped), sorted."""
        return sorted(
            (int(image), *(int((self.severity[:, rank] == severity).sum()) for severity in range(5)))
            for rank, image in enumerate(self.new.workload)
        )

    def curve(self, ranks: int) -> list[tuple[int, int, int]]:
        """(masked, non_critical, critical) faults, each at its worst so far (Algorithm 1); the rest are screened.

        A screened pair is worse than a masked one, and not as bad as one that was seen to be non-critical.
        """
        place = np.array([0, 2, 3, 1, 0])
        worst = np.maximum.accumulate(place[self.severity], axis=1)
        counts = [(worst[:, :ranks] == severity).sum(axis=0).tolist() for severity in (0, 2, 3)]
        return list(zip(*counts, strict=True))


def write(writer: CampaignWriter, truth: Truth, plan: list[tuple[int, int, int, int]]) -> None:
    """Commit the parts of a plan that are not in the store yet."""
    done = {(span.rank_start, span.rank_stop, span.fault_start, span.fault_stop) for span in writer.done}
    for rank_start, rank_stop, fault_start, fault_stop in plan:
        if (rank_start, rank_stop, fault_start, fault_stop) not in done:
            writer.add(rank_start, fault_start, truth.outcomes(rank_start, rank_stop, fault_start, fault_stop))
            writer.commit()


def partly_run() -> Truth:
    """A fault and an image of which nothing was run, single pairs of others, and an audit of all that."""
    whole = Truth.of(new_campaign())
    severity, random = whole.severity.copy(), np.random.default_rng(7)
    not_critical = severity != CRITICAL
    severity[not_critical & (random.random(severity.shape) < 0.4)] = SCREENED
    severity[not_critical & (random.random(severity.shape) < 0.2)] = DROPPED
    severity[4], severity[:, 8] = SCREENED, DROPPED
    audited = [(row, rank, (row + rank) % 2, AS_PAIR) for row, rank in np.argwhere(severity == SCREENED)[::7].tolist()]
    audited += [(4, rank, MASKED, AS_FAULT) for rank in range(15) if rank != 8]
    missed = np.argwhere(severity == CRITICAL)[3].tolist()
    return replace(whole, severity=severity, audited=(*audited, (*missed, CRITICAL, AS_PAIR)))


def filled_store(
    path: Path, plan: list[tuple[int, int, int, int]] = PLAN, truth: Truth | None = None
) -> tuple[Store, int, Truth]:
    """A store with one campaign and the parts of a plan, not sealed."""
    truth = truth or Truth.of(new_campaign())
    store = Store.open(path)
    with store.lock():
        campaign = store.create(truth.new)
        write(store.writer(campaign), truth, plan)
    return store, campaign, truth
