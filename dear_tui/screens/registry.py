"""The screens of the program: another one is a file beside this one and a line in `SCREENS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.binding import Binding

from dear_tui.screens.campaigns import CampaignsScreen
from dear_tui.screens.faults import FaultsScreen
from dear_tui.screens.gpu import GpuScreen, MachineView
from dear_tui.screens.images import ImagesScreen
from dear_tui.screens.live import LiveScreen
from dear_tui.screens.sql import SqlScreen
from dear_tui.screens.study import StudyScreen
from dear_tui.widgets.campaigns.campaign_chart import CampaignChart
from dear_tui.widgets.campaigns.campaign_details import CampaignDetails
from dear_tui.widgets.campaigns.campaign_list import CampaignList
from dear_tui.widgets.campaigns.layer_bars import LayerBars
from dear_tui.widgets.common.top_bar import Tab
from dear_tui.widgets.faults.fault_map import FaultMap
from dear_tui.widgets.sql.result_grid import ResultGrid
from dear_tui.widgets.sql.schema_tree import SchemaTree
from dear_tui.widgets.sql.sql_text import SqlText

if TYPE_CHECKING:
    from textual.widget import Widget

    from dear_tui.screens.base import SnapshotScreen


@dataclass(frozen=True)
class ScreenInfo:
    """One screen: the app's mode, its key, its tab and its line in the help are made of this."""

    key: str
    name: str
    """of the mode; a user's keymap names it, too"""
    title: str
    explanation: str
    """what is there, for the help and the palette"""
    screen: type[SnapshotScreen]
    parts: tuple[type[Widget], ...] = ()
    """what has keys of its own there"""

    @property
    def tab(self) -> Tab:
        """What the top bar shows of it."""
        return Tab(self.key, self.name, self.title)

    @property
    def binding(self) -> Binding:
        """The key that leads there."""
        return Binding(
            self.key,
            f"switch_mode({self.name!r})",
            f"{self.title} screen",
            show=False,
            tooltip=self.explanation,
            id=f"app.switch-mode-{self.name}",
        )


SCREENS = (
    ScreenInfo("1", "campaigns", "campaigns", "the list", CampaignsScreen, (CampaignList, CampaignDetails)),
    ScreenInfo("2", "live", "live", "the chosen campaign, its detection curve", LiveScreen, (CampaignChart, LayerBars)),
    ScreenInfo("3", "faults", "faults", "which layers and bits are critical", FaultsScreen, (FaultMap,)),
    ScreenInfo("4", "sql", "SQL", "questions to the store", SqlScreen, (SqlText, ResultGrid, SchemaTree)),
    ScreenInfo("5", "gpu", "machine", "how busy this machine is: GPUs, CPU, processes", GpuScreen, (MachineView,)),
    ScreenInfo("6", "images", "images", "which images show faults, and themselves", ImagesScreen),
    ScreenInfo("7", "study", "study", "the campaigns of a study side by side", StudyScreen),
)
"""In the order of the tabs; what lies on top of a screen and has no line here belongs to the first."""
