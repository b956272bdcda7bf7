"""The views and their columns, to look up and to write into the query."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Tree

from dear_tui.settings.keymap import with_ids

if TYPE_CHECKING:
    from engine.store.sql.names import Names


class SchemaTree(Tree[str]):
    """A branch a view."""

    BINDINGS: ClassVar[list[BindingType]] = with_ids(
        "schema-tree",
        Binding("enter", "select_cursor", "insert", tooltip="write this name into the query"),
        Binding("space", "toggle_node", "open/close", tooltip="the columns of this view"),
        Binding("j", "cursor_down", "down", show=False, tooltip="the next name"),
        Binding("k", "cursor_up", "up", show=False, tooltip="the name above"),
        Binding("g", "scroll_home", "first", show=False, tooltip="the first view"),
        Binding("G", "scroll_end", "last", show=False, tooltip="the last name"),
        Binding("l", "expand", "open", show=False, tooltip="the columns of this view"),
        Binding("h", "collapse", "close", show=False, tooltip="its name alone"),
    )
    DEFAULT_CSS = """
    SchemaTree {
        width: 34; height: 1fr; padding: 0; background: transparent; scrollbar-size-vertical: 1;
        border: round $foreground 30%; border-title-color: $text-muted;
        &:focus { border: round $border; border-title-color: $foreground; background-tint: $foreground 0%; }
    }
    """

    class Chosen(Message):
        """A name to write."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        super().__init__("")
        self.show_root = False
        self.guide_depth = 2
        self.auto_expand = False
        self.border_title = "views"

    def show(self, names: Names) -> None:
        """Show all views, their columns folded away."""
        self.clear()
        for view in names.views:
            branch = self.root.add(Text(view.name), data=view.name)
            for column in view.columns:
                branch.add_leaf(Text.assemble(f"{column.name} ", (column.type.lower(), "dim")), data=column.name)
        self.cursor_line = 0

    def action_expand(self) -> None:
        """Open the view under the cursor."""
        if self.cursor_node is not None:
            self.cursor_node.expand()

    def action_collapse(self) -> None:
        """Close the view under the cursor, from its columns too."""
        node = self.cursor_node
        if node is not None and not node.allow_expand and node.parent is not None:
            self.move_cursor(node.parent)
            node = node.parent
        if node is not None:
            node.collapse()

    def on_tree_node_selected(self, event: Tree.NodeSelected[str]) -> None:
        """Hand the name to the editor."""
        event.stop()
        if event.node.data:
            self.post_message(self.Chosen(event.node.data))
