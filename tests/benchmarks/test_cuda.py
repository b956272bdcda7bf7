"""The script that proves a GPU, on the CPU: its logic, not its figures."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import torch

from tests.benchmarks import cuda

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_on_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "figures.json"
    options = ["--device", "cpu", "--networks", "lenet5", "--images", "32", "--pairs", "500", "--share", "100"]
    monkeypatch.setattr(sys, "argv", ["cuda", *options, "--out", str(out)])
    monkeypatch.setattr(cuda, "NAIVE_SECONDS", 0.05)
    monkeypatch.setattr(cuda, "FULL", set())
    cuda.main()
    (figures,) = json.loads(out.read_text())
    assert figures["repeats"]
    assert figures["naive_pairs_per_s"] > 0
    for method in ("exact", "fast", "screened"):
        agreement = figures["agreement"][method]
        assert agreement["pairs"] >= 500
        assert agreement["critical_differs"] == agreement["prediction_differs"] == agreement["nonfinite_differs"] == 0
    assert figures["agreement"]["exact"]["severity_differs"] == 0
    assert figures["agreement"]["screened"]["screened"] > 0
    assert figures["speed"]["fast"]["pairs"] == 166 * 32
    assert figures["speed"]["fast"]["launches_per_million"] > 0
    shown = capsys.readouterr().out
    assert "lenet5: the same bits in a second run" in shown


def test_tf32_is_told_from_float32() -> None:
    """On a GPU the first number is a thousandth of the second; a CPU has no TF32."""
    report = cuda.tf32_report("cpu")
    assert "as it is run here" in report
    assert not torch.backends.cuda.matmul.allow_tf32
