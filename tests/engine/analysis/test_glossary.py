"""What the words of tables mean, and where that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.analysis.glossary import TERMS, glossed, once
from engine.analysis.renderers.registry import render
from engine.analysis.result_table import Column, Table, interval

ROOT = Path(__file__).parents[3]
TABLE = Table("", (Column("masked", term="masked"), *interval(0.99)), ((1, 2, 3),), ("pair",))
PAIR, MASKED, INTERVAL = glossed("pair", "masked", "from, to")


def test_the_legend_is_of_the_terms_and_of_the_columns_that_are_shown() -> None:
    assert TABLE.legend == (PAIR, MASKED, INTERVAL)
    assert TABLE.selected([0]).legend == (PAIR, MASKED)
    assert TABLE.selected([2]).legend == (PAIR, INTERVAL)


def test_what_was_said_below_one_table_is_not_said_again() -> None:
    first, second = once([TABLE.selected([0]), TABLE])
    assert first.legend == (PAIR, MASKED)
    assert second.legend == (INTERVAL,)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("md", f"\n- {PAIR}\n- {MASKED}\n- {INTERVAL}\n"),
        ("html", f'</table>\n<p class="legend">{PAIR}<br>{MASKED}<br>{INTERVAL}</p>\n'),
        ("latex", f"\\end{{tabular}}\n\n\\smallskip\\footnotesize\\raggedright\n{PAIR}\\par\n{MASKED}\\par\n"),
    ],
)
def test_papers_and_pages_have_it(name: str, said: str) -> None:
    assert said in render(TABLE, name)


@pytest.mark.parametrize("name", ["text", "csv"])
def test_programs_do_not(name: str) -> None:
    assert "one fault" not in render(TABLE, name)


def test_every_term_stands_in_some_table() -> None:
    glossary = ROOT / "engine" / "analysis" / "glossary.py"
    files = (path for folder in ("engine", "dear_tui") for path in (ROOT / folder).rglob("*.py") if path != glossary)
    code = "".join(path.read_text() for path in files)
    names = {term: (term, term.replace(" ", "_")) for term in TERMS}  # as it is printed or kept
    assert [term for term, spelled in names.items() if not any(f'"{name}"' in code for name in spelled)] == []
