"""Golden logits on disk: used where they are the same, never believed where they are not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.metrics import kept_logits as module
from engine.metrics.kept_logits import kept_logits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

LOGITS = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)


class Network:
    """Gives some logits in parts of four images, and counts the parts that were asked for."""

    def __init__(self, logits: NDArray[np.float32] = LOGITS) -> None:
        self.logits, self.asked = logits, 0

    def parts(self) -> Iterator[NDArray[np.float32]]:
        for start in range(0, len(self.logits), 4):
            self.asked += 1
            yield self.logits[start : start + 4]


@pytest.fixture(autouse=True)
def all_is_worth_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_SECONDS", 0.0)


def ask(network: Network, folder: Path, **items: object) -> NDArray[np.float32]:
    return kept_logits(items, network.parts, len(network.logits), folder)


def test_the_second_time_one_part_is_computed(tmp_path: Path) -> None:
    for parts in (3, 1):
        network = Network()
        assert ask(network, tmp_path, weights="a").tobytes() == LOGITS.tobytes()
        assert network.asked == parts


def test_other_items_are_another_file(tmp_path: Path) -> None:
    ask(Network(), tmp_path, weights="a")
    network = Network()
    ask(network, tmp_path, weights="b")
    assert (network.asked, len(list(tmp_path.iterdir()))) == (3, 2)


def test_a_file_that_differs_in_one_bit_of_the_first_part_is_not_believed(tmp_path: Path) -> None:
    ask(Network(), tmp_path)
    other = LOGITS.copy()
    other.view(np.uint32)[3, 2] ^= 1
    assert ask(Network(other), tmp_path).tobytes() == other.tobytes()
    network = Network(other)
    assert (ask(network, tmp_path).tobytes(), network.asked) == (other.tobytes(), 1), "the new ones were kept"


@pytest.mark.parametrize("content", [b"", b"no numpy", np.zeros(3).tobytes()])
def test_a_damaged_file_is_computed_anew(tmp_path: Path, content: bytes) -> None:
    ask(Network(), tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert ask(Network(), tmp_path).tobytes() == LOGITS.tobytes()
    assert len(file.read_bytes()) > LOGITS.nbytes


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for _ in range(2):
        network = Network()
        assert ask(network, tmp_path / "file" / "golden").tobytes() == LOGITS.tobytes()
        assert network.asked == 3


def test_quick_ones_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTH_SECONDS", 1000.0)
    ask(Network(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_was_used_the_longest_ago_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate("abc"):
        ask(Network(), tmp_path, weights=name)
        for file in tmp_path.iterdir():
            if file.stat().st_mtime > 1000:
                os.utime(file, (number, number))
    size = next(tmp_path.iterdir()).stat().st_size
    monkeypatch.setattr(module, "MOST_BYTES", 3 * size)
    ask(Network(), tmp_path, weights="a")  # the oldest, used again
    ask(Network(), tmp_path, weights="d")
    assert len(list(tmp_path.iterdir())) == 3
    for name, parts in (("a", 1), ("b", 3)):
        network = Network()
        ask(network, tmp_path, weights=name)
        assert network.asked == parts, name
