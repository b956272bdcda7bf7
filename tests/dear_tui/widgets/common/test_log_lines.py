"""The worker's log in a few lines."""

from textual.app import App, ComposeResult

from dear_tui.widgets.common.log_lines import LogLines
from tests.dear_tui.memory_store import resize, until


class Host(App[None]):
    def compose(self) -> ComposeResult:
        yield LogLines()


async def test_the_last_lines_with_the_time_of_day_cut_at_the_edge() -> None:
    lines = [f"2026-01-02T03:04:{second:02}Z 4711 message {second} [b]as it is[/b]" for second in range(9)]
    app = Host()
    async with app.run_test(size=(40, 12)) as pilot:
        log = app.query_one(LogLines)
        log.show((*lines, "Traceback of something that is longer than the line"))
        await pilot.pause()
        shown = [log.render_line(row).text.strip() for row in range(log.size.height)]
    assert shown == [
        "03:04:05  message 5 [b]as it is[/b]",
        "03:04:06  message 6 [b]as it is[/b]",
        "03:04:07  message 7 [b]as it is[/b]",
        "03:04:08  message 8 [b]as it is[/b]",
        "Traceback of something that is longer…",
    ]


async def test_resized_it_is_cut_anew() -> None:
    app = Host()
    async with app.run_test(size=(20, 12)) as pilot:
        log = app.query_one(LogLines)
        log.show(("2026-01-02T03:04:05Z 4711 a message of some length",))
        await pilot.pause()
        assert "length" not in log.render_line(0).text
        await resize(pilot, 60, 12)
        await until(pilot, lambda: "03:04:05  a message of some length" in log.render_line(0).text)
