"""What the faults and images screens ask of a store, a question at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.datasets.pictures import Pictures
    from engine.faults.group import FaultGroup
    from engine.formats.weight_format import WeightFormat
    from engine.store.read.fault_results import CriticalImages, FaultOrder, FaultRates, FaultRows
    from engine.store.read.image_results import ImageOrder, ImageRows, Mistakes


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


class Question(Protocol):
    """A frozen data class: equal questions have the same answer until the campaign goes on."""

    def ask(self, results: Results) -> object:
        """The answer; called in a thread."""


@dataclass(frozen=True)
class AskRates:
    """How critical is each layer and bit?"""

    campaign: int

    def ask(self, results: Results) -> FaultRates:
        return results.rates(self.campaign)


@dataclass(frozen=True)
class AskFaults:
    """Which faults are these?"""

    campaign: int
    group: FaultGroup
    order: FaultOrder

    def ask(self, results: Results) -> FaultRows:
        return results.faults(self.campaign, self.group, self.order)


@dataclass(frozen=True, eq=False)
class OneFault:
    """A fault, the images it is critical for, what their classes are called, and the format of its weight."""

    fault: FaultRows
    images: CriticalImages
    class_names: tuple[str, ...]
    format: WeightFormat


@dataclass(frozen=True)
class AskFault:
    """What does this fault do?"""

    campaign: int
    group: FaultGroup
    """of this fault alone"""

    def ask(self, results: Results) -> OneFault:
        from engine.datasets.pictures import class_names_of
        from engine.store.read.fault_results import stored_format

        description = results.description(self.campaign)
        rows = results.faults(self.campaign, self.group, "fault_id")
        images = results.critical_images(self.campaign, self.group.fault_id or 0)
        return OneFault(rows, images, class_names_of(description), stored_format(description))


@dataclass(frozen=True)
class AskImages:
    """Which images does the campaign run, and how many faults does each show?"""

    campaign: int
    order: ImageOrder

    def ask(self, results: Results) -> ImageRows:
        return results.images(self.campaign, self.order)


@dataclass(frozen=True)
class AskMistakes:
    """What is this image taken for?"""

    campaign: int
    image_id: int

    def ask(self, results: Results) -> Mistakes:
        return results.mistakes(self.campaign, self.image_id)


@dataclass(frozen=True)
class AskPictures:
    """What do the images look like?"""

    campaign: int

    def ask(self, results: Results) -> Pictures:
        from engine.datasets.pictures import load_pictures

        return load_pictures(results.description(self.campaign))
