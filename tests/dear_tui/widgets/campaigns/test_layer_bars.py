"""The share of critical faults of a layer, in as much room as there is beside it."""

import pytest

from dear_tui.widgets.campaigns.layer_bars import _share_text
from engine.analysis.estimate import Share

OPEN = Share(0.394, 0.2118, 0.6117)


@pytest.mark.parametrize(
    ("share", "room", "text"),
    [
        (OPEN, 30, "39.4 % (21.2 to 61.2 %)"),
        (OPEN, 14, "39.4 % 21–61"),
        (OPEN, 8, "39.4 %"),
        (Share.known(0.394), 30, "39.4 %"),
        (Share(0.0, 0.0, 0.0007), 14, "0 % 0–0.07"),
    ],
)
def test_the_interval_is_as_long_as_there_is_room_for(share: Share, room: int, text: str) -> None:
    assert _share_text(share, room).plain == text.ljust(room)
