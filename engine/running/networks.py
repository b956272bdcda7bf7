"""Networks with their data sets, loaded and run on every image once: shared by the campaigns of a process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch

from engine.datasets.download import default_folder
from engine.models.build import ARCHITECTURES
from engine.running.memory_budget import host_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from engine.config.campaign_config import CampaignConfig
    from engine.datasets import Dataset
    from engine.injection.check.self_check import CheckResult
    from engine.injection.injection import Injection
    from engine.injection.numerics import Numerics
    from engine.models import LoadedModel

_KEPT_SHARE = 8
"""of the machine's memory that a campaign may take, what networks that wait for their next campaign may take while
another one is loaded: one part in so many"""

_MOST_FILES = 20_000
"""of a folder, which are looked at; where there are more, nobody knows whether they have changed"""


@dataclass(frozen=True, eq=False)
class PreparedNetwork:
    """What campaigns of one network, one data set and one way of computing share. N images.

    The weights are held three times: in the network itself, in its trace, where operations that write in place write
    elsewhere, and in the untouched copy, which judges the other two and is needed whenever a campaign goes on.
    """

    dataset: Dataset
    loaded: LoadedModel
    """the network is on its device"""
    plain: nn.Module
    """an untouched copy of the network, which judges the injection"""
    injection: Injection
    numerics: Numerics
    logits: NDArray[np.float32]
    """[N, classes] of the fault-free network"""

    @property
    def bytes(self) -> int:
        """The memory that it takes: images that are kept, three times the weights, and logits."""
        weights: int = sum(tensor.nbytes for tensor in self.plain.parameters())
        return self.dataset.kept_bytes + 3 * weights + self.logits.nbytes

    def state(self) -> Hashable:
        """What a campaign may change: how the faults of each layer are run, and in how much memory."""
        return self.injection.memory, *map(self.injection.method_of, range(len(self.injection.names)))


class Networks:
    """Gives a campaign the network of an earlier one of this process, where both need the very same.

    It is the same where the config says the same of it and no file was written since. A self-check that found a layer
    wrong ends its use, and so does memory that ran out: the next campaign begins with what it asks for.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[PreparedNetwork, Hashable]] = {}
        self._checked: WeakKeyDictionary[Injection, CheckResult] = WeakKeyDictionary()

    def get(
        self,
        config: CampaignConfig,
        threads: int | None,
        load: Callable[[], PreparedNetwork],
        serves: Callable[[PreparedNetwork], bool],
    ) -> PreparedNetwork:
        """The network that a config needs, loaded where none is at hand.

        Args:
            config: names the network, its images, and how it is computed.
            threads: of the CPU; None: as many as torch uses now.
            load: loads it.
            serves: whether one that is at hand is run by the right method.

        Raises:
            Exception: whatever `load` raises.
        """
        key = _key(config, threads)
        known, state = self._kept.pop(key, (None, None))
        if known is None or known.state() != state or not serves(known):
            known = None  # so that it is gone before the next one is loaded
            self._make_room(host_memory(config.run) // _KEPT_SHARE)
            known = load()
        if key is not None:
            self._kept[key] = known, known.state()
        return known

    def checked(self, injection: Injection, check: Callable[[], CheckResult]) -> CheckResult:
        """What a self-check of an injection found, made once for all the campaigns that it serves.

        Args:
            injection: of a network that was got here.
            check: makes it.

        Raises:
            Exception: whatever `check` raises.
        """
        if injection not in self._checked:
            self._checked[injection] = check()
        return self._checked[injection]

    def _make_room(self, most_bytes: int) -> None:
        """Forget those that were used the longest ago."""
        while sum(network.bytes for network, _ in self._kept.values()) > most_bytes:
            del self._kept[next(iter(self._kept))]


def _key(config: CampaignConfig, threads: int | None) -> Hashable | None:
    """All that a loaded network depends on; None where nobody knows."""
    model, dataset, run = config.model, config.dataset, config.run
    is_ours = model.arch in ARCHITECTURES or model.arch.startswith("torchvision:")
    code = () if is_ours else _files(model.path)
    images = _files(dataset.path or (None if dataset.name == "mnist" else default_folder()))
    weights = _files(model.weights)
    if code is None or images is None or weights is None or not (is_ours or model.path):
        return None
    computed = run.method, run.thetas, run.device, run.tf32, run.memory, threads or torch.get_num_threads()
    return model.model_dump_json(), dataset.model_dump_json(), computed, code, images, weights


def _files(path: Path | None) -> Hashable | None:
    """What changes when a file is written, of all there are at a path; None where they are too many or not readable."""
    if path is None:
        return ()
    try:
        found = tuple(islice(_stamps(path), _MOST_FILES + 1))
    except OSError:
        return None
    return found if len(found) <= _MOST_FILES else None


def _stamps(path: Path) -> Iterator[tuple[str, int, int, int, int]]:
    for file in _below(path) if path.is_dir() else [path]:
        known = file.stat()
        yield str(file), known.st_ino, known.st_size, known.st_mtime_ns, known.st_ctime_ns


def _below(folder: Path) -> Iterator[Path]:
    """All files of a folder but those that Python writes when it imports others."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        yield from (Path(place, name) for name in sorted(files))
