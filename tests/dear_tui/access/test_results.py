"""Questions of the screens: what is asked, and when two are the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from dear_tui.access import results
from dear_tui.access.results import question

if TYPE_CHECKING:
    from engine.store.read.reading import StoreReader


def test_a_question_is_asked_with_its_arguments() -> None:
    store = cast("StoreReader", SimpleNamespace(mistakes=lambda campaign, image: (campaign, image)))
    assert question(results.mistakes, 3, 17).ask(store) == (3, 17)


def test_questions_are_the_same_where_function_and_arguments_are() -> None:
    assert question(results.rates, 3) == question(results.rates, 3)
    assert question(results.rates, 3) != question(results.rates, 4)
    assert question(results.rates, 3) != question(results.pictures, 3)
