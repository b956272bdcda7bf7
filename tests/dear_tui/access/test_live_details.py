"""Reading what stands beside the curve: once, and whatever happens to the store."""

import os
from pathlib import Path

import numpy as np

from dear_tui.access.live_details import LOG_BYTES, LOG_LINES, LiveReader, Wanted, read_log
from engine.errors import UnreachableError
from engine.store import ImageCounts
from tests.dear_tui.memory_store import FakeSource, make_curve, make_image_counts, make_status


class CountingSource(FakeSource):
    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.image_calls = 0

    def image_counts(self, campaign: int) -> ImageCounts:
        self.image_calls += 1
        return super().image_counts(campaign)


RUNNING = make_status(7, done=64, state="running")


def test_what_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    source = CountingSource(curves={7: make_curve(64)})
    reader = LiveReader(lambda: source, tmp_path / "worker.log")
    first = reader.read(Wanted(RUNNING))
    assert first.counts is not None
    assert first.counts.complete.sum() == 64
    assert [layer.name for layer in first.layers] == ["conv1", "conv2", "fc1", "fc2", "fc3"]
    rate_only = make_status(7, done=64, state="running", rate=5.0)
    assert reader.read(Wanted(rate_only)) == first
    assert source.image_calls == 1
    source.curves[7] = make_curve(128)
    newer = reader.read(Wanted(make_status(7, done=128, state="running")))
    assert newer != first
    assert source.image_calls == 2


def test_random_against_ranked_waits_for_every_image_of_the_data_set(tmp_path: Path) -> None:
    source = FakeSource(curves={7: make_curve(9999), 8: make_curve(72, images=72)})
    source.image_counts = lambda campaign: make_image_counts(source.curve(campaign), 10_000)  # type: ignore[method-assign]
    ids = source.image_counts(7).image_id[:40]
    source.read = lambda query: {"fault_id": np.arange(40), "image_id": ids} if query else {}  # type: ignore[method-assign]
    reader = LiveReader(lambda: source, tmp_path / "worker.log")
    assert reader.read(Wanted(make_status(7, done=9999), orders=True)).orders is None
    source.curves[7] = make_curve(10_000)
    finished = make_status(7, done=10_000)
    assert reader.read(Wanted(finished)).orders is None, "nobody looks at them"
    details = reader.read(Wanted(finished, orders=True))
    assert details.problem == ""
    assert details.orders is not None
    assert (details.orders.ranked[-1], details.orders.mean[-1]) == (40, 40)
    assert (details.orders.ranked[:40] == np.arange(1, 41)).all(), "each of the first images finds one"


def test_marked_campaigns_bring_their_curves(tmp_path: Path) -> None:
    source = FakeSource(curves={7: make_curve(64), 8: make_curve(9)})
    reader = LiveReader(lambda: source, tmp_path / "worker.log")
    marked = make_status(7, done=64), make_status(8, done=9, name="other")
    details = reader.read(Wanted(marked[0], marked))
    assert [(one.id, one.name, len(one.curve.critical)) for one in details.marked] == [
        (7, "lenet5-mnist", 64),
        (8, "other", 9),
    ]
    calls = source.curve_calls
    assert reader.read(Wanted(marked[0], marked)) == details
    assert source.curve_calls == calls
    assert reader.read(Wanted(marked[0])).marked == ()


def test_a_failure_is_a_sentence_beside_what_was_read_before(tmp_path: Path) -> None:
    source = FakeSource(curves={7: make_curve(64)})
    opened: list[int] = []

    def open_source() -> FakeSource:
        opened.append(1)
        return source

    reader = LiveReader(open_source, tmp_path / "worker.log")
    before = reader.read(Wanted(RUNNING))
    source.layers = lambda _campaign: 1 / 0  # type: ignore[assignment,return-value]
    broken = reader.read(Wanted(make_status(7, done=65)))
    assert broken.problem == "The store cannot be read: ZeroDivisionError: division by zero"
    assert broken.layers == before.layers
    del source.layers
    assert reader.read(Wanted(make_status(7, done=65))).problem == ""
    assert len(opened) == 2


def test_its_own_errors_are_told_as_they_are(tmp_path: Path) -> None:
    def refuse() -> FakeSource:
        raise UnreachableError("/data: cannot be read")

    assert LiveReader(refuse, tmp_path / "worker.log").read(Wanted(RUNNING)).problem == "/data: cannot be read"


def test_the_last_lines_of_a_log(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    assert read_log(path) == ()
    path.write_text("one\ntwo\n")
    assert read_log(path) == ("one", "two")
    path.write_text("".join(f"line {number} of a long log, {'x' * 500}\n" for number in range(1000)))
    lines = read_log(path)
    assert lines[-1].startswith("line 999 ")
    assert 0 < sum(map(len, lines)) <= LOG_BYTES
    path.write_bytes(b"caf\xe9 \xff\n" * 100)
    assert len(read_log(path)) == LOG_LINES


def test_a_log_that_is_no_file_has_no_lines_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "worker.log")
    assert read_log(tmp_path / "worker.log") == ()


def test_a_source_that_fails_is_closed_and_a_campaign_of_the_same_number_is_read_anew(tmp_path: Path) -> None:
    source = CountingSource(curves={7: make_curve(64)})
    reader = LiveReader(lambda: source, tmp_path / "worker.log")
    reader.read(Wanted(RUNNING))
    reader.read(Wanted(make_status(7, done=64, state="running", created="2026-02-02T03:04:05Z")))
    assert source.image_calls == 2
    source.image_counts = None  # type: ignore[assignment, method-assign]
    assert reader.read(Wanted(make_status(7, done=128))).problem
    assert source.closed == 1
