"""Saved and past queries on disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from dear_tui.query import book as book_module
from dear_tui.query.book import LONGEST_PAST, PastQuery, QueryBook
from dear_tui.query.questions import NamedQuery
from engine.errors import InputError
from tests.small_disk import small_disk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def book(tmp_path: Path) -> QueryBook:
    return QueryBook(tmp_path / "new" / "queries", tmp_path / "state" / "past.jsonl")


def test_queries_are_saved_listed_by_name_replaced_and_deleted(book: QueryBook) -> None:
    assert book.saved() == []
    book.save("worst bits", "SELECT 1\nFROM faults")
    book.save("größe", "SELECT 2")
    book.save("worst bits", "SELECT 3")
    assert book.saved() == [NamedQuery("größe", "SELECT 2"), NamedQuery("worst bits", "SELECT 3")]
    assert book.has("größe")
    book.delete("größe")
    book.delete("größe")
    assert not book.has("größe")
    assert book.saved() == [NamedQuery("worst bits", "SELECT 3")]


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a\\b", ".hidden", "a\0b", "n" * 101])
def test_a_name_that_cannot_be_a_file_is_refused(book: QueryBook, name: str) -> None:
    with pytest.raises(InputError, match="cannot be a name"):
        book.save(name, "SELECT 1")
    assert book.saved() == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    book = QueryBook(tmp_path / "file" / "queries", tmp_path / "file" / "past")
    with pytest.raises(InputError, match=r"q\.sql: cannot be written \(Not a directory\)"):
        book.save("q", "SELECT 1")
    book.remember(PastQuery("now", "SELECT 1"))
    assert (book.saved(), book.past()) == ([], [])


def test_a_file_that_is_no_text_is_passed_over(book: QueryBook) -> None:
    book.save("good", "SELECT 1")
    (book.folder / "bad.sql").write_bytes(b"\xff\xfe")
    assert [query.name for query in book.saved()] == ["good"]


def test_the_past_is_newest_first_and_each_query_once(book: QueryBook, tmp_path: Path) -> None:
    for when, sql in (("1", "SELECT 1"), ("2", "SELECT\n2"), ("3", "SELECT 1")):
        book.remember(PastQuery(when, sql))
    with (tmp_path / "state" / "past.jsonl").open("a") as file:
        file.write("{damaged\n")
    book.remember(PastQuery("4", "x" * (LONGEST_PAST + 1)))
    assert book.past() == [PastQuery("3", "SELECT 1"), PastQuery("2", "SELECT\n2")]


def test_the_past_is_cut(book: QueryBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "MOST_PAST", 3)
    for number in range(7):
        book.remember(PastQuery(str(number), f"SELECT {number}"))
    assert [query.when for query in book.past()] == ["6", "5", "4"]


def test_what_is_no_file_is_not_waited_for(book: QueryBook, tmp_path: Path) -> None:
    book.save("good", "SELECT 1")
    (tmp_path / "state").mkdir()
    for pipe in (book.folder / "pipe.sql", tmp_path / "state" / "past.jsonl"):
        os.mkfifo(pipe)
    assert [query.name for query in book.saved()] == ["good"]
    book.remember(PastQuery("now", "SELECT 1"))
    assert book.past() == []


def test_one_damaged_byte_costs_one_query_of_the_past(book: QueryBook, tmp_path: Path) -> None:
    past = [PastQuery("1", "SELECT 'a\u2028b'"), PastQuery("2", "SELECT 2"), PastQuery("3", "SELECT 3")]
    for query in past:
        book.remember(query)
    file = tmp_path / "state" / "past.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"when": "2"', b'\xff"when": "2"'))
    assert book.past() == [past[2], past[0]]


def test_a_saved_query_stays_where_there_is_no_room_for_a_new_one(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "64k") as disk:
        book = QueryBook(disk, tmp_path / "past.jsonl")
        book.save("q", "SELECT 1")
        with pytest.raises(InputError, match=r"q\.sql: cannot be written \(No space left on device\); "):
            book.save("q", "SELECT 2 -- " + "x" * 100_000)
        assert book.saved() == [NamedQuery("q", "SELECT 1")]


def test_a_saved_query_that_cannot_be_deleted_is_said(book: QueryBook) -> None:
    (book.folder / "q.sql").mkdir(parents=True)
    with pytest.raises(InputError, match=r"q\.sql: cannot be removed \(Is a directory\); check the folder"):
        book.delete("q")
