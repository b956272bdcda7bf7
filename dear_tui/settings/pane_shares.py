"""The shares of the room that the user gave to panes; kept in the config, so that they are there the next time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dear_tui.settings.settings_keeper import SettingsKeeper


class PaneShares:
    """A share is that of the first of two panes, from 0 to 1."""

    def __init__(self, shares: Mapping[str, float], keeper: SettingsKeeper) -> None:
        """Begin with the ones of the config."""
        self._shares = dict(shares)
        self._keeper = keeper

    def get(self, name: str) -> float | None:
        """The user's share; None while the styles of the screen divide the room."""
        return self._shares.get(name)

    def change(self, name: str, share: float) -> None:
        """Another share, until the program ends."""
        self._shares[name] = round(share, 4)

    def keep(self, name: str) -> None:
        """Have the share there the next time, too."""
        if name in self._shares:
            self._keeper.keep("panes", {name: self._shares[name]})
