"""Where the tests of injection run, and in which numbers: `--device cuda` runs the same tests on a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from tests.engine.injection.networks import measure_little

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> torch.device:
    """What `--device` says; tests are skipped where there is none."""
    device = torch.device(request.config.getoption("--device"))
    if device.type == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device here")
    return device


@pytest.fixture(scope="session")
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    """What `--dtype` says."""
    dtype = getattr(torch, request.config.getoption("--dtype"), None)
    if not isinstance(dtype, torch.dtype):
        raise pytest.UsageError(f"--dtype: torch has no {request.config.getoption('--dtype')}; use float32 or float64")
    return dtype


@pytest.fixture(scope="module")
def little_measured() -> Iterator[None]:
    """Rounding is measured on little in all tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        measure_little(patch)
        yield
