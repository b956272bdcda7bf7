"""What the paper itself found, to stand beside a campaign of the same setting, marked as the paper's.

Bellarmino, Bosio, Cantoro, Ruospo, Sanchez: DEAR-CNN, DDECS 2025, DOI 10.1109/DDECS63720.2025.11006797, Tables I, III
and IV. Its weights are not public: the networks have the same shape, not the same weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.store import CampaignStatus

PAPER = "the paper's"
FAULTS, IMAGES = 16_640, 10_000
"""of each of its campaigns, the first one about"""
ALL_DAYS = 1.93
"""for all images at 1 ms each"""


@dataclass(frozen=True)
class Published:
    """A network's rows of Tables I and IV; percent, and counts of faults."""

    clean_accuracy: float
    faulty_accuracy: float
    not_critical: float
    critical: float
    critical_faults: int
    central: tuple[float, int]
    """percent of the images, faults detected"""
    random: int
    """faults that as many random images detect"""
    pre_plateau: tuple[float, int]


PUBLISHED = {
    ("resnet18", "cifar10"): Published(93.52, 91.24, 97.52, 2.46, 826, (2.11, 822), 496, (14.47, 826)),
    ("resnet9", "cifar10"): Published(92.17, 89.64, 97.97, 2.77, 1508, (2.20, 1338), 672, (16.27, 1508)),
    ("lenet5", "cifar10"): Published(79.36, 79.07, 99.64, 0.34, 1158, (25.32, 1151), 742, (79.45, 1158)),
    ("vgg11", "cifar10"): Published(90.10, 88.15, 97.82, 2.18, 819, (1.77, 795), 518, (16.41, 819)),
    ("vgg16", "cifar10"): Published(91.61, 89.53, 97.71, 2.29, 894, (1.23, 891), 510, (13.33, 894)),
    ("mobilenetv2", "cifar10"): Published(91.72, 89.47, 97.51, 2.49, 1614, (14.21, 1122), 907, (53.39, 1614)),
    ("resnet18", "mnist"): Published(99.63, 97.08, 97.45, 2.55, 581, (0.29, 581), 483, (3.64, 581)),
    ("resnet9", "mnist"): Published(99.65, 96.87, 97.22, 2.78, 527, (0.36, 527), 518, (3.11, 527)),
    ("lenet5", "mnist"): Published(99.25, 99.09, 99.85, 0.15, 484, (0.84, 346), 297, (9.01, 436)),
    ("vgg11", "mnist"): Published(99.68, 97.36, 97.67, 2.33, 661, (0.22, 659), 511, (3.61, 661)),
    ("vgg16", "mnist"): Published(99.58, 97.22, 97.64, 2.36, 555, (0.27, 551), 515, (3.28, 555)),
}
"""(network, images) -> what was found; the row of LeNet on CIFAR-10 and those of Table I as printed."""

SEEDS = ((1, 785, 784, 507), (2, 798, 797, 472), (3, 820, 814, 496), (4, 820, 815, 499))
"""Table III, ResNet-18 on CIFAR-10 with 211 images: seed, critical faults, found by EL2N, found at random; of the fifth
seed no row is printed."""


def published(status: CampaignStatus, config: Mapping[str, Any]) -> Published | None:
    """The paper's rows for the same network and images, and about as many faults, drawn alike; None otherwise.

    Args:
        status: of a campaign.
        config: of the campaign, as the store keeps it.
    """
    faults, model = config.get("faults", {}), config.get("model", {})
    is_same = (
        (status.state, status.images, status.dropped) == ("finished", IMAGES, 0)
        and abs(status.faults - FAULTS) <= FAULTS // 50
        and faults.get("model", "bit_flip") == "bit_flip"
        and faults.get("sampling", "network") in ("network", "proportional")
        and not faults.get("layers")
        and faults.get("bits") is None
        and model.get("width", 1.0) == 1.0
    )
    return PUBLISHED.get((status.network, status.dataset)) if is_same else None
