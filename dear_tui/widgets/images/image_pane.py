"""One image of a workload: what it is, its picture, and what it is taken for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from dear_tui.widgets.images.image_picture import ImagePicture, lines_for
from dear_tui.widgets.images.image_text import image_text, metrics_text, mistakes_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from textual.app import ComposeResult

    from engine.store.read.image_results import ImageRows, Mistakes

HEAD_LINES = 2
LEAST_LINES = 2
"""kept for what an image is taken for"""
PROBLEM_LINES = 5
ROOMY = 8
"""lines below the picture from which on there is room for the metrics, too"""


@dataclass(frozen=True, eq=False)
class ShownImage:
    """All that is known of an image by now."""

    images: ImageRows
    place: int
    """of the image among them"""
    class_names: Sequence[str]
    pixels: NDArray[np.uint8] | None
    problem: str
    """why there are no pixels"""
    mistakes: Mistakes | None


class ImagePane(Vertical):
    """Gives the picture the room that the words leave."""

    DEFAULT_CSS = """
    ImagePane {
        padding: 0 0 0 2;
        .image { height: 2; }
        .no-picture { height: 5; padding: 1 1 0 0; color: $text-warning; display: none; }
        .mistakes { height: 1fr; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: ShownImage | None = None

    def compose(self) -> ComposeResult:
        """Words, picture or a sentence in its place, words."""
        yield Static(Content(""), classes="image")
        yield ImagePicture()
        yield Static(Content(""), classes="no-picture")
        yield Static(Content(""), classes="mistakes")

    def show(self, shown: ShownImage) -> None:
        """Show an image, or more of it."""
        self._shown = shown
        self._lay_out()

    def _lay_out(self) -> None:
        shown, room = self._shown, self.content_size
        if shown is None or not room:
            return
        self._set(".image", image_text(shown.images, shown.place, shown.class_names))
        picture = self.query_one(ImagePicture)
        picture.display, self.query_one(".no-picture").display = not shown.problem, bool(shown.problem)
        lines = PROBLEM_LINES if shown.problem else 0
        if shown.problem:
            self._set(".no-picture", Content(f"No picture: {shown.problem}"))
        elif shown.pixels is not None:
            lines = lines_for(shown.pixels, room.width, room.height - HEAD_LINES - LEAST_LINES)
            picture.styles.height = lines
            picture.show(shown.pixels)
        if shown.mistakes is not None:
            self._set(".mistakes", _words(shown, shown.mistakes, room.width, room.height - HEAD_LINES - lines))

    on_resize = _lay_out

    def _set(self, selector: str, text: Content) -> None:
        widget = self.query_one(selector, Static)
        if widget.content != text:
            widget.update(text, layout=False)


def _words(shown: ShownImage, mistakes: Mistakes, width: int, lines: int) -> Content:
    is_roomy = lines >= ROOMY
    room = width, lines - 3 * is_roomy
    text = mistakes_text(shown.images, shown.place, mistakes, shown.class_names, room)
    if not is_roomy:
        return text
    return Content("\n").join([Content(""), metrics_text(shown.images, shown.place), Content(""), text])
