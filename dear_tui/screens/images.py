"""Which images show faults: the ranked list, and the chosen image with what it is taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from dear_tui.access import results
from dear_tui.access.store_location import version_of
from dear_tui.screens.empty import READING
from dear_tui.screens.results import ResultScreen, heading
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.common.row_list import RowList
from dear_tui.widgets.images.image_pane import ImagePane, ShownImage
from dear_tui.widgets.images.image_text import image_rows
from engine.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from textual.app import ComposeResult

    from dear_tui.access.store_location import Snapshot
    from engine.datasets.pictures import Pictures
    from engine.store import CampaignStatus
    from engine.store.read.image_results import ImageOrder, ImageRows

ORDERS: dict[ImageOrder, str] = {"rank": "by rank", "critical": "most critical faults first"}
LIST, MISTAKES, PICTURES = "images", "mistakes", "pictures"
LEAST_PANE = 34
"""columns for the picture and its words: the width of CIFAR-10"""
WIDTH_OF_LIST = 54
"""columns for the list and what is around it before the picture gets more"""


class ImagesScreen(ResultScreen):
    """The workload in rank order; one of its images is drawn."""

    HELP = """\
rank       counted from 1; the first one is run first
critical   faults under which the image is taken for another class
corrected  those of them that make a wrong answer right: no harm
golden     the class without a fault; ✗ where it is not the label"""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "images-screen",
        Binding("slash", "ask_image", "go to", key_display="/", tooltip="the image of an id"),
        Binding("o", "change_order", "order", tooltip="by rank, or most critical faults first"),
        Binding("s", "open_sql", "SQL", tooltip="the query behind the list"),
        Binding("escape", "leave_input", "back", show=False, key_display="esc", tooltip="no image after all"),
    )
    DEFAULT_CSS = """
    ImagesScreen {
        .heading { height: 1; padding: 0 1; }
        .body { height: 1fr; display: none; }
        Input { height: 1; border: none; padding: 0 1; display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._campaign: int | None = None
        self._order: ImageOrder = "rank"
        self._target: int | None = None
        self._shown: tuple[ImageRows, ImageOrder, Sequence[str], int] | None = None
        """the list in view: images, their order, names of classes, width"""

    def compose_body(self) -> ComposeResult:
        """The heading, list and picture side by side or a message, and the line for an image id."""
        yield Static(Content(""), classes="heading")
        yield Static(READING, classes="message")
        with Horizontal(classes="body"):
            yield RowList()
            yield ImagePane()
        yield Input(placeholder="image id", restrict="[0-9]*", max_length=9, compact=True)

    def show_image(self, image_id: int) -> None:
        """Put the cursor on an image as soon as the list is there."""
        self._target = image_id
        self.refresh_snapshot()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The list and the chosen image, or why there is none."""
        status = snapshot.status(self.dear.campaign)
        if self._campaign != self.dear.campaign:
            self._campaign, self._shown = self.dear.campaign, None
            self.query_one(RowList).clear()
        missing = self.missing(snapshot)
        self.query_one(".heading").display = status is not None
        if missing is not None or status is None:
            self._show_message(missing or READING)
            return
        question = results.question(results.images, status.id, self._order)
        self.ask(LIST, question, version_of(status))
        self.ask(PICTURES, results.question(results.pictures, status.id), ())
        images, problem = self.answer(LIST, question), self.problem(LIST, question)
        crumbs = [f"{status.images:,} images, {ORDERS[self._order]}"]
        self.set_text(".heading", heading(status, crumbs, problem if images else "", self.size.width - 2))
        if images is None:
            if self._shown is None or problem:  # while the same images are sorted otherwise, the list stays
                self._show_message(Content(problem) if problem else READING)
            return
        self._show_images(status, images)

    def on_row_list_moved(self) -> None:
        """Draw the image under the cursor."""
        self.refresh_snapshot()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the image that was typed."""
        self.action_leave_input()
        if event.value:
            self.show_image(int(event.value))

    def action_ask_image(self) -> None:
        """Open the line for an image id."""
        line = self.query_one(Input)
        line.value, line.display = "", True
        line.focus()

    def action_leave_input(self) -> None:
        """Close the line for an image id."""
        self.query_one(Input).display = False
        self.query_one(RowList).focus()

    def action_change_order(self) -> None:
        """Sort the list otherwise."""
        orders = list(ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self.refresh_snapshot()

    def action_open_sql(self) -> None:
        """Go to the SQL screen with the query of the list."""
        from engine.store.read.image_results import images_sql  # read before the list was shown

        self.dear.open_sql(images_sql(self._campaign or 0, self._order))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what works now."""
        if action == "leave_input":
            return self.query_one(Input).display
        if action in ("ask_image", "change_order", "open_sql"):
            return self.query_one(".body").display
        return super().check_action(action, parameters)

    def _show_message(self, message: Content) -> None:
        self._shown = None
        self.query_one(".body").display = self.query_one(Input).display = False
        self.query_one(".message").display = True
        self.set_text(".message", message)
        self.set_focus(None)

    def _show_images(self, status: CampaignStatus, images: ImageRows) -> None:
        body, rows = self.query_one(".body"), self.query_one(RowList)
        pane = max(LEAST_PANE, min(self.size.width - WIDTH_OF_LIST, self.size.width * 11 // 20))
        width = self.size.width - pane - 4
        pictures = self.answer(PICTURES, results.question(results.pictures, status.id))
        names = pictures.class_names if pictures else ()
        if not body.display:
            body.display, self.query_one(".message").display = True, False
            rows.focus()
        before, self._shown = self._shown, (images, self._order, names, width)
        if before is None or before[0] is not images or before[1:] != self._shown[1:]:
            rows.styles.width = width + 2
            if before is not None and before[1] != self._order:
                rows.clear()
            rows.show(image_rows(images, names, width))
        if self._target is not None:
            if not rows.go_to(self._target):
                self.notify(f"Image {self._target} is not in the workload of campaign {status.id}.", severity="warning")
            self._target = None
        if rows.key is not None:
            self._show_chosen(status, images, rows.cursor, pictures)

    def _show_chosen(self, status: CampaignStatus, images: ImageRows, place: int, pictures: Pictures | None) -> None:
        image_id = int(images.image_id[place])
        question = results.question(results.mistakes, status.id, image_id)
        self.ask(MISTAKES, question, (int(images.critical[place]),))
        pixels, problem = _picture(pictures, image_id)
        self.query_one(ImagePane).show(
            ShownImage(
                images=images,
                place=place,
                class_names=pictures.class_names if pictures else (),
                pixels=pixels,
                problem=problem or self.problem(PICTURES, results.question(results.pictures, status.id)),
                mistakes=self.answer(MISTAKES, question),
            )
        )


def _picture(pictures: Pictures | None, image_id: int) -> tuple[NDArray[np.uint8] | None, str]:
    """The picture, and why there is none where its file cannot be read any more."""
    if pictures is None:
        return None, ""
    try:
        return pictures.picture(image_id), ""
    except InputError as error:
        return None, str(error)
