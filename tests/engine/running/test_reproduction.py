"""A report's campaign run again: the same pairs are critical, or it is said what is another thing now."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.report.build import build_report
from engine.report.fit import FitRate
from engine.report.material import read_material
from engine.report.record import as_record
from engine.running.fingerprint import fingerprint
from engine.running.reproduction import read_reported, reproduce
from engine.store import Store
from tests.engine.running.test_campaign import Recorder, after, run
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("one_thread")


def reported(folder: Path, stop_after: int | None = None, **changes: Any) -> Path:
    """The report.json of a small campaign."""
    config, store = write_config(folder, **changes), folder / "store"
    run(config, store, (lambda: False) if stop_after is None else after(stop_after))
    with Store.open(store, read_only=True) as opened:
        material = read_material(opened, 1)
    document = build_report([material], FitRate(), datetime.now(UTC))
    path = folder / "report.json"
    path.write_text(json.dumps(as_record(document, [material], FitRate())))
    return path


def again(path: Path) -> Any:
    (only,) = read_reported(path)
    return reproduce(only, str(path), Recorder(), lambda: False)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"run": {"method": "fast"}},
        {"run": {"method": "screened"}},
        {"run": {"goal": "critical_faults"}},
        {"faults": {"count": 320, "bits": None}, "run": {"precision": 0.5}},
    ],
)
def test_the_same_machine_gives_the_same_pairs(tmp_path: Path, changes: dict[str, Any]) -> None:
    found = again(reported(tmp_path, **changes))
    assert found.is_same
    assert found.changed == ()
    assert "reproduces: the same pairs are critical; pairs masked" in found.sentence


def test_another_result_is_seen(tmp_path: Path) -> None:
    path = reported(tmp_path)
    record = json.loads(path.read_text())
    record["critical_pairs"]["sha256"] = "0" * 64
    path.write_text(json.dumps(record))
    found = again(path)
    assert not found.is_same
    assert "does not reproduce: other pairs are critical" in found.sentence


def test_other_images_are_another_campaign_and_are_not_run(tmp_path: Path) -> None:
    path = reported(tmp_path)
    with np.load(tmp_path / "set.npz") as arrays:
        images, labels = arrays["images"].copy(), arrays["labels"]
    images[0] = 255 - images[0]
    np.savez(tmp_path / "set.npz", images=images, labels=labels)
    recorder = Recorder()
    (only,) = read_reported(path)
    found = reproduce(only, str(path), recorder, lambda: False)
    assert found is not None
    assert not found.is_same
    assert recorder.progress == []
    assert "does not reproduce, because it is not the same: images " in found.sentence
    assert "(now " in found.sentence


def test_what_may_come_out_the_same_all_the_same_is_run_and_said(tmp_path: Path) -> None:
    path = reported(tmp_path)
    record = json.loads(path.read_text())
    record["identity"]["torch"] = "1.0"
    record["fingerprint"] = fingerprint(record["identity"])
    path.write_text(json.dumps(record))
    found = again(path)
    assert found.is_same
    assert "(though with torch 1.0 (now " in found.sentence


def test_a_stop_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = reported(tmp_path)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (only,) = read_reported(path)
    assert reproduce(only, str(path), Recorder(), after(1)) is None
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_unfinished_campaign_cannot_be_reproduced(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="campaign 1 was paused when it was reported; report it again"):
        read_reported(reported(tmp_path, stop_after=4))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "is no report.json"),
        ("{}", "is no report.json"),
        ('{"format": 1}', "is no report.json"),
        ('{"format": 1, "campaigns": [3]}', "is no report.json"),
        ('{"format": 1, "campaigns": []}', "has no campaign"),
        ("[" * 100_000, "is no JSON"),
        ('{"format": 99}', "made by a newer version"),
        ('{"format": "x"}', "is no report.json"),
    ],
)
def test_what_is_no_report_is_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(InputError, match=said):
        read_reported(path)


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [("identity", "torch", "1.0"), ("identity", None, {}), ("numerics", "threads", "-3"),
     ("numerics", "threads", "100000"), ("counts", "critical", float("inf")), ("counts", "critical", None)],
)  # fmt: skip
def test_an_edited_report_is_refused(tmp_path: Path, table: str, key: str | None, value: object) -> None:
    path = reported(tmp_path)
    record = json.loads(path.read_text())
    if key is None:
        record[table] = value
    else:
        record[table][key] = value
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"has been edited|is no report\.json"):
        read_reported(path)


def test_an_edited_count_does_not_reproduce(tmp_path: Path) -> None:
    path = reported(tmp_path)
    record = json.loads(path.read_text())
    record["counts"]["critical"] += 1
    path.write_text(json.dumps(record))
    assert not again(path).is_same


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no such file; give a report\.json"):
        read_reported(tmp_path / "none.json")
