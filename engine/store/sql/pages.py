"""The rows of one run of a query, page by page: what was read is kept, so that going back runs nothing again."""

from __future__ import annotations

import os
import tempfile
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

KEPT_BYTES = 128_000_000
"""on disk, compressed, in a nameless file that goes with the program: tens of millions of rows of a few numbers"""


class KeptPages:
    """Pages in the order in which they were read; one thread adds, others may read."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._only: pa.Table | None = None
        """the first page, where there is no room for a file: rows are shown all the same"""
        self._places: list[tuple[int, int]] = []
        """where each page begins in the file, and its bytes"""
        self._lock = threading.Lock()
        self.is_full = False
        """whether pages were dropped, because the file may not grow further"""

    def __len__(self) -> int:
        return len(self._places)

    def add(self, rows: pa.Table) -> None:
        """Keep another page; once there is no room, this one and all after it are dropped, but not the first one."""
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
            writer.write_table(rows)
        page = sink.getvalue()
        with self._lock:
            end = sum(self._places[-1]) if self._places else 0
            is_too_much = end + page.size > KEPT_BYTES and bool(self._places)
            self.is_full = self.is_full or is_too_much or self._only is not None
            if self.is_full:
                return
            try:
                self._write(memoryview(page), end)
            except OSError:  # the disk is full, or there is no folder for temporary files
                if self._places:
                    self.is_full = True
                    return
                self._only = rows
            self._places.append((end, page.size))

    def read(self, index: int) -> pa.Table:
        """A page that is kept."""
        import pyarrow as pa

        start, size = self._places[index]
        with self._lock:
            if self._only is not None or self._file is None:
                return self._only
            page = os.pread(self._file.fileno(), size, start)
        return pa.ipc.open_stream(page).read_all()

    def reader(self, names: list[str]) -> pa.RecordBatchReader:
        """All pages that are kept, one at a time, their columns under these names."""
        import pyarrow as pa

        def batches() -> Iterator[pa.RecordBatch]:
            for index in range(len(self)):
                yield from self.read(index).rename_columns(names).to_batches()

        return pa.RecordBatchReader.from_batches(self.read(0).rename_columns(names).schema, batches())

    def close(self) -> None:
        """Drop all pages."""
        with self._lock:
            if self._file is not None:
                self._file.close()

    def _write(self, page: memoryview, place: int) -> None:
        """Without a buffer, which would keep what a full disk did not take, and fail whatever is done next.

        Raises:
            OSError: there is no room, or no folder for it.
        """
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the statement
        while page:
            written = os.pwrite(self._file.fileno(), page, place)
            page, place = page[written:], place + written


def pages(batches: pa.RecordBatchReader, size: int) -> Iterator[tuple[pa.Table, bool]]:
    """Pages of `size` rows, the last one of fewer, and whether rows come after each; there is one at least."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        while rows > size:
            table = pa.Table.from_batches(waiting, batches.schema)
            yield table.slice(0, size), True
            waiting, rows = table.slice(size).to_batches(), rows - size
    yield pa.Table.from_batches(waiting, batches.schema), False
