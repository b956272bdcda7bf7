"""Pictures of the campaigns screen in every state, at the two sizes that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from memory_store import FakeSource, make_app, make_curve, make_status, settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.store.records import CampaignStatus

SIZES = [(80, 24), (120, 40)]
FULL = 10_000


def campaign(state: str) -> CampaignStatus:
    """Number 7, as it is in this state."""
    match state:
        case "running":
            return make_status(7, done=4000, state=state, started="2026-01-02T03:04:06Z", rate=397_812.0, eta_s=249.0)
        case "finished":
            times = {"started": "2026-01-02T03:04:06Z", "finished": "2026-01-02T03:13:18Z"}
            return make_status(7, done=FULL, state=state, **times)  # type: ignore[arg-type]
        case _:
            error = 'out of memory in layer fc1: lower [run] memory, or use device = "cpu"'
            return make_status(7, done=1500, state="failed", error=error)


def source(state: str) -> FakeSource:
    """A store with number 7 in this state between others, or an empty one."""
    if state == "empty":
        return FakeSource([])
    shown = campaign(state)
    done = {"running": 4000, "finished": FULL, "failed": 1500}[state]
    others = [
        make_status(8, name="resnet20 on CIFAR-10, central images only", network="resnet20", dataset="cifar10",
                    select="central", faults=16_627, images=312, pairs=16_627 * 312),
        make_status(6, name="interrupted", done=1000, state="paused"),
        make_status(5, name="no room", state="failed", error="/data/store: the disk is full; free some space"),
    ]  # fmt: skip
    return FakeSource([others[0], shown, *others[1:]], {7: make_curve(done)})


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", ["empty", "running", "finished", "failed"])
def test_picture(state: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(make_app(source(state)), terminal_size=size, run_before=settle)
