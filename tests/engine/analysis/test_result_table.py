"""Tables of numbers, and how each renderer writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.analysis.renderers.registry import RENDERERS, render
from engine.analysis.result_table import Cell, Column, Kind, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = Table(
    "Layers & bits",
    (Column("layer"), Column("faults_detected", Kind.COUNT), Column("share", Kind.PERCENT, "of <all>")),
    (("conv_1", 16501, 99.284), ("a|b, c", None, 0.5)),
)
TEXT = """\
Layers & bits

layer   faults detected  of <all>
conv_1           16,501   99.28 %
a|b, c                -     0.5 %
"""
CSV = """\
layer,faults_detected,share
conv_1,16501,99.284
"a|b, c",,0.5
"""
MARKDOWN = r"""**Layers & bits**

| layer | faults detected | of \<all\> |
|---|---:|---:|
| conv\_1 | 16,501 | 99.28 % |
| a\|b, c | - | 0.5 % |
"""
LATEX = r"""\begin{table}
\centering
\caption{Layers \& bits}
\begin{tabular}{lrr}
\toprule
layer & faults detected & of \textless{}all\textgreater{} \\
\midrule
conv\_1 & 16,501 & 99.28\,\% \\
a\textbar{}b, c & - & 0.5\,\% \\
\bottomrule
\end{tabular}
\end{table}
"""
HTML = """\
<table>
<caption>Layers &amp; bits</caption>
<thead><tr><th>layer</th><th class="number">faults detected</th><th class="number">of &lt;all&gt;</th></tr></thead>
<tbody>
<tr><td>conv_1</td><td class="number">16,501</td><td class="number">99.28 %</td></tr>
<tr><td>a|b, c</td><td class="number">-</td><td class="number">0.5 %</td></tr>
</tbody>
</table>
"""


@pytest.mark.parametrize(
    ("name", "written"), [("text", TEXT), ("csv", CSV), ("md", MARKDOWN), ("latex", LATEX), ("html", HTML)]
)
def test_every_format(name: str, written: str) -> None:
    assert render(TABLE, name) == written


@pytest.mark.parametrize("name", RENDERERS)
def test_a_table_without_rows_or_title_is_written_too(name: str) -> None:
    assert "layer" in render(Table("", TABLE.columns, ()), name)


def test_a_renderer_is_a_function_and_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def tab_separated(table: Table) -> Iterator[str]:
        return ("\t".join(map(str, row)) for row in table.rows)

    monkeypatch.setitem(RENDERERS, "tsv", tab_separated)
    assert render(TABLE, "tsv") == "conv_1\t16501\t99.284\na|b, c\tNone\t0.5\n"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.ID, 12345, "12345"),
        (Kind.COUNT, 16501, "16,501"),
        (Kind.COUNT, 1697.4, "1,697.4"),
        (Kind.AMOUNT, 165_010_000, "165M"),
        (Kind.PERCENT, 100, "100 %"),
        (Kind.PERCENT, 99.284, "99.28 %"),
        (Kind.PERCENT, 0.6213, "0.621 %"),
        (Kind.PERCENT, 0.0, "0.00 %"),
        (Kind.PERCENT, 1e-5, "<0.001 %"),
        (Kind.PERCENT, -0.55, "-0.55 %"),
        (Kind.SECONDS, 12.345, "12.3 s"),
        (Kind.SECONDS, 59.99, "1m 00s"),
        (Kind.SECONDS, 166_752, "1d 22h"),
        (Kind.RATE, 398_123.0, "398k/s"),
        (Kind.NUMBER, 6.8432, "6.84"),
        (Kind.NUMBER, 3049.2, "3,050"),
        (Kind.NUMBER, 999.7, "1,000"),
        (Kind.NUMBER, 2.5e7, "2.5e+07"),
        (Kind.TEXT, "two\nlines", r"two\nlines"),
        (Kind.COUNT, None, "-"),
    ],
)
def test_a_cell_as_people_read_it(kind: Kind, value: Cell, text: str) -> None:
    assert Column("x", kind).text(value) == text


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a row has 1 cells for 3 columns"):
        Table("t", TABLE.columns, ((1,),))
