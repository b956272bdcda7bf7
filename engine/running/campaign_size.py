"""How large a campaign is, counted without running anything and without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.faults.draw import draw_faults
from engine.metrics.selection import known_size

if TYPE_CHECKING:
    from engine.config.campaign_config import CampaignConfig
    from engine.faults.population import Layer

DISK_BYTES_PER_PAIR = 0.65
"""measured on full campaigns: Parquet parts and the sealed file together"""


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
    """as `Material.injected`"""


def count(config: CampaignConfig, material: Material, images: int | None = None) -> Size:
    """Draw the faults and count the images.

    Args:
        config: of a campaign on this material.
        material: of the config's network and data set.
        images: the size of the workload, where it is known from elsewhere.

    Raises:
        InputError: for faults or images that cannot be had.
    """
    faults = draw_faults(config.faults, material.layers)
    images = known_size(config.workload, material.images) if images is None else images
    pairs = None if images is None else len(faults) * images
    disk_bytes = None if pairs is None else round(DISK_BYTES_PER_PAIR * pairs)
    return Size(len(faults), faults.population, images, pairs, disk_bytes, material.injected)
