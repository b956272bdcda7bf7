"""Reports of campaigns of every kind, in every format: what they must say, and what no name may do to them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pytest

from engine.errors import InputError
from engine.report.build import build_report
from engine.report.document import Answers, Document, NamedTable
from engine.report.fit import FitRate
from engine.report.folder import write_folder
from engine.report.formats import FILE_FORMATS, REPORT_FORMATS, TEXT_FORMATS
from engine.report.material import read_material
from engine.report.paper import published
from engine.report.record import as_record
from engine.report.safety import marks_of, published_table
from engine.report.side_by_side import comparable, seeds_table
from engine.report.writers.extra import MissingExtraError
from engine.report.writers.registry import BINARIES, PICTURES, TEXTS
from engine.store import Store
from tests.conftest import in_one_thread
from tests.engine.report.conftest import (
    CRITICAL,
    FILTERED,
    FINISHED,
    NAMED,
    SCREENED,
    SEED,
    STOPPED,
    SUBSET,
    UNFINISHED,
)
from tests.engine.running.test_campaign import after, run
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

MADE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ALL = (FINISHED, UNFINISHED, SCREENED, CRITICAL, FILTERED, SUBSET, STOPPED, SEED, NAMED)


def report_of(store: Store, *campaigns: int, budget: float | None = None) -> Document:
    materials = [read_material(store, campaign) for campaign in campaigns]
    return build_report(materials, FitRate(budget=budget), MADE)


def table(document: Document, name: str) -> NamedTable:
    return next(each for each in document.tables() if each.name == name)


@pytest.mark.parametrize("campaign", ALL)
def test_every_campaign_has_a_report_in_every_format(opened: Store, campaign: int) -> None:
    document = report_of(opened, campaign, budget=10)
    for name, write in TEXTS.items():
        assert len(write(document)) > 1000, name
    assert BINARIES["pdf"](document).startswith(b"%PDF")
    for picture in document.pictures():
        ElementTree.fromstring(PICTURES["svg"](picture))
    assert PICTURES["png"](next(document.pictures())).startswith(b"\x89PNG")
    assert {chapter.title for chapter in document.chapters} >= {"At a glance", "Failures in time (FIT)", "Self-test"}


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.addresses += [str(values[name]) for name in ("src", "href") if name in values]
        self.ids += [str(values["id"])] if "id" in values else []
        if tag not in ("meta", "br", "rect", "path", "circle", "polyline", "polygon", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("campaigns", [(NAMED,), (FINISHED, SEED, SCREENED)])
def test_the_page_needs_nothing_else_and_is_well_formed(opened: Store, campaigns: tuple[int, ...]) -> None:
    text = TEXTS["html"](report_of(opened, *campaigns))
    page = Page(text)
    assert page.open == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert all(address.startswith("#chapter-") for address in page.addresses)
    assert len(page.ids) == len(set(page.ids))
    assert "url(" not in re.sub(r"url\(#area\d+\)", "", text)
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
    assert "@media print" in text
    assert len(text) < 2_000_000


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_name_does_nothing(opened: Store, name: str) -> None:
    text = TEXTS[name](report_of(opened, NAMED))
    assert "\x1b" not in text
    assert "\x07" not in text
    if name == "html":
        assert "<script" not in text
    if name == "latex":
        assert not re.search(r"(?<!\\)[%$&#_](?=x|y| 100|b)", text.replace(" & ", " "))
    json.dumps(as_record(report_of(opened, NAMED), [read_material(opened, NAMED)], FitRate()))


def marks(store: Store, campaign: int) -> str:
    return " | ".join(marks_of(read_material(store, campaign)))


def test_what_is_not_a_whole_campaign_says_so_on_every_page(opened: Store) -> None:
    assert marks(opened, FINISHED) == ""
    assert "is not finished (paused)" in marks(opened, UNFINISHED)
    assert "was screened" in marks(opened, SCREENED)
    assert "asked for critical faults alone" in marks(opened, CRITICAL)
    assert "is of some faults alone: layers fc*; bits 30" in marks(opened, FILTERED)
    assert "ran the 10 hardest of 40 images, so that rates are higher" in marks(opened, SUBSET)
    assert "stopped after" in marks(opened, STOPPED)
    several = report_of(opened, FINISHED, SCREENED)
    assert [chapter.marks != () for chapter in several.chapters] == [
        "Campaign 1," not in chapter.title for chapter in several.chapters
    ]
    document = report_of(opened, UNFINISHED)
    page = TEXTS["html"](document)
    assert page.count("is not finished (paused)") == len(document.chapters)  # at the head, and above all but the first
    for name in ("text", "md"):
        assert "is not finished (paused)" in TEXTS[name](document)


def test_of_an_unfinished_campaign_the_images_are_told_that_met_all_faults(opened: Store) -> None:
    """The same as a finished campaign on these images tells."""
    material = read_material(opened, UNFINISHED)
    status, whole = material.status, opened.campaign(UNFINISHED)
    assert 0 < status.images < whole.images
    assert status.masked + status.non_critical + status.critical == status.faults * status.images == status.pairs
    rows = opened.read(
        f"SELECT count(*)::BIGINT AS critical FROM severity JOIN images USING (campaign, image_id) "
        f"WHERE campaign = {UNFINISHED} AND severity = 2 AND rank < {status.images}"
    )
    assert status.critical == len(material.summary.critical_fault) == int(rows["critical"][0])


def test_what_was_found_is_what_the_store_has(opened: Store) -> None:
    document = report_of(opened, FINISHED)
    row = table(document, "table-1").table.rows[0]
    stored = opened.read(
        f"SELECT 100 * sum(critical) / sum(masked + non_critical + critical) AS percent, "
        f"count(*) FILTER (critical > 0)::BIGINT AS faults FROM fault_summary WHERE campaign = {FINISHED}"
    )
    assert row[7] == pytest.approx(float(stored["percent"][0]))
    assert row[8] == int(stored["faults"][0])
    classes = {each[0]: each for each in table(document, "classes").table.rows}
    assert classes["SDC-1"][4] == opened.campaign(FINISHED).critical
    for name, where in (
        ("SDC-5", "nonfinite OR NOT golden_in_top5"),
        ("loss > 10 points", "nonfinite OR softmax_lost > 0.1"),
        ("loss > 20 points", "nonfinite OR softmax_lost > 0.2"),
        ("not finite", "nonfinite"),
    ):
        counted = opened.read(f"SELECT count(*)::BIGINT AS n FROM critical WHERE campaign = {FINISHED} AND ({where})")
        assert classes[name][4] == int(counted["n"][0]), name
    critical, right_lost, *costs, helps = (row[4] for row in table(document, "accuracy-costs").table.rows)
    assert critical >= right_lost >= costs[0] >= costs[1] >= costs[2] >= costs[3]  # type: ignore[operator]
    golden = int(
        opened.read(f"SELECT sum(golden_correct::INT)::BIGINT AS n FROM images WHERE campaign = {FINISHED}")["n"][0]
    )
    falls = opened.read(
        f"SELECT count(*) FILTER (correct < {golden})::BIGINT AS falls, count(*) FILTER (correct > {golden})::BIGINT "
        f"AS rises FROM fault_summary WHERE campaign = {FINISHED}"
    )
    assert (costs[0], helps) == (int(falls["falls"][0]), int(falls["rises"][0]))


def test_the_first_page_answers_in_words(opened: Store) -> None:
    answers = next(block for block in report_of(opened, FINISHED).chapters[0].blocks if isinstance(block, Answers))
    assert [question for question, _ in answers.rows] == [
        "How fragile?",
        "Where?",
        "How sure?",
        "What to do?",
        "In safety terms?",
        "What did it cost?",
    ]
    assert all(len(answer) > 30 for _, answer in answers.rows)


def test_more_test_images_detect_more_of_the_faults_that_did_not_choose_them(opened: Store) -> None:
    found = read_material(opened, FINISHED).coverage_of_tests
    values = [each.detected.value for each in found]
    assert values == sorted(values)
    assert [each.images for each in found] == sorted({each.images for each in found})
    assert all(each.detected.low <= each.detected.value <= each.detected.high for each in found)


def test_campaigns_that_cannot_be_compared_are_kept_apart(opened: Store) -> None:
    materials = [read_material(opened, campaign) for campaign in (FINISHED, SEED, FILTERED, SUBSET)]
    assert [[each.status.id for each in group] for group in comparable(materials)] == [
        [FINISHED, SEED],
        [FILTERED],
        [SUBSET],
    ]
    document = build_report(materials, FitRate(), MADE)
    names = [each.name for each in document.tables()]
    assert "table-3-1" in names
    assert "table-3-2" not in names
    assert len(names) == len(set(names))
    rows = seeds_table(materials[:2]).rows
    assert [row[0] for row in rows] == ["seed 7", "seed 42", "mean"]
    assert rows[2][2] == pytest.approx((rows[0][2] + rows[1][2]) / 2)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("status", "faults", "is_same"),
    [
        ({}, {}, True),
        ({}, {"sampling": "proportional"}, True),
        ({"images": 1_000}, {}, False),
        ({"faults": 400}, {}, False),
        ({"network": "resnet20", "dataset": "cifar10"}, {}, False),
        ({"state": "paused"}, {}, False),
        ({"dropped": 1}, {}, False),
        ({}, {"bits": [30]}, False),
        ({}, {"layers": ["fc1"]}, False),
        ({}, {"sampling": "layer"}, False),
        ({}, {"model": "stuck_at"}, False),
    ],
)
def test_the_papers_rows_stand_only_beside_the_same_setting(
    opened: Store, status: dict[str, Any], faults: dict[str, Any], is_same: bool
) -> None:
    paper: dict[str, Any] = {"network": "lenet5", "dataset": "mnist", "images": 10_000, "faults": 16_501}
    campaign = replace(opened.campaign(FINISHED), **(paper | status))
    assert (published(campaign, {"faults": faults}) is not None) == is_same


def test_a_list_with_counts_of_its_own_is_compared_with_them(opened: Store, tmp_path: Path) -> None:
    material = read_material(opened, FINISHED)
    path = tmp_path / "list.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Injection", "Bit", "critical", "n_injections"])
        counts = zip(material.bit.tolist(), material.summary.critical.tolist(), strict=True)
        rows.writerows([number, bit, count, 40] for number, (bit, count) in enumerate(counts))
    config = {**material.config, "faults": {"sampling": "list", "list": str(path)}}
    with_list = type(material)(**{**vars(material), "description": {**material.description, "config": config}})
    found = published_table(with_list)
    assert found is not None
    assert all(row[2] == pytest.approx(row[3]) for row in found.rows)
    as_it_ran = path.read_text()
    path.write_text(as_it_ran.replace(f"0,{material.bit[0]},", f"0,{material.bit[0] ^ 1},", 1))
    assert published_table(with_list) is None, "another list by now"
    path.write_text(as_it_ran + "999,3,1,40\n")
    assert published_table(with_list) is None, "a longer one"
    path.write_text("Injection,critical\n0,1\n")
    assert published_table(with_list) is None
    path.unlink()
    assert published_table(with_list) is None
    os.mkfifo(path)
    assert published_table(with_list) is None, "which must not wait"


def test_the_record_has_what_scripts_ask_for(opened: Store) -> None:
    materials = [read_material(opened, FINISHED), read_material(opened, SEED)]
    one = as_record(build_report(materials[:1], FitRate(budget=5), MADE), materials[:1], FitRate(budget=5))
    assert set(one["fit"]) == {"per_inference", "nonfinite", "any_image"}
    assert set(one["fit"]["any_image"]) == {"value", "low", "high"}
    assert (one["id"], one["fit_budget"], one["fit_per_mbit"]) == (FINISHED, 5, 1000)
    several = as_record(build_report(materials, FitRate(), MADE), materials, FitRate())
    assert [each["id"] for each in several["campaigns"]] == [FINISHED, SEED]
    assert several["campaigns"][0]["critical_pairs"] == one["critical_pairs"]
    assert json.loads(json.dumps(several, allow_nan=False)) == several


def test_a_folder_has_every_format_and_nothing_is_overwritten_unasked(opened: Store, tmp_path: Path) -> None:
    document, record = report_of(opened, FINISHED), {"format": 1}
    written, missing = write_folder(tmp_path / "out", document, record, None)
    assert missing == []
    endings = {path.suffix for path in written}
    assert endings == {".html", ".txt", ".md", ".json", ".csv", ".tex", ".svg", ".png", ".pdf"}
    assert all(path.stat().st_size for path in written)
    assert not list(tmp_path.rglob("*.tmp"))
    with pytest.raises(
        InputError, match=r"report\.html and \d+ more files of the report are there already; add --force"
    ):
        write_folder(tmp_path / "out", document, record, None)
    before = (tmp_path / "out" / "report.html").stat().st_mtime_ns
    assert write_folder(tmp_path / "out", document, record, None, force=True)[0] == written
    assert (tmp_path / "out" / "report.html").stat().st_mtime_ns > before


def test_every_format_has_what_writes_it() -> None:
    assert set(TEXT_FORMATS) == set(TEXTS)
    assert set(FILE_FORMATS) == {*BINARIES, *PICTURES}


@pytest.mark.parametrize("name", REPORT_FORMATS)
def test_one_format_alone(opened: Store, tmp_path: Path, name: str) -> None:
    document = report_of(opened, FINISHED)
    written, _ = write_folder(tmp_path, document, {"format": 1}, name)
    endings = {path.suffix.removeprefix(".") for path in written}
    expected = {"text": {"txt"}, "latex": {"tex"}, "md": {"md", "svg"}}.get(name, {name})
    assert len(written) > 1 or name in ("text", "html", "json")
    assert endings == expected


def test_a_folder_that_cannot_be_written_is_one_sentence(opened: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written .* give --out a folder that can be"):
        write_folder(tmp_path / "file" / "out", report_of(opened, FINISHED), {}, "text")


def test_without_the_extra_the_rest_is_written_and_it_is_said(
    opened: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "reportlab", None)
    written, missing = write_folder(tmp_path, report_of(opened, FINISHED), {}, None)
    assert {path.suffix for path in written} == {".html", ".txt", ".md", ".json", ".csv", ".tex", ".svg"}
    assert [sentence.split(",")[0] for sentence in missing] == [
        "PNG needs reportlab",
        "PDF needs reportlab",
    ]
    assert all("pip install 'dear-tui[report]'" in sentence for sentence in missing)
    with pytest.raises(MissingExtraError, match="PDF needs reportlab"):
        write_folder(tmp_path / "pdf", report_of(opened, FINISHED), {}, "pdf")


def test_tables_are_readable_by_programs(opened: Store, tmp_path: Path) -> None:
    write_folder(tmp_path, report_of(opened, FINISHED), {}, "csv")
    for path in (tmp_path / "tables").iterdir():
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
        assert len(rows) > 1, path
        assert len({len(row) for row in rows}) == 1, path


def test_nothing_critical_divides_by_nothing(opened: Store) -> None:
    material = read_material(opened, FINISHED)
    summary = material.summary.of_first(material.status.images)
    none = np.zeros_like(summary.critical)
    empty = type(summary)(
        **{
            **vars(summary),
            "critical": none,
            "nonfinite": none,
            "masked": summary.masked + summary.critical,
            "critical_fault": summary.critical_fault[:0],
            "critical_image": summary.critical_image[:0],
            "status": type(summary.status)(
                **{**vars(summary.status), "critical": 0, "masked": summary.status.masked + summary.status.critical}
            ),
        }
    )
    harmless = type(material)(**{**vars(material), "summary": empty})
    document = build_report([harmless], FitRate(budget=1), MADE)
    text = TEXTS["text"](document)
    assert "no fault changed any answer" in text
    assert "nothing needs protection" in text
    assert "none seen: at most this much" in text


def test_of_a_campaign_in_waves_the_faults_are_told_of_the_waves_that_are_done(tmp_path: Path) -> None:
    faults = {"count": 320, "bits": None}
    config = write_config(tmp_path, faults=faults, run={"precision": 0.001})
    with in_one_thread():
        assert run(config, tmp_path / "store", after(40)).state == "paused"
    with Store.open(tmp_path / "store", read_only=True) as store:
        material = read_material(store, 1)
        document = build_report([material], FitRate(), MADE)
    status = material.status
    assert (status.images, status.faults) == (40, material.curve.faults)
    assert 0 < status.faults < 320
    assert len(material.layer) == len(material.bit) == status.faults
    assert status.masked + status.non_critical + status.critical == status.pairs
    assert f"of 320 faults {status.faults}" in document.marks[0]


@pytest.mark.parametrize(
    ("campaign", "tag"),
    [(FINISHED, ""), (UNFINISHED, "not finished"), (SCREENED, "screened"), (CRITICAL, "pairs dropped"),
     (FILTERED, "some layers or bits"), (SUBSET, "some images")],
)  # fmt: skip
def test_each_table_and_figure_says_by_itself_what_its_campaign_is_not(opened: Store, campaign: int, tag: str) -> None:
    """They are taken out of the report."""
    document = report_of(opened, campaign)
    titles = [each.table.title for each in document.tables() if each.table.title]
    titles += [each.figure.title for each in document.pictures()]
    assert titles
    whole = read_material(opened, campaign).tag
    assert tag in whole
    assert (whole == "") == (tag == "")
    assert all(title.endswith(f"({whole})") for title in titles if whole)
