"""`dear-tui check`: what it prints, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from dear_tui.cli import main
from engine.injection.check.self_check import CheckResult, FallBack
from tests.small_campaign import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from engine.injection.injection import Injection

pytestmark = pytest.mark.usefixtures("one_thread")

NOISY = """
import torch.nn.functional as F
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(784, 10)
    def forward(self, x):
        return self.head(F.dropout(x.flatten(1), 0.1))
"""


def noisy(folder: Path) -> Path:
    (folder / "noisy.py").write_text(NOISY)
    head = nn.Linear(784, 10)
    torch.save({"head.weight": head.weight.detach(), "head.bias": head.bias.detach()}, folder / "noisy.pt")
    return write_config(folder, "noisy.toml", model={"arch": "noisy:Net", "weights": "noisy.pt"})


def test_it_says_how_many_pairs_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(write_config(tmp_path)), "--pairs", "300"]) == 0
    said = capsys.readouterr().out
    assert "pairs compared with the plain loop, 0 differ" in said
    assert "they use exact\n" in said
    assert not (tmp_path / "store").exists()


BRANCHING = """
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(784, 10)
    def forward(self, x):
        return self.head(x.flatten(1)) if x.max() < 1e9 else x
"""


def test_it_says_by_what_faults_are_really_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And of a network without a graph, which line of it keeps it from having one."""
    (tmp_path / "branching.py").write_text(BRANCHING)
    torch.save({f"head.{name}": value for name, value in nn.Linear(784, 10).state_dict().items()}, tmp_path / "b.pt")
    path = write_config(tmp_path, model={"arch": "branching:Net", "weights": "b.pt"})
    assert main(["check", str(path), "--pairs", "30"]) == 0
    note, *_, verdict = capsys.readouterr().out.splitlines()
    assert 'branching.py, line 8 ("return self.head(x.flatten(1)) if x.max() < 1e9 else x"): it decides by' in note
    assert verdict == "campaigns of this config are right by the plain loop: they use whole network"


def test_json_has_what_scripts_rely_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(write_config(tmp_path)), "--pairs", "300", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pairs"] >= 300
    assert (found["differences"], found["fallbacks"], found["refused"]) == (0, [], None)


def test_a_network_that_draws_random_numbers_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = noisy(tmp_path)
    assert main(["check", str(path)]) == 2
    assert f"{path}: [model]: the network's answers differ without a fault: Net draws" in capsys.readouterr().err
    assert main(["check", str(path), "--json"]) == 2
    assert "Net draws random numbers" in json.loads(capsys.readouterr().out)["refused"]


def test_a_run_refuses_it_too_and_makes_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = noisy(tmp_path)
    assert main(["run", str(path), "--store", str(tmp_path / "store")]) == 2
    assert "Net draws random numbers" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


def test_what_was_found_is_shown_and_can_be_asked_in_sql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(tmp_path / "store")]
    assert main(["run", str(write_config(tmp_path)), *store]) == 0
    said, left_out = capsys.readouterr(), "injected: 61,470 of 61,706 parameters (99.6 %), the weights of"
    assert "self-check: " in said.out
    assert left_out in said.err
    assert main(["show", "1", *store]) == 0
    shown = capsys.readouterr().out
    assert "check_pairs" in shown
    assert left_out in shown
    query = "select numerics->>'check_pairs' pairs, numerics->>'check_fallbacks' fallbacks from campaigns"
    assert main(["sql", query, "--format", "json", *store]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert int(row["pairs"]) > 0
    assert row["fallbacks"] == ""
    described = json.loads((tmp_path / "store/campaigns/campaign=000001/campaign.json").read_text())
    assert {(layer["groups"], layer["transposed"]) for layer in described["layers"]} == {(1, False)}


def test_a_fall_back_is_told_and_kept_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = "exact: 7 of 900 pairs differed from the plain loop"

    def check(injection: Injection, *_: Any) -> CheckResult:
        assert injection.fall_back(0)
        return CheckResult(900, 7, 2, 0, (FallBack(injection.names[0], injection.method_of(0), reason),), 0.1)

    monkeypatch.setattr("engine.running.proof.check", check)
    config, store = str(write_config(tmp_path)), ["--store", str(tmp_path / "store")]
    assert main(["run", config, *store]) == 0
    told = " ".join(capsys.readouterr().err.split())
    assert "7 differ before 1 layer fell back to a slower method, 2 are decided by rounding" in told
    assert f"faults in conv1 are run by whole network, which is slower: {reason}" in told
    assert main(["show", "1", *store]) == 0
    assert f"conv1: whole network ({reason})" in capsys.readouterr().out
    query = """
        SELECT layer, method, reason, check_differences, numerics->>'check_differences' AS kept
        FROM layers JOIN campaigns USING (campaign) WHERE layers.method <> 'exact'
    """
    assert main(["sql", query.replace("method,", "layers.method,"), "--format", "json", *store]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert tuple(row.values()) == ("conv1", "whole network", reason, 7, "7")
    assert main(["check", config]) == 0
    assert "they use whole network and exact" in capsys.readouterr().out
