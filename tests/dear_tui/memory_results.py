"""Results that are only in memory: every pair of a made-up campaign, and the answers that follow from them."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.accuracy_cost import CRITICAL, MASKED, NONFINITE, FaultEffects
from engine.analysis.estimate import Confidence
from engine.formats.float32 import FLOAT32
from engine.store.read.confusion import Confusion
from engine.store.read.fault_results import CriticalImages, FaultOrder, FaultRates, FaultRows, Flips
from engine.store.read.image_results import ImageOrder, ImageRows, Mistakes
from tests.dear_tui.memory_store import FakeSource, make_curve, make_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.analysis.accuracy_cost import Effect
    from engine.conditions import Condition
    from engine.faults.group import FaultGroup
    from engine.store.records import CampaignStatus

LENET = {"conv1": (6, 1, 5, 5), "conv2": (16, 6, 5, 5), "fc1": (120, 400), "fc2": (84, 120), "fc3": (10, 84)}
RESNET: dict[str, tuple[int, ...]] = {
    f"layer{1 + place // 6}.{place % 6 // 2}.conv{1 + place % 2}": (16, 16, 3, 3) for place in range(18)
}
CLASSES = 10


class MemoryResults:
    """F faults x W images, the more critical the higher the exponent's bit; `done` images have been run."""

    def __init__(self, layers: dict[str, tuple[int, ...]], faults: int, images: int, done: int) -> None:
        random = np.random.default_rng(0)
        self.layers = layers
        self.done = done
        self.dataset: dict[str, Any] = {"name": "mnist"}
        self.calls: Counter[str] = Counter()
        sizes = np.array([np.prod(shape) for shape in layers.values()])
        self.layer = np.sort(random.choice(len(layers), faults, p=sizes / sizes.sum()))
        self.weight_index = np.array([random.integers(sizes[layer]) for layer in self.layer])
        self.bit = random.integers(0, 32, faults)
        self.golden = random.normal(0, 0.05, faults).astype(np.float32)
        self.faulty = FLOAT32.faulty_values(self.golden, self.bit.astype(np.uint8), np.full(faults, -1, np.int8))
        chance = np.where(self.bit == 30, 0.4, np.where(self.bit > 22, 0.004, np.where(self.bit > 17, 0.0004, 0)))
        critical = random.random((faults, images)) < chance[:, None]
        non_critical = random.random((faults, images)) < self.bit[:, None] / 60
        self.severity = np.where(critical, 2, non_critical).astype(np.int8)
        self.prediction = random.integers(0, CLASSES, (faults, images))
        self.nonfinite = (self.bit == 30)[:, None] & (random.random((faults, images)) < 0.1)
        self.image_id = random.choice(10_000, images, replace=False)
        self.label = random.integers(0, CLASSES, images)
        self.golden_class = np.where(random.random(images) < 0.9, self.label, (self.label + 1) % CLASSES)

    @cached_property
    def names(self) -> np.ndarray:
        return np.array(list(self.layers), dtype=object)

    @property
    def stored(self) -> np.ndarray:
        """The severities of the images run so far."""
        return self.severity[:, : self.done]

    def description(self, campaign: int) -> dict[str, Any]:
        return {"id": campaign, "config": {"dataset": self.dataset}}

    def rates(self, _campaign: int, effect: Effect = CRITICAL) -> FaultRates:
        self.calls["rates"] += 1
        grids: dict[str, Any] = {
            name: np.zeros((len(self.layers), 32), np.int64)
            for name in ("faults", "critical_faults", "critical", "screened", "having")
        }
        place = self.layer, self.bit
        np.add.at(grids["faults"], place, 1)
        np.add.at(grids["critical_faults"], place, (self.stored == 2).any(axis=1))
        np.add.at(grids["critical"], place, (self.stored == 2).sum(axis=1))
        np.add.at(grids["having"], place, self.have(effect))
        np.add.at(grids["screened"], place, (self.stored == 3).sum(axis=1))
        sizes = np.array([np.prod(shape) for shape in self.layers.values()])
        return FaultRates(
            layers=tuple(self.layers),
            population=np.repeat(sizes[:, None], 32, axis=1),
            run=grids["faults"] * bool(self.done),
            pairs=grids["faults"] * self.done,
            confidence=Confidence(0.99),
            effect=effect,
            **grids,
        )

    def faults(self, _campaign: int, group: FaultGroup, order: FaultOrder) -> FaultRows:
        self.calls["faults"] += 1
        counts = {severity: (self.stored == severity).sum(axis=1) for severity in range(5)}
        first = np.where(counts[2] > 0, (self.stored == 2).argmax(axis=1) if self.done else -1, -1)
        ids = np.arange(len(self.layer))
        chosen = np.ones(len(ids), bool)
        rank = None if group.image_id is None else int(np.flatnonzero(self.image_id == group.image_id)[0])
        if rank is not None:
            chosen &= self.is_critical[:, rank]
        for condition in group.having:
            chosen &= condition.holds(self.values(condition.field.name))
        if group.layer is not None:
            chosen &= self.names[self.layer] == group.layer
        if group.bit is not None:
            chosen &= self.bit == group.bit
        if group.fault_id is not None:
            chosen &= ids == group.fault_id
        keys = {
            "critical": -counts[2],
            "cost": -self.effects.cost,
            "first_critical": np.where(first < 0, 10**9, first),
            "fault_id": ids,
            "prediction": self.prediction[:, rank or 0],
        }
        rows = ids[chosen][np.argsort(keys[order][chosen], kind="stable")]
        shapes = list(self.layers.values())
        places = [np.unravel_index(self.weight_index[row], shapes[self.layer[row]]) for row in rows]
        return FaultRows(
            total=len(rows),
            images=self.severity.shape[1],
            golden_right=int((self.label == self.golden_class).sum()),
            cost=self.effects.cost[rows].astype(np.int64),
            fault_id=rows,
            layer=self.names[self.layer[rows]],
            tensor_index=np.array([f"({', '.join(map(str, place))})" for place in places], dtype=object),
            bit=self.bit[rows],
            model=np.array(["bit_flip"] * len(rows), dtype=object),
            golden_value=self.golden[rows],
            faulty_value=self.faulty[rows],
            masked=counts[0][rows],
            non_critical=counts[1][rows],
            critical=counts[2][rows],
            screened=counts[3][rows],
            dropped=counts[4][rows],
            first_critical=first[rows],
            flips=None if rank is None else self.flips(rows, rank),
        )

    def flips(self, rows: np.ndarray, rank: int) -> Flips:
        columns = self.prediction[rows, rank].astype(np.int64), self.nonfinite[rows, rank]
        return Flips(rows, *columns, label=int(self.label[rank]), golden_class=int(self.golden_class[rank]))

    def values(self, name: str) -> np.ndarray:
        return {
            "layer": self.names[self.layer],
            "bit": self.bit,
            "critical": self.is_critical.sum(axis=1),
            "cost": 100 * self.effects.cost / len(self.label),
            "lost": self.effects.is_right_lost,
            "nonfinite": (self.is_critical & self.nonfinite).any(axis=1),
        }[name]

    def have(self, effect: Effect) -> np.ndarray:
        if effect == MASKED:
            return (self.stored == 0).all(axis=1) & (self.done > 0)
        return self.values("nonfinite") if effect == NONFINITE else self.effects.have(effect)

    @property
    def is_critical(self) -> np.ndarray:
        """[F, W], so far."""
        is_critical = self.severity == 2
        is_critical[:, self.done :] = False
        return is_critical

    def confusion(self, campaign: int, group: FaultGroup) -> Confusion:
        rows = self.faults(campaign, group, "fault_id").fault_id
        pairs, nonfinite = np.zeros((CLASSES, CLASSES), np.int64), np.zeros(CLASSES, np.int64)
        for row, rank in zip(*np.nonzero(self.is_critical[rows]), strict=True):
            golden = self.golden_class[rank]
            if self.nonfinite[rows[row], rank]:
                nonfinite[golden] += 1
            else:
                pairs[golden, self.prediction[rows[row], rank]] += 1
        return Confusion(pairs, nonfinite)

    @property
    def effects(self) -> FaultEffects:
        """What the images run so far tell; one whose answer is not finite is never right."""
        is_right = self.label == self.golden_class
        is_critical = self.is_critical
        corrected = is_critical & ~is_right & (self.prediction == self.label) & ~self.nonfinite
        lost = is_critical & is_right
        return FaultEffects(
            critical=is_critical.sum(axis=1),
            cost=lost.sum(axis=1) - corrected.sum(axis=1),
            is_right_lost=lost.any(axis=1),
            images=len(self.label),
        )

    def critical_images(self, _campaign: int, fault_id: int) -> CriticalImages:
        rank = np.flatnonzero(self.stored[fault_id] == 2)
        return CriticalImages(
            rank=rank,
            image_id=self.image_id[rank],
            label=self.label[rank],
            golden_class=self.golden_class[rank],
            prediction=self.prediction[fault_id, rank],
            nonfinite=self.nonfinite[fault_id, rank],
        )

    def images(self, _campaign: int, order: ImageOrder, having: tuple[Condition, ...] = ()) -> ImageRows:
        self.calls["images"] += 1
        ranks = np.arange(len(self.image_id))
        counts = {severity: np.zeros(len(ranks), np.int64) for severity in range(5)}
        for severity, count in counts.items():
            count[: self.done] = (self.stored == severity).sum(axis=0)
        rows = ranks if order == "rank" else np.argsort(-counts[2], kind="stable")
        is_wrong = self.label != self.golden_class
        is_corrected = self.is_critical & (self.prediction == self.label) & ~self.nonfinite & is_wrong
        corrected = is_corrected.sum(axis=0)
        for condition in having:
            is_class = {
                "class": (self.label, self.golden_class),
                "label": (self.label,),
                "golden": (self.golden_class,),
            }
            flags = {"wrong": is_wrong, "right": ~is_wrong, "critical": counts[2], "corrected": corrected}
            columns = is_class.get(condition.field.name) or (flags[condition.field.name],)
            rows = rows[np.any([condition.holds(column) for column in columns], axis=0)[rows]]
        return ImageRows(
            image_id=self.image_id[rows],
            rank=ranks[rows],
            label=self.label[rows],
            golden_class=self.golden_class[rows],
            corrected=corrected[rows],
            metrics={"el2n": (1.4 * np.exp(-ranks / 50))[rows], "deepgini": (0.8 * np.exp(-ranks / 40))[rows]},
            masked=counts[0][rows],
            non_critical=counts[1][rows],
            critical=counts[2][rows],
            screened=counts[3][rows],
            dropped=counts[4][rows],
        )

    def mistakes(self, _campaign: int, image_id: int) -> Mistakes:
        self.calls["mistakes"] += 1
        rank = int(np.flatnonzero(self.image_id == image_id)[0])
        rows = np.flatnonzero(self.severity[:, rank] == 2) if rank < self.done else np.array([], int)
        counted = sorted(Counter(self.prediction[rows, rank].tolist()).items(), key=lambda item: (-item[1], item[0]))
        return Mistakes(
            prediction=np.array([number for number, _ in counted], np.int64),
            faults=np.array([count for _, count in counted], np.int64),
            nonfinite=np.array(
                [self.nonfinite[rows, rank][self.prediction[rows, rank] == n].sum() for n, _ in counted]
            ),
        )


class ResultSource(FakeSource):
    """A store in memory whose campaign has results."""

    def __init__(self, results: MemoryResults, campaigns: Sequence[CampaignStatus], done: int = 40) -> None:
        super().__init__(campaigns, {status.id: make_curve(done) for status in campaigns})
        self.results = results

    def description(self, campaign: int) -> dict[str, Any]:
        return self.results.description(campaign)

    def rates(self, campaign: int, effect: Effect = CRITICAL) -> FaultRates:
        return self.results.rates(campaign, effect)

    def faults(self, campaign: int, group: FaultGroup, order: FaultOrder) -> FaultRows:
        return self.results.faults(campaign, group, order)

    def critical_images(self, campaign: int, fault_id: int) -> CriticalImages:
        return self.results.critical_images(campaign, fault_id)

    def confusion(self, campaign: int, group: FaultGroup) -> Confusion:
        return self.results.confusion(campaign, group)

    def images(self, campaign: int, order: ImageOrder, having: tuple[Condition, ...] = ()) -> ImageRows:
        return self.results.images(campaign, order, having)

    def mistakes(self, campaign: int, image_id: int) -> Mistakes:
        return self.results.mistakes(campaign, image_id)


def make_source(state: str = "finished", layers: dict[str, tuple[int, ...]] = LENET, done: int = 40) -> ResultSource:
    """A store with campaign 7 in a state, of which `done` of 40 images are stored."""
    results = MemoryResults(layers, 2000, 40, done)
    return ResultSource(results, [status_of(results, state)], done)


def status_of(results: MemoryResults, state: str) -> CampaignStatus:
    """Campaign 7 as it is when so much of it is stored."""
    faults, images = results.severity.shape
    masked, non_critical, critical = (int((results.stored == severity).sum()) for severity in range(3))
    return make_status(
        7,
        state=state,
        faults=faults,
        images=images,
        pairs=faults * images,
        pairs_done=faults * results.done,
        masked=masked,
        non_critical=non_critical,
        critical=critical,
        started="2026-01-02T03:04:06Z",
        finished="2026-01-02T03:13:18Z" if state == "finished" else None,
    )
