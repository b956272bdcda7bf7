"""What the faults and images screens ask of a store, a question at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, TypeVarTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from engine.analysis.accuracy_cost import Effect
    from engine.conditions import Condition
    from engine.datasets.pictures import Pictures
    from engine.faults.group import FaultGroup
    from engine.formats.weight_format import WeightFormat
    from engine.store.read.confusion import Confusion
    from engine.store.read.fault_results import CriticalImages, FaultOrder, FaultRates, FaultRows
    from engine.store.read.image_results import ImageOrder, ImageRows, Mistakes
    from engine.store.read.reading import StoreReader

Answer = TypeVar("Answer")
Arguments = TypeVarTuple("Arguments")


@dataclass(frozen=True)
class Question(Generic[Answer]):
    """A function of the store and its arguments; equal questions have equal answers until the campaign goes on."""

    function: Callable[..., Answer]
    arguments: tuple[Hashable, ...]

    def ask(self, store: StoreReader) -> Answer:
        """The answer; call it in a thread."""
        return self.function(store, *self.arguments)


def question(function: Callable[[StoreReader, *Arguments], Answer], *arguments: *Arguments) -> Question[Answer]:
    """One of the functions below with its arguments: a `functools.partial` that is equal to another of its kind."""
    return Question(function, cast("tuple[Hashable, ...]", arguments))


@dataclass(frozen=True, eq=False)
class ListedFaults:
    """The faults of a group, and what the classes of images are called."""

    faults: FaultRows
    class_names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ShownConfusion:
    """What a group of faults takes images for, and what their classes are called."""

    confusion: Confusion
    class_names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class OneFault:
    """A fault, the images it is critical for, what their classes are called, and the format of its weight."""

    fault: FaultRows
    images: CriticalImages
    class_names: tuple[str, ...]
    format: WeightFormat


def rates(store: StoreReader, campaign: int, effect: Effect) -> FaultRates:
    """How critical each layer and bit is, and how many of its faults have an effect."""
    return store.rates(campaign, effect)


def faults(store: StoreReader, campaign: int, group: FaultGroup, order: FaultOrder) -> ListedFaults:
    """The faults of a group."""
    return ListedFaults(store.faults(campaign, group, order), _class_names(store, campaign))


def confusion(store: StoreReader, campaign: int, group: FaultGroup) -> ShownConfusion:
    """Golden classes against faulty ones, over the critical pairs of a group."""
    return ShownConfusion(store.confusion(campaign, group), _class_names(store, campaign))


def one_fault(store: StoreReader, campaign: int, group: FaultGroup) -> OneFault:
    """What the only fault of a group does."""
    from engine.store.read.fault_results import stored_format

    description = store.description(campaign)
    rows = store.faults(campaign, group, "fault_id")
    critical = store.critical_images(campaign, group.fault_id or 0)
    return OneFault(rows, critical, _class_names(store, campaign), stored_format(description))


def images(store: StoreReader, campaign: int, order: ImageOrder, having: tuple[Condition, ...]) -> ImageRows:
    """The images that a campaign runs, or those that meet conditions, and how many faults each of them shows."""
    return store.images(campaign, order, having)


def _class_names(store: StoreReader, campaign: int) -> tuple[str, ...]:
    from engine.datasets.pictures import class_names_of

    return class_names_of(store.description(campaign))


def mistakes(store: StoreReader, campaign: int, image_id: int) -> Mistakes:
    """What an image is taken for."""
    return store.mistakes(campaign, image_id)


def pictures(store: StoreReader, campaign: int) -> Pictures:
    """What the images look like."""
    from engine.datasets.pictures import load_pictures

    return load_pictures(store.description(campaign))
