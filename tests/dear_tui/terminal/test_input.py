"""A paste arrives as one event, however the terminal's bytes are cut."""

from __future__ import annotations

from textual import events

from dear_tui.terminal.input import PasteParser

TEXT = "select 'é', 1 -- \x1b[20\n" * 3


def heard(*pieces: str) -> list[str]:
    """Keys and pastes of what the terminal sends piece by piece."""
    parser = PasteParser()
    heard = []
    for piece in pieces:
        for event in parser.feed(piece):
            assert isinstance(event, events.Key | events.Paste)
            heard.append(event.key if isinstance(event, events.Key) else event.text)
    return heard


def test_keys_before_and_after_a_paste() -> None:
    assert heard(f"ab\x1b[200~{TEXT}\x1b[201~c\x1b[A") == ["a", "b", TEXT, "c", "up"]


def test_a_paste_cut_anywhere() -> None:
    sent = f"a\x1b[200~{TEXT}\x1b[201~b"
    for cut in range(len("a\x1b[200~"), len(sent)):
        assert heard(sent[:cut], sent[cut:]) == ["a", TEXT, "b"], cut
    assert heard("a\x1b[200~", *TEXT, *"\x1b[201~b") == ["a", TEXT, "b"]


def test_the_mark_at_its_beginning_cut_in_two() -> None:
    for cut in range(1, len("\x1b[200~")):
        sent = "\x1b[200~select\n1\x1b[201~b"
        assert heard(sent[:cut], sent[cut:]) == ["select\n1", "b"], cut


def test_two_pastes_in_one_piece() -> None:
    assert heard("\x1b[200~one\x1b[201~\x1b[200~two\x00\x1b[201~") == ["one", "two"]


def test_a_paste_is_not_taken_apart() -> None:
    parser = PasteParser()
    fed: list[str] = []
    parser._gen.close()  # Textual's own parser, letter by letter
    for piece in ("\x1b[200~" + "x" * 1_000_000, "\x1b[201~"):
        fed += [event.text for event in parser.feed(piece) if isinstance(event, events.Paste)]
    assert [len(text) for text in fed] == [1_000_000]
