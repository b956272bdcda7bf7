"""What was read, second by second."""

import pytest

from dear_tui.machine.cpu import Cpu
from dear_tui.machine.gpu import GpuReading
from dear_tui.machine.machine import KEPT, MachineHistory, Moment


def history(*readings: tuple[float, float]) -> MachineHistory:
    """Of (time, percent)."""
    return MachineHistory(tuple(Moment(at, GpuReading(), Cpu(utilisation=percent)) for at, percent in readings))


@pytest.mark.parametrize(
    ("readings", "seconds"),
    [
        ((), []),
        (((7.0, 5.0),), [5.0]),
        (((7.0, 1.0), (8.1, 2.0), (8.9, 3.0)), [1.0, 2.0, 3.0]),
        (((7.0, 1.0), (8.02, 2.0), (9.6, 3.0)), [1.0, 2.0, 2.0, 3.0]),
    ],
)
def test_readings_that_come_a_little_early_or_late_leave_no_hole(
    readings: tuple[tuple[float, float], ...], seconds: list[float]
) -> None:
    assert history(*readings).cpu_utilisation() == seconds


def test_what_nobody_looked_at_is_not_known() -> None:
    seconds = history((0.0, 1.0), (20.0, 2.0), (21.0, 3.0)).cpu_utilisation()
    assert len(seconds) == 22
    assert (seconds[0], seconds[10], seconds[-2:]) == (1.0, None, [2.0, 3.0])


def test_no_more_is_told_than_is_kept() -> None:
    assert len(history((0.0, 1.0), (10.0 * KEPT, 2.0)).cpu_utilisation()) == KEPT
