"""How far each layer is, and what was found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.common.status_text import MUTED, bar
from engine.analysis.estimate import Share
from engine.units import percent, short_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from engine.store import LayerProgress
    from engine.store.read.fault_results import FaultRates

HEADINGS = ("layer", "done", "critical faults")
COUNTS_WIDTH = 15
LEAST_BAR, MOST_NAME = 4, 24


class LayerBars(VerticalScroll):
    """One line a layer; scrolls where there are many."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "layer-bars",
        Binding("j", "scroll_down", "down", show=False, tooltip="further layers"),
        Binding("k", "scroll_up", "up", show=False, tooltip="the layers before"),
        Binding("g", "scroll_home", "first", show=False, tooltip="the first layer"),
        Binding("G", "scroll_end", "last", show=False, tooltip="the last layer"),
    )
    DEFAULT_CSS = """
    LayerBars {
        scrollbar-size-vertical: 1; scrollbar-gutter: stable;
        Static { height: auto; }
        .heading { height: 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._layers: tuple[LayerProgress, ...] = ()
        self._rates: FaultRates | None = None
        self._drawn: tuple[tuple[LayerProgress, ...], FaultRates | None, int] | None = None

    def compose(self) -> ComposeResult:
        """A heading and a line for each layer."""
        yield Static(classes="heading")
        yield Static(classes="lines")

    def show(self, layers: tuple[LayerProgress, ...], rates: FaultRates | None) -> None:
        """Bring the lines up to date; a layer that is done has its share of critical faults in the place of its bar."""
        self._layers, self._rates = layers, rates
        width = self.scrollable_content_region.width
        if not layers or width <= 0 or self._drawn == (layers, rates, width):
            return
        count_before = len(self._drawn[0]) if self._drawn else -1
        self._drawn = (layers, rates, width)
        name = min(max(len(layer.name) for layer in layers), MOST_NAME, max(width - COUNTS_WIDTH - LEAST_BAR - 8, 5))
        room = max(width - name - COUNTS_WIDTH - 8, LEAST_BAR)
        shares = [_share(layer, rates) for layer in layers]
        second = _heading(shares, rates) if rates and all(shares) else HEADINGS[1]
        heading = HEADINGS[0].ljust(name + 1) + second.ljust(room + 6) + HEADINGS[2].rjust(COUNTS_WIDTH)
        self.query_one(".heading", Static).update(Content.styled(heading, MUTED), layout=False)
        lines = Content("\n").join(
            [_line(layer, share, name, room) for layer, share in zip(layers, shares, strict=True)]
        )
        self.query_one(".lines", Static).update(lines, layout=len(layers) != count_before)

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        self.show(self._layers, self._rates)


def _heading(shares: Sequence[Share | None], rates: FaultRates) -> str:
    """Of shares; where some have intervals, with which confidence."""
    is_open = any(share and not share.is_known for share in shares)
    return f"share, {100 * rates.confidence.stated:g} %" if is_open else "share"


def _share(layer: LayerProgress, rates: FaultRates | None) -> Share | None:
    """Of critical faults among all that could be drawn in a layer; None before all of those drawn have met all images.

    Where the faults stand for no others, as those of a list, it is of those run.
    """
    if rates is None or layer.pairs_done < layer.pairs or layer.name not in rates.layers or not layer.faults:
        return None
    place = rates.layers.index(layer.name)
    if not rates.is_sample:
        return Share.known(layer.critical / layer.faults)
    return rates.by_stratum(slice(place, place + 1), slice(None)).share_critical(rates.confidence)


def _share_text(share: Share, room: int) -> Content:
    """The share, and its interval in as many words as there is room for, where something is open."""
    text = percent(share.value, 1)
    words = f" ({percent(share.low, 1).removesuffix(' %')} to {percent(share.high, 1)})"
    ends = f" {100 * share.low:.2g}–{100 * share.high:.2g}"
    fitting = (each for each in (words, ends) if not share.is_known and len(text) + len(each) <= room)
    interval = next(fitting, "")
    share_text = Content.assemble((text, "$text-class-critical"), (interval, MUTED))
    return share_text.pad_right(max(room - len(text) - len(interval), 0))


def _line(layer: LayerProgress, known: Share | None, name: int, room: int) -> Content:
    share = layer.pairs_done / max(layer.pairs, 1)
    title = layer.name if len(layer.name) <= name else "…" + layer.name[1 - name :]
    return Content.assemble(
        title.ljust(name + 1),
        _share_text(known, room + 6) if known else bar(share, room) + f" {int(share * 100):>3} %".ljust(6),
        (f"{layer.critical:>{COUNTS_WIDTH - 8},}", "$text-class-critical"),
        (f" / {short_count(layer.faults):>5}", MUTED),
    )
