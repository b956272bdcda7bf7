"""Memory that runs out: batches are halved, and the campaign gives what it gives where there is enough."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from engine.config.campaign_config import load_config
from engine.errors import InputError
from engine.injection.injection import Injection
from engine.injection.network.weight_reads import untouched_copy
from engine.injection.outcomes import Audit, Outcomes
from engine.running.benchmark import benchmark
from engine.running.blocks.image_slices import join
from engine.running.estimate import estimate
from engine.running.execution import execute
from engine.running.networks import Networks
from engine.running.preparation import prepare
from engine.running.proof import prove
from engine.store import Store
from tests.engine.running.test_campaign import Recorder, after, results, run
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    from engine.running.preparation import PreparedCampaign
    from engine.running.progress import Progress

pytestmark = pytest.mark.usefixtures("one_thread")

MEMORY = "8MB"
BRANCHING = """
import torch
from torch import nn


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 4, 5, stride=3), nn.Linear(4 * 64, 10)

    def forward(self, images):
        x = self.conv(images)
        return self.head(x.flatten(1)) if x.max() > -1e9 else x.flatten(1)[:, :10]


def branching():
    return Branching()
"""


class SmallDevice:
    """Convolves batches of so many images at most, and has no memory for larger ones."""

    def __init__(self, error: Callable[[], Exception]) -> None:
        self.rows = 10**9
        self.refused: list[int] = []
        self._error = error
        self._convolve = torch.nn.functional.conv2d

    def convolve(self, images: Tensor, *options: Any, **named: Any) -> Tensor:
        """As torch does."""
        if len(images) > self.rows:
            self.refused.append(len(images))
            raise self._error()
        return self._convolve(images, *options, **named)


ERRORS = {
    "gpu": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "cpu": lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
    "numpy": lambda: np._core._exceptions._ArrayMemoryError((2**40,), np.dtype(np.uint8)),  # type: ignore[attr-defined]
    "library": lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
}


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> SmallDevice:
    """One with room for everything, until its `rows` are set."""
    small = SmallDevice(ERRORS[getattr(request, "param", "gpu")])
    monkeypatch.setattr("torch.nn.functional.conv2d", small.convolve)
    return small


class Taker(Recorder):
    """Takes the memory away when so many pairs are done."""

    def __init__(self, device: SmallDevice, pairs: int, rows: int) -> None:
        super().__init__()
        self._device, self._pairs, self._rows = device, pairs, rows

    def on_progress(self, progress: Progress) -> None:
        """As the other program would, at any time."""
        super().on_progress(progress)
        if progress.pairs_done >= self._pairs:
            self._device.rows = self._rows


def config_of(folder: Path, method: str, **run_keys: Any) -> Path:
    """The small campaign, by a method; "branching" is one without a graph."""
    keys = {"memory": MEMORY, **run_keys}
    if method != "branching":
        return write_config(folder, run={"method": method, **keys})
    (folder / "branching.py").write_text(BRANCHING)
    torch.manual_seed(0)
    scope: dict[str, Any] = {}
    exec(BRANCHING, scope)
    torch.save(scope["branching"]().state_dict(), folder / "branching.pt")
    model = {"arch": "branching:branching", "path": str(folder), "weights": "branching.pt"}
    return write_config(folder, model=model, run={"method": "exact", **keys})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Callable[[str], Path]:  # noqa: ARG001
    """The store of the small campaign by a method, run where there is memory enough; not to be written to."""
    folder = tmp_path_factory.mktemp("undisturbed")

    @cache
    def store(method: str) -> Path:
        run(config_of(folder, method), folder / method)
        return folder / method

    return store


def halvings(notes: list[str]) -> list[str]:
    return [note for note in notes if note.startswith("memory ran out: batches are halved, to fit in ")]


def check_store(store: Path) -> None:
    """Every file is what its receipt says, and every pair is there once."""
    opened = Store.open(store)
    with opened.lock():
        assert opened.verify(1, lambda _done, _all: None) == []
    assert sum(receipt.span.pairs for receipt in opened.receipts(1)) == opened.campaign(1).pairs


@pytest.mark.parametrize("method", ["exact", "fast", "branching"])
def test_with_too_little_from_the_start_batches_are_halved(
    tmp_path: Path, undisturbed: Callable[[str], Path], device: SmallDevice, method: str
) -> None:
    config, expected = config_of(tmp_path, method), results(undisturbed(method))
    device.rows = 16
    recorder = Recorder()
    prepared = prepare(load_config(config))
    assert prepared.injection.block_rows <= 16 < device.refused[0]
    assert execute(prepared, tmp_path / "store", recorder, lambda: False).state == "finished"
    assert len(halvings(recorder.notes)) >= 1
    assert results(tmp_path / "store") == expected
    check_store(tmp_path / "store")


@pytest.mark.parametrize("device", ERRORS, indirect=True)
def test_whatever_says_that_memory_ran_out(tmp_path: Path, device: SmallDevice) -> None:
    device.rows = 16
    assert prepare(load_config(config_of(tmp_path, "exact"))).injection.block_rows <= 16


@pytest.mark.parametrize("method", ["exact", "fast", "branching"])
def test_in_the_middle_of_a_campaign_it_goes_on_with_smaller_batches(
    tmp_path: Path, undisturbed: Callable[[str], Path], device: SmallDevice, method: str
) -> None:
    """The second block does not fit any more."""
    config, expected = config_of(tmp_path, method), results(undisturbed(method))
    recorder = Taker(device, 60 * 16, rows=16)
    assert run(config, tmp_path / "store", recorder=recorder).state == "finished"
    assert device.refused
    assert len(halvings(recorder.notes)) == 1
    assert recorder.progress[-1].pairs_done == recorder.progress[-1].pairs
    assert results(tmp_path / "store") == expected
    check_store(tmp_path / "store")
    described = Store.open(tmp_path / "store", read_only=True).description(1)["numerics"]
    before = Store.open(undisturbed(method), read_only=True).description(1)["numerics"]
    assert described["memory"] != before["memory"]
    assert (
        halvings(recorder.notes)[0].removeprefix("memory ran out: batches are halved, to fit in ")
        in (described["memory"])
    )


@pytest.mark.parametrize("method", ["exact", "fast", "branching"])
@pytest.mark.parametrize("group", [0, 1, 2, 3])
def test_in_the_middle_of_a_block_only_what_is_missing_is_run_again(
    tmp_path: Path, undisturbed: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, method: str, group: int
) -> None:
    """At the first group of a block, within one, and at the last group of all; images that do not fit in slices."""
    config, expected = config_of(tmp_path, method), results(undisturbed(method))
    genuine, groups = Injection._inject_group, 0

    def limited(self: Injection, *work: Any) -> Outcomes:
        nonlocal groups
        groups += 1
        if groups == group + 1:
            raise ERRORS["gpu"]()
        return genuine(self, *work)

    monkeypatch.setattr(Injection, "_inject_group", limited)
    recorder = Recorder()
    assert run(config, tmp_path / "store", recorder=recorder).state == "finished"
    assert groups > group
    assert len(halvings(recorder.notes)) == 1
    assert [progress.pairs_done for progress in recorder.progress] == sorted(
        progress.pairs_done for progress in recorder.progress
    )
    assert recorder.progress[-1].pairs_done == recorder.progress[-1].pairs
    assert results(tmp_path / "store") == expected
    check_store(tmp_path / "store")


def test_a_layer_that_fell_back_stays_with_its_method(tmp_path: Path, device: SmallDevice) -> None:
    prepared = prepare(load_config(config_of(tmp_path, "fast")))
    assert prepared.injection.fall_back(1)
    device.rows = 16
    prepared.halve_batches(keeps_fall_backs=True)
    assert [prepared.injection.method_of(layer) for layer in (0, 1, 2)] == ["fast", "exact", "fast"]
    device.rows = 8
    prepared.halve_batches()
    assert prepared.injection.method_of(1) == "fast", "a check begins anew"


def test_each_halving_makes_batches_smaller(tmp_path: Path) -> None:
    """Also where the memory was far more than the largest batch takes."""
    injection = (prepared := prepare(load_config(config_of(tmp_path, "exact", memory="20GB")))).injection
    before = injection.block_rows, injection.rows.largest
    prepared.halve_batches()
    assert (injection.block_rows, injection.rows.largest) != before
    assert injection.memory < 10**9


def test_a_group_of_faults_becomes_smaller_too(tmp_path: Path) -> None:
    """Its severities lie on the device."""
    config = load_config(write_config(tmp_path, faults={"count": 100_000}, run={"memory": "3MB"}))
    prepared = prepare(config)
    faults = prepared.faults_in_execution_order()

    def largest_group() -> int:
        block = prepared.injection.load(prepared.images(0, 4))
        return max(len(group.faults) for group in prepared.injection._groups(block, faults))

    before = largest_group()
    prepared.halve_batches()
    assert largest_group() == before // 2
    assert 4 * largest_group() <= prepared.injection.memory / 16


@pytest.mark.parametrize("work", [prove, estimate, benchmark])
def test_every_work_goes_on_with_smaller_batches(
    tmp_path: Path, device: SmallDevice, work: Callable[[PreparedCampaign], object]
) -> None:
    prepared = prepare(load_config(config_of(tmp_path, "fast")))
    assert prepared.injection.block_rows > 16
    device.rows = 16
    work(prepared)
    assert device.refused
    if work is not benchmark:  # its other injections were halved, and all take as many images as the smallest
        assert prepared.injection.block_rows <= 16
        assert halvings(prepared.injection.notes)


def test_where_nothing_fits_any_more_a_sentence_says_so_and_what_was_done_is_kept(
    tmp_path: Path, undisturbed: Callable[[str], Path], device: SmallDevice
) -> None:
    config, expected = config_of(tmp_path, "exact"), results(undisturbed("exact"))
    with pytest.raises(InputError, match=r"\[run\] memory: batches were halved .* MB free now; free some$") as caught:
        run(config, tmp_path / "store", recorder=Taker(device, 60 * 16, rows=0))
    assert len(str(caught.value).splitlines()) == 1
    status = Store.open(tmp_path / "store", read_only=True).campaign(1)
    assert (status.state, status.error) == ("failed", str(caught.value))
    assert status.pairs_done >= 60 * 16
    device.rows = 16
    assert run(config, tmp_path / "store").state == "finished"
    assert results(tmp_path / "store") == expected


def test_a_block_that_was_begun_with_more_memory_keeps_to_the_memory_there_is(
    tmp_path: Path, undisturbed: Callable[[str], Path], device: SmallDevice
) -> None:
    expected = results(undisturbed("exact"))
    assert run(config_of(tmp_path, "exact", memory="8MB"), tmp_path / "store", after(2)).state == "paused"
    path = config_of(tmp_path, "exact", memory="2MB")
    assert prepare(load_config(path)).injection.block_rows == 8
    device.rows = 12  # which the check takes, but no block
    recorder = Recorder()
    assert run(path, tmp_path / "store", recorder=recorder).state == "finished"
    assert halvings(recorder.notes) == []
    assert results(tmp_path / "store") == expected
    check_store(tmp_path / "store")


def test_a_network_whose_batches_were_halved_is_loaded_anew_for_the_next_campaign(
    tmp_path: Path, device: SmallDevice
) -> None:
    networks, config = Networks(), load_config(config_of(tmp_path, "exact"))
    first = prepare(config, networks=networks)
    before = first.injection.memory
    assert prepare(config, networks=networks).injection is first.injection
    device.rows = 16
    first.halve_batches()
    device.rows = 10**9
    assert prepare(config, networks=networks).injection.memory == before


def test_memory_that_runs_out_while_tracing_or_copying_is_not_taken_for_a_network_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, failures = torch.nn.functional.conv2d, iter([ERRORS["gpu"]()])

    def once(*values: Any, **named: Any) -> Tensor:
        for error in failures:
            raise error
        return genuine(*values, **named)

    prepared = prepare(load_config(config_of(tmp_path, "exact")))
    monkeypatch.setattr("torch.nn.functional.conv2d", once)
    with pytest.raises(torch.OutOfMemoryError):
        Injection(prepared.plain, prepared.images(0, 4), 10**7, "exact")
    failures = iter([ERRORS["gpu"]()])
    with pytest.raises(torch.OutOfMemoryError):
        untouched_copy(prepared.plain, prepared.images(0, 4))


def test_outcomes_of_slices_are_those_of_the_whole_block(tmp_path: Path) -> None:
    prepared = prepare(load_config(config_of(tmp_path, "exact", memory="20MB")))
    faults, injection = prepared.faults_in_execution_order(), prepared.injection

    def outcomes(start: int, stop: int) -> list[Outcomes]:
        groups = injection.inject(injection.load(prepared.images(start, stop)), faults)
        return [replace(group, audit=audit_of(group, start)) for group in groups]

    whole, sliced = join([outcomes(0, 40)]), join([outcomes(0, 16), outcomes(16, 19), outcomes(19, 40)])
    assert whole.severity.shape == (60, 40)
    assert len(whole.prediction)
    for field in fields(Outcomes):
        if field.name != "audit":
            one, other = getattr(whole, field.name), getattr(sliced, field.name)
            assert np.array_equal(one, other, equal_nan=field.name == "softmax_lost"), field.name
    audit = sliced.audit
    assert audit is not None
    assert len(audit) == np.count_nonzero(sliced.severity == 1) > 0
    assert (sliced.severity[audit.fault, audit.image] == 1).all()
    assert np.array_equal(audit.bound, 1000 * sliced.positions[audit.fault] + audit.image)


def audit_of(group: Outcomes, first_image: int) -> Audit:
    """As if all non-critical pairs had been drawn; the bound tells which pair it is."""
    fault, image = np.nonzero(group.severity == 1)
    bound = (1000 * group.positions[fault] + first_image + image).astype(np.float32)
    ones = np.ones(len(fault))
    return Audit(fault, image, bound, ones.astype(np.uint16), ones.astype(np.uint8), ones.astype(np.int8))
