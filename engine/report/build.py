"""A report of campaigns: its chapters in their order."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from engine.report.at_a_glance import glance_chapter
from engine.report.document import Chapter, Document, NamedTable, Picture
from engine.report.findings import findings_chapters
from engine.report.fit import fit_chapter
from engine.report.safety import (
    classes_chapter,
    identity_chapter,
    in_field_chapter,
    marks_of,
    protection_chapter,
    self_test_chapter,
)
from engine.report.side_by_side import side_by_side_chapter
from engine.steps import OnStep, Step, nobody_waits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from engine.report.document import Block
    from engine.report.fit import FitRate
    from engine.report.material import Material


def build_report(
    materials: Sequence[Material],
    rate: FitRate,
    made: datetime,
    title: str | None = None,
    on_step: OnStep = nobody_waits,
) -> Document:
    """The report of one campaign, or of several, each with chapters of its own.

    Args:
        materials: of the campaigns, at least one.
        rate: of upsets.
        made: when.
        title: of several campaigns; None: the name of the only one.
        on_step: told what is being done.
    """
    chapters: list[Chapter] = []
    if len(materials) > 1:
        marks = tuple(mark for material in materials for mark in marks_of(material))
        chapters.append(replace(side_by_side_chapter(materials, title or ""), marks=marks))
    for number, material in enumerate(materials):
        on_step(Step("working out the report", number, len(materials)))
        marks = tuple(marks_of(material))
        own = [replace(_tagged(chapter, material.tag), marks=marks) for chapter in campaign_chapters(material, rate)]
        chapters += own if len(materials) == 1 else [_of_campaign(chapter, material) for chapter in own]
    first = materials[0].status
    return Document(
        title=title or f"{first.name}: {first.network} on {first.dataset}",
        made_by=f"dear-tui {version('dear-tui')}, {made:%Y-%m-%d %H:%M} UTC",
        marks=tuple(dict.fromkeys(mark for chapter in chapters for mark in chapter.marks)),
        chapters=tuple(chapters),
    ).cleaned()


def campaign_chapters(material: Material, rate: FitRate) -> Iterator[Chapter]:
    """What is told of each campaign."""
    yield glance_chapter(material, rate)
    yield from findings_chapters(material)
    yield fit_chapter(material, rate)
    yield classes_chapter(material)
    yield protection_chapter(material, rate)
    yield in_field_chapter(material)
    yield self_test_chapter(material)
    yield identity_chapter(material)


def _tagged(chapter: Chapter, tag: str) -> Chapter:
    """A chapter whose tables and figures say for themselves that their campaign is not whole: they have own files."""
    return replace(chapter, blocks=tuple(_tagged_block(block, tag) for block in chapter.blocks)) if tag else chapter


def _tagged_block(block: Block, tag: str) -> Block:
    if isinstance(block, NamedTable) and block.table.title:
        return replace(block, table=replace(block.table, title=f"{block.table.title} ({tag})"))
    if isinstance(block, Picture):
        return replace(block, figure=replace(block.figure, title=f"{block.figure.title} ({tag})"))
    return block


def _of_campaign(chapter: Chapter, material: Material) -> Chapter:
    """A chapter among those of other campaigns: its title says whose it is, and so do the names of its files."""
    campaign = material.status.id
    blocks = tuple(
        replace(block, name=f"campaign-{campaign}-{block.name}") if isinstance(block, NamedTable | Picture) else block
        for block in chapter.blocks
    )
    return replace(
        chapter, title=f"Campaign {campaign}, {material.status.name}: {chapter.title.lower()}", blocks=blocks
    )
