"""What every test may ask for."""

import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # one core for each of the tests that run side by side, told before torch asks
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings

settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests that take minutes")
    parser.addoption("--device", default="cpu", help="where the engine's tests of injection run: cpu, cuda, cuda:1")
    parser.addoption("--dtype", default="float32", help="the type of their weights and images, by torch's name")


def pytest_configure() -> None:
    """Programs that tests start and interrupt inherit what a shell sets for what it runs in the background."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: "first" not in item.keywords)
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))


def pytest_collection_finish() -> None:
    """What is imported by now stays, and is looked through for garbage no more: that was a third of a screen's time.

    And what tests leave behind is looked for more seldom, as it is in the screens: it took a fifteenth of theirs.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing of what whoever runs the tests has kept, also in the processes that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def no_waits_for_the_disk() -> Iterator[None]:
    """What a file is synced for, no test can see: it outlives a power cut, and no process here dies of one.

    That it is synced, and can be, is seen in the processes that tests start.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _descriptor: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def no_campaign_is_small() -> Iterator[None]:
    """Tests of `fast` run few pairs, which it leaves to `exact` otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.injection.methods.SMALL", 0)
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data and weights that are too large for the package: CIFAR-10, MNIST's training set, ResNet-20."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"REAL DATA IS MISSING: {folder} does not exist, so this test checks nothing here")
    return folder


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Small campaigns are much faster so where other processes want the cores, too."""
    with in_one_thread():
        yield


@contextmanager
def in_one_thread() -> Iterator[None]:
    """The same for what a fixture of the whole session computes, which is compared with what such tests compute."""
    import torch  # not by the process that only hands tests out

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
