"""A line of the form: a key, and where its value is given."""

from __future__ import annotations

from textual.containers import Horizontal


class KeyedRow(Horizontal):
    """A key and its field; the key is bold while the field has the focus, which a class says."""

    DEFAULT_CSS = """
    KeyedRow {
        .key { width: 16; padding-left: 2; }
        Input { background: $surface; &:focus { background: $surface-lighten-1; } }
        &.-wrong .key { color: $text-error; text-style: bold; }
        &.-here .key { color: $text-accent; text-style: bold; }
    }
    """

    def on_descendant_focus(self) -> None:
        """Make the key bold: the focus has come."""
        self.add_class("-here")

    def on_descendant_blur(self) -> None:
        """Make the key plain: the focus has gone."""
        self.remove_class("-here")
