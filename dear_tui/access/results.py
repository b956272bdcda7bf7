"""What the faults and images screens ask of a store, a question at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, TypeVarTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from engine.datasets.pictures import Pictures
    from engine.faults.group import FaultGroup
    from engine.formats.weight_format import WeightFormat
    from engine.store.read.fault_results import CriticalImages, FaultOrder, FaultRates, FaultRows
    from engine.store.read.image_results import ImageOrder, ImageRows, Mistakes

Answer = TypeVar("Answer")
Arguments = TypeVarTuple("Arguments")


class Results(Protocol):
    """The part of `engine.store.read.results.Results` that the screens read; a call may block or raise."""

    def description(self, campaign: int) -> Mapping[str, Any]:
        """All that is fixed of a campaign."""

    def rates(self, campaign: int) -> FaultRates:
        """Faults and pairs by layer and bit."""

    def faults(self, campaign: int, group: FaultGroup, order: FaultOrder) -> FaultRows:
        """The faults of a group."""

    def critical_images(self, campaign: int, fault_id: int) -> CriticalImages:
        """The images that a fault is critical for."""

    def images(self, campaign: int, order: ImageOrder) -> ImageRows:
        """The images of a campaign's workload."""

    def mistakes(self, campaign: int, image_id: int) -> Mistakes:
        """What an image is taken for."""


class ResultSource(Protocol):
    """The part of `engine.store.Store` that leads to them."""

    @property
    def results(self) -> Results:
        """What the campaigns found."""

    def close(self) -> None:
        """Let go of the store's files."""


@dataclass(frozen=True)
class Question(Generic[Answer]):
    """A function of the results and its arguments; equal questions have equal answers until the campaign goes on."""

    function: Callable[..., Answer]
    arguments: tuple[Hashable, ...]

    def ask(self, results: Results) -> Answer:
        """The answer; call it in a thread."""
        return self.function(results, *self.arguments)


def question(function: Callable[[Results, *Arguments], Answer], *arguments: *Arguments) -> Question[Answer]:
    """One of the functions below with its arguments: a `functools.partial` that is equal to another of its kind."""
    return Question(function, cast("tuple[Hashable, ...]", arguments))


@dataclass(frozen=True, eq=False)
class OneFault:
    """A fault, the images it is critical for, what their classes are called, and the format of its weight."""

    fault: FaultRows
    images: CriticalImages
    class_names: tuple[str, ...]
    format: WeightFormat


def rates(results: Results, campaign: int) -> FaultRates:
    """How critical each layer and bit is."""
    return results.rates(campaign)


def faults(results: Results, campaign: int, group: FaultGroup, order: FaultOrder) -> FaultRows:
    """The faults of a group."""
    return results.faults(campaign, group, order)


def one_fault(results: Results, campaign: int, group: FaultGroup) -> OneFault:
    """What the only fault of a group does."""
    from engine.datasets.pictures import class_names_of
    from engine.store.read.fault_results import stored_format

    description = results.description(campaign)
    rows = results.faults(campaign, group, "fault_id")
    critical = results.critical_images(campaign, group.fault_id or 0)
    return OneFault(rows, critical, class_names_of(description), stored_format(description))


def images(results: Results, campaign: int, order: ImageOrder) -> ImageRows:
    """The images that a campaign runs, and how many faults each of them shows."""
    return results.images(campaign, order)


def mistakes(results: Results, campaign: int, image_id: int) -> Mistakes:
    """What an image is taken for."""
    return results.mistakes(campaign, image_id)


def pictures(results: Results, campaign: int) -> Pictures:
    """What the images look like."""
    from engine.datasets.pictures import load_pictures

    return load_pictures(results.description(campaign))
