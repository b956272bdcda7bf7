"""How large a campaign is, counted without running anything and without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.config.campaign_config import screens
from engine.faults.draw import count_drawn
from engine.metrics.selection import known_size

if TYPE_CHECKING:
    from engine.config.campaign_config import CampaignConfig
    from engine.faults.population import Layer

DISK_BYTES_PER_PAIR = 0.647
"""measured on full campaigns: Parquet parts and the sealed file together, without what each fault takes"""

DISK_BYTES_PER_PAIR_SCREENED = 0.15
"""of a method that leaves pairs out, of all pairs: a few in a hundred are run, and have a row"""

DISK_BYTES_PER_FAULT = 30
"""measured on every fault of ResNet-20: the list in both files, and the counts of each fault"""

MEMORY_BYTES_PER_FAULT = 125
"""measured on every fault of ResNet-20: the list, its values and order, and what a running campaign knows of each"""


@dataclass(frozen=True)
class Material:
    """What a network and a data set offer to choose from."""

    layers: tuple[Layer, ...]
    """that faults can be injected into"""
    images: int
    injected: str = ""
    """which parameters of the network those are, in words; empty where only norm layers and biases are left out"""


@dataclass(frozen=True)
class Size:
    """The counts of a campaign; None where they depend on what the network says of the images."""

    faults: int
    population: int
    images: int | None
    pairs: int | None
    disk_bytes: int | None
    injected: str = ""
    """which parameters of the network faults can be in, see `Material.injected`"""


def disk_bytes(config: CampaignConfig, faults: int, images: int) -> int:
    """What a finished campaign takes on the disk."""
    per_pair = DISK_BYTES_PER_PAIR_SCREENED if screens(config.run.method) else DISK_BYTES_PER_PAIR
    return round((per_pair * images + DISK_BYTES_PER_FAULT) * faults)


def count(config: CampaignConfig, material: Material, images: int | None = None) -> Size:
    """Count the faults and the images; nothing is drawn.

    Args:
        config: of a campaign on this material.
        material: of the config's network and data set.
        images: the size of the workload, where it is known from elsewhere.

    Raises:
        InputError: for faults or images that cannot be had.
    """
    faults, population = count_drawn(config.faults, material.layers)
    images = known_size(config.workload, material.images) if images is None else images
    pairs = None if images is None else faults * images
    disk = None if images is None else disk_bytes(config, faults, images)
    return Size(faults, population, images, pairs, disk, material.injected)
