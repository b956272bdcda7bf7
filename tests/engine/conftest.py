"""Where the tests of injection run, and in which numbers: `--device cuda` runs the same tests on a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from engine.errors import NoDeviceError
from engine.injection.numerics import choose_numerics
from tests.engine.injection.networks import measure_little

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.engine.injection.networks import Place


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> torch.device:
    """What `--device` says, with the arithmetic of a campaign there; tests are skipped where there is none."""
    try:
        return torch.device(choose_numerics(request.config.getoption("--device"), tf32=False, field="--device").device)
    except NoDeviceError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    """What `--dtype` says.

    The engine is for float32 alone, which networks of other types become when they are loaded: its thresholds are of
    float32's rounding, and what it draws itself is float32. So in float64 only the tests of what has neither pass.
    """
    dtype = getattr(torch, request.config.getoption("--dtype"), None)
    if not isinstance(dtype, torch.dtype):
        raise pytest.UsageError(f"--dtype: torch has no {request.config.getoption('--dtype')}; use float32")
    return dtype


@pytest.fixture(scope="session")
def place(device: torch.device, dtype: torch.dtype) -> Place:
    """Moves a network or images there. They are drawn on the CPU before, so that they are the same everywhere.

    A default device would be less to write; but the engine runs without one, and what it leaves on the CPU would not
    be found.
    """
    return lambda thing: thing.to(device, dtype)


@pytest.fixture(scope="module")
def little_measured() -> Iterator[None]:
    """Rounding is measured on little in all tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        measure_little(patch)
        yield
