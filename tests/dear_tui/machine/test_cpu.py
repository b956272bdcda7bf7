"""The processor as psutil tells of it."""

from __future__ import annotations

from collections import namedtuple
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psutil

from dear_tui.machine.cpu import CpuReader

if TYPE_CHECKING:
    import pytest

Times = namedtuple("Times", ["user", "idle", "iowait", "guest"])
MacTimes = namedtuple("MacTimes", ["user", "nice", "system", "idle"])


def tell(monkeypatch: pytest.MonkeyPatch, *cores: Any) -> None:
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: list(cores) if percpu else None)


def refuse(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    def refused(*_: object, **__: object) -> None:
        raise FileNotFoundError("/proc is not there")

    for name in names:
        monkeypatch.setattr(psutil, name, refused)


def test_utilisation_is_of_the_time_between_two_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = CpuReader()
    tell(monkeypatch, Times(100.0, 300.0, 100.0, 90.0), Times(0.0, 500.0, 0.0, 0.0))
    assert reader.read().utilisation is None
    tell(monkeypatch, Times(200.0, 300.0, 100.0, 190.0), Times(50.0, 540.0, 10.0, 0.0))
    cpu = reader.read()
    assert (cpu.utilisation, cpu.per_core) == (75, (100, 50))


def test_a_system_that_knows_fewer_kinds_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = CpuReader()
    tell(monkeypatch, MacTimes(0.0, 0.0, 0.0, 0.0))
    reader.read()
    tell(monkeypatch, MacTimes(1.0, 1.0, 1.0, 1.0))
    assert reader.read().utilisation == 75


def test_no_time_between_two_readings_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = CpuReader()
    tell(monkeypatch, Times(1.0, 1.0, 1.0, 1.0))
    reader.read()
    assert reader.read().utilisation == 0


def test_a_core_that_was_switched_off_makes_the_reading_the_first_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = CpuReader()
    tell(monkeypatch, Times(1.0, 1.0, 0.0, 0.0), Times(1.0, 1.0, 0.0, 0.0))
    reader.read()
    tell(monkeypatch, Times(2.0, 2.0, 0.0, 0.0))
    cpu = reader.read()
    assert (cpu.utilisation, cpu.per_core) == (None, ())


def test_memory_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=1000, available=400, used=10))
    cpu = CpuReader().read()
    assert (cpu.memory_used, cpu.memory_total) == (600, 1000)


def test_what_the_system_does_not_tell_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "cpu_times", "virtual_memory")
    cpu = CpuReader().read()
    assert (cpu.utilisation, cpu.per_core, cpu.memory_used, cpu.memory_total) == (None, (), None, None)
    assert cpu.load is not None
    assert cpu.cores >= 1
