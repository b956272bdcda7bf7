"""Questions of the screens: what is asked, and when two are the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from dear_tui.access import results
from dear_tui.access.results import question
from engine.analysis.accuracy_cost import CRITICAL, HELPS
from engine.faults.group import FaultGroup

if TYPE_CHECKING:
    from engine.store.read.reading import StoreReader


def test_a_question_is_asked_with_its_arguments() -> None:
    store = cast("StoreReader", SimpleNamespace(mistakes=lambda campaign, image: (campaign, image)))
    assert question(results.mistakes, 3, 17).ask(store) == (3, 17)


def test_questions_are_the_same_where_function_and_arguments_are() -> None:
    assert question(results.rates, 3, CRITICAL) == question(results.rates, 3, CRITICAL)
    assert question(results.rates, 3, CRITICAL) != question(results.rates, 4, CRITICAL)
    assert question(results.rates, 3, CRITICAL) != question(results.rates, 3, HELPS)
    assert question(results.pictures, 3) != question(results.one_fault, 3, FaultGroup())
