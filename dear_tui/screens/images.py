"""Which images show faults: the ranked list, and the chosen image with what it is taken for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from dear_tui.access import results
from dear_tui.access.store_location import version_of
from dear_tui.screens.empty import READING
from dear_tui.screens.place_screen import PlaceScreen
from dear_tui.screens.places import FaultsPlace, ImagesPlace
from dear_tui.screens.results import heading
from dear_tui.settings.keymap import with_ids
from dear_tui.widgets.common.filter_line import FilterLine
from dear_tui.widgets.common.panes import Panes
from dear_tui.widgets.common.row_list import RowList
from dear_tui.widgets.images.image_pane import ImagePane, ShownImage
from dear_tui.widgets.images.image_text import image_rows
from engine.errors import InputError
from engine.faults.group import FaultGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from textual.app import ComposeResult

    from dear_tui.access.store_location import Snapshot
    from dear_tui.screens.places import Level
    from engine.conditions import Field
    from engine.datasets.pictures import Pictures
    from engine.store import CampaignStatus
    from engine.store.read.fault_results import FaultOrder
    from engine.store.read.image_results import ImageOrder, ImageRows

ORDERS: dict[ImageOrder, str] = {"rank": "by rank", "critical": "most critical faults first"}
LIST, MISTAKES, PICTURES = "images", "mistakes", "pictures"
MIDDLE, WIDE = 88, 120
"""columns from which the list has all that it needs, and from which it has more"""
LEAST_WIDTH = 36, 26
"""columns of list and picture that can be read"""


class ImagesScreen(PlaceScreen[ImagesPlace]):
    """The workload in rank order; one of its images is drawn."""

    HELP = """\
rank       counted from 1; the first one is run first
critical   faults under which the image is taken for another class
corrected  those of them that make a wrong answer right: no harm
golden     the class without a fault; ✗ where it is not the label"""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "images-screen",
        Binding("enter", "open", "faults", tooltip="the faults that change this image's answer"),
        Binding(
            "slash",
            "filter",
            "filter",
            key_display="/",
            tooltip="only images that meet what is typed",
        ),
        Binding("c", "show_confusion", "classes", tooltip="golden against faulty class, of all faults"),
        Binding("o", "change_order", "order", tooltip="by rank, or most critical faults first"),
        Binding("s", "open_sql", "SQL", tooltip="the query behind the list"),
        Binding("escape", "back", "back", key_display="esc", tooltip="takes the filter away; else goes back"),
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (MIDDLE, "-middle"), (WIDE, "-wide")]  # noqa: RUF012 - as Textual declares it
    DEFAULT_CSS = """
    ImagesScreen {
        .heading { height: 1; padding: 0 1; }
        .body { display: none; }
        RowList { width: 1fr; }
        &.-narrow ImagePane { width: 36; max-width: 60%; }
        &.-middle RowList { width: 52; }
        &.-maximized-view RowList { width: 1fr; }
        &.-wide ImagePane { width: 55%; box-sizing: content-box; }
    }
    """

    def __init__(self) -> None:
        super().__init__(ImagesPlace())
        self._shown: tuple[ImageRows, ImagesPlace, Sequence[str], int] | None = None
        """the list in view: images, which they are and in what order, names of classes, width"""

    def compose_body(self) -> ComposeResult:
        """The heading, list and picture side by side or a message, and the line of the filter."""
        yield Static(Content(""), classes="heading")
        yield FilterLine("wrong, right, class=3, critical>5, corrected>0, el2n>0.5, or the id of an image")
        yield Static(READING, classes="message")
        with Panes("images", least_width=LEAST_WIDTH, classes="body"):
            yield RowList()
            yield ImagePane()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """The list and the chosen image, or why there is none."""
        status = snapshot.status(self.dear.campaign)
        self._follow_campaign()
        self.query_one(FilterLine).show(self._place.words)
        missing = self.missing(snapshot)
        self.query_one(".heading").display = status is not None
        if missing is not None or status is None:
            self._show_message(missing or READING)
            return
        question = results.question(results.images, status.id, self._place.order, self._place.having)
        self.ask(LIST, question, version_of(status))
        self.ask(PICTURES, results.question(results.pictures, status.id), ())
        images, problem = self.answer(LIST, question), self.problem(LIST, question)
        count = f"{len(images):,} of " if images is not None and self._place.having else ""
        crumbs = [f"{count}{status.images:,} images, {ORDERS[self._place.order]}"]
        self.set_text(".heading", heading(status, crumbs, problem if images else "", self.size.width - 2))
        if images is None:
            if self._shown is None or problem:  # while the same images are sorted otherwise, the list stays
                self._show_message(Content(problem) if problem else READING)
            return
        if len(images) or not self._place.having:
            self._show_images(status, images)
        else:
            self._show_message(Content(f"No image meets “{self._place.words}”; esc shows all of them."))

    def on_row_list_moved(self) -> None:
        """Draw the image under the cursor."""
        self.refresh_snapshot()

    async def action_open(self) -> None:
        """List the faults that change the answer for the image."""
        image_id = self.query_one(RowList).key
        if image_id is not None:
            await self._show_faults("list", FaultGroup(image_id=image_id), "prediction")

    async def action_show_confusion(self) -> None:
        """Golden against faulty classes, over the critical pairs of all faults."""
        await self._show_faults("confusion", FaultGroup(), "critical")

    def action_filter(self) -> None:
        """Type what images must meet, or the id of one."""
        self.query_one(FilterLine).open(self._fields)
        self.refresh_bindings()

    def on_filter_line_kept(self, event: FilterLine.Kept) -> None:
        """Go back to the list; a number leads to the image of that id."""
        if event.words.isdecimal():
            self._place = replace(self._place, row=int(event.words))
        self._leave_filter()

    def action_open_sql(self) -> None:
        """Go to the SQL screen with the query of the list."""
        from engine.store.read.image_results import images_sql  # read before the list was shown

        self.dear.open_sql(images_sql(self._campaign or 0, self._place.order, self._place.having))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what works now."""
        if action == "back":
            return bool(self._place.words) or self._place.before is not None
        if action == "filter":
            return self.query_one(".body").display or bool(self._place.words)
        if action in ("open", "show_confusion", "change_order", "open_sql"):
            return self.query_one(".body").display
        return super().check_action(action, parameters)

    def _follow_campaign(self) -> None:
        """Another campaign starts at its first image, with all of them."""
        if self._campaign != self.dear.campaign:
            self._campaign, self._shown = self.dear.campaign, None
            self._place = ImagesPlace(order=self._place.order)
            self.query_one(RowList).clear()

    async def _show_faults(self, level: Level, group: FaultGroup, order: FaultOrder) -> None:
        here = replace(self._place, row=self.query_one(RowList).key)
        await self.go_to(FaultsPlace(level=level, group=group, order=order, before=here))

    def _leave_filter(self) -> None:
        self.set_focus(self.query_one(RowList) if self.query_one(".body").display else None)
        self.refresh_snapshot()
        self.refresh_bindings()

    @property
    def _orders(self) -> dict[ImageOrder, str]:
        """How the list can be sorted."""
        return ORDERS

    @property
    def _fields(self) -> Sequence[Field]:
        """What images can be filtered by."""
        from engine.store.read.image_results import IMAGE_FIELDS  # read before the list was shown

        return IMAGE_FIELDS

    @property
    def _class_names(self) -> Sequence[str]:
        """What the classes are called, as far as is known by now."""
        pictures = self.answer(PICTURES, results.question(results.pictures, self._campaign or 0))
        return pictures.class_names if pictures else ()

    def _show_message(self, message: Content) -> None:
        self._shown = None
        self.query_one(".body").display = False
        self.query_one(".message").display = True
        self.set_text(".message", message)
        if not self.query_one(FilterLine).is_typing:
            self.set_focus(None)

    def _show_images(self, status: CampaignStatus, images: ImageRows) -> None:
        body, rows = self.query_one(".body"), self.query_one(RowList)
        pictures = self.answer(PICTURES, results.question(results.pictures, status.id))
        names = self._class_names
        if not body.display:
            body.display, self.query_one(".message").display = True, False
            if not self.query_one(FilterLine).is_typing:
                rows.focus()
            self.refresh_bindings()
        width = rows.scrollable_content_region.width - 1
        if width < 0:  # before it is laid out
            return
        before, self._shown = self._shown, (images, self._place, names, width)
        if before is None or before[0] is not images or before[1:] != self._shown[1:]:
            if before is not None and before[1] != self._place:
                rows.clear()
            rows.show(image_rows(images, names, width))
        if self._place.row is not None:
            if not rows.go_to(self._place.row):
                where = "among the images that the filter leaves" if self._place.words else "in the workload"
                self.notify(f"Image {self._place.row} is not {where}.", severity="warning")
            self._place = replace(self._place, row=None)
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
