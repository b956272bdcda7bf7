"""Words become conditions, or a sentence that says how they are written."""

import pytest

from dear_tui.text.filter_words import conditions_of
from engine.errors import InputError
from engine.store.read.fault_results import FAULT_FIELDS
from engine.store.read.image_results import IMAGE_FIELDS

NAMES = ("cat", "dog", "Catfish")


@pytest.mark.parametrize(
    ("words", "sql"),
    [
        ("", []),
        ("bit=30", ["bit = 30.0"]),
        ("bit>=23  cost<0.5", ["bit >= 23.0", "points < 0.5"]),
        ("lost FC1", ["lost > 0", "contains(lower(layer), 'fc1')"]),
        ("layer=it's", ["contains(lower(layer), 'it''s')"]),
    ],
)
def test_words_about_faults(words: str, sql: list[str]) -> None:
    assert [condition.sql for condition in conditions_of(words, FAULT_FIELDS)] == sql


@pytest.mark.parametrize(
    ("words", "sql"),
    [
        ("wrong critical>10", ["NOT golden_correct", "coalesce(critical, 0) > 10.0"]),
        ("label=1", ["label IN (1)"]),
        ("cat", ["(label IN (0, 2) OR golden_class IN (0, 2))"]),
        ("golden=DOG el2n>1e-1", ["golden_class IN (1)", "el2n > 0.1"]),
    ],
)
def test_words_about_images(words: str, sql: list[str]) -> None:
    assert [condition.sql for condition in conditions_of(words, IMAGE_FIELDS, NAMES)] == sql


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("colour=red", "colour: there is nothing of this name here; write one of layer, bit"),
        ("bit", "bit: write it as bit>2"),
        ("bit=", "bit: write it as bit>2"),
        ("bit>high", "bit: write it as bit>2"),
        ("bit<inf", "bit: write it as bit>2"),
        ("lost=1", "lost: write it as lost"),
        ("layer>fc", "layer: write it as layer=part"),
    ],
)
def test_words_that_mean_nothing(words: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        conditions_of(words, FAULT_FIELDS)


def test_a_class_that_there_is_not() -> None:
    with pytest.raises(InputError, match="bird: no class has this in its name; write one of the classes, such as cat"):
        conditions_of("bird", IMAGE_FIELDS, NAMES)
    with pytest.raises(InputError, match="which are numbers here"):
        conditions_of("bird", IMAGE_FIELDS)
