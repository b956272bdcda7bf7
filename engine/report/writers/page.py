"""A report as one HTML page that needs nothing else: no script, no style or picture from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from engine.analysis.renderers.registry import render
from engine.figures.svg import to_svg
from engine.report.document import Answers, NamedTable, Paragraph

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.report.document import Document

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1c2126; --soft: #5d6872; --line: #d5dbe1; --stripe: #f5f7f9;
  --mark: #fff4d6; --mark-line: #e0a000; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181c; --ink: #e4e8ec; --soft: #9aa7b3; --line: #38424c;
  --stripe: #1b2127; --mark: #33290f; --mark-line: #b98a1a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 70rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
p { margin: .6rem 0; max-width: 46rem; }
.made, figcaption, caption, .legend { color: var(--soft); font-size: .875rem; }
.mark { background: var(--mark); border-left: 4px solid var(--mark-line); padding: .5rem .75rem; margin: .5rem 0;
  max-width: none; }
nav { font-size: .875rem; margin: 1rem 0; } nav a { color: inherit; margin-right: .9rem; white-space: nowrap; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0 0 .35rem; font-weight: 600; }
th, td { padding: .3rem .7rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line);
  overflow-wrap: break-word; }
th { font-weight: 600; overflow-wrap: normal; } .number { text-align: right; padding-left: .7rem; }
td.number { white-space: nowrap; } td:not(.number) { min-width: 5rem; }
tbody tr:nth-child(even) { background: var(--stripe); }
.glance { display: grid; grid-template-columns: max-content 1fr; gap: .55rem 1.25rem; margin: 1rem 0; }
.glance dt { font-weight: 600; } .glance dd { margin: 0; }
figure { margin: 1.5rem 0; } svg { max-width: 100%; height: auto; }
@media (max-width: 34rem) { .glance { display: block; } .glance dt { margin-top: .8rem; } }
@media print { :root { --ground: #fff; --ink: #000; --soft: #444; --line: #bbb; --stripe: #fff; --mark: #fff; }
  body { max-width: none; font-size: 10pt; padding: 0; } nav { display: none; } h2 { break-after: avoid; }
  figure, tr, .scroll { break-inside: avoid; } .scroll { overflow: visible; } svg { max-width: 75%; }
  thead { display: table-header-group; } }
"""


def as_html(document: Document) -> str:
    """The page; marks stand at its head, and again above every chapter, so that each printed one has them."""
    return "".join(f"{line}\n" for line in _lines(document))


def _lines(document: Document) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(document.title)}</title><style>{STYLE}</style></head><body>"
    yield f"<h1>{escape(document.title)}</h1>"
    yield f'<p class="made">{escape(document.made_by)}</p>'
    yield from map(_mark, document.marks)
    links = (
        f'<a href="#chapter-{number}">{escape(chapter.title)}</a>' for number, chapter in enumerate(document.chapters)
    )
    yield f"<nav>{' '.join(links)}</nav>"
    pictures = 0
    for number, chapter in enumerate(document.chapters):
        is_first = number == 0
        yield f'<section id="chapter-{number}">'
        yield f"<h2>{escape(chapter.title)}</h2>"
        if not is_first:
            yield from map(_mark, chapter.marks)
        for block in chapter.blocks:
            if isinstance(block, Paragraph):
                yield f"<p>{escape(block.text)}</p>"
            elif isinstance(block, Answers):
                yield '<dl class="glance">'
                for question, answer in block.rows:
                    yield f"<dt>{escape(question)}</dt><dd>{escape(answer)}</dd>"
                yield "</dl>"
            elif isinstance(block, NamedTable):
                yield f'<div class="scroll">{render(block.table, "html")}</div>'
            else:
                yield f"<figure>{to_svg(block.figure, place_in_page=pictures)}"
                yield f"<figcaption>{escape(block.caption)}</figcaption></figure>"
                pictures += 1
        yield "</section>"
    yield "</body></html>"


def _mark(mark: str) -> str:
    return f'<p class="mark">{escape(mark)}</p>'
