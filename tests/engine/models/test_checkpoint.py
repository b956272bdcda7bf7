"""Weights files as training scripts leave them: the network's tensors are found, or it is said why not."""

from __future__ import annotations

import json
import struct
import zipfile
from argparse import Namespace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from engine.errors import InputError
from engine.models import read_weights
from engine.models.weights import load_model
from tests.engine.models.own_network import IMAGES, load, made, write_factory

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    State = dict[str, Tensor]


@pytest.fixture
def state(tmp_path: Path) -> dict[str, Tensor]:
    """The weights of the network that fac.py beside the test makes."""
    write_factory(tmp_path, "return Net()")
    return dict(made(tmp_path).state_dict())


def prefixed(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def other(state: State) -> State:
    return {name: tensor + 1 for name, tensor in state.items()}


OPTIMIZER = {"state": {0: {"step": torch.ones(()), "exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 0.1}]}


@pytest.mark.parametrize("file", ["w.pt", "w.pth", "w.th", "w.ckpt"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"net": state, "acc": 93.1, "epoch": 200},
        lambda state: {"model": state, "optimizer": OPTIMIZER, "lr_scheduler": {"last_epoch": 3}},
        lambda state: {"model_state_dict": state, "optimizer_state_dict": OPTIMIZER, "loss": torch.ones(())},
        lambda state: {"state_dict": prefixed("module.", state)},
        lambda state: {"ema": state, "updates": 17},
        lambda state: {"model_ema": prefixed("module.", state)},
        lambda state: {"ema_state_dict": state},
        lambda state: {"params": state},
        lambda state: {"ema": {"model": {"state_dict": state}, "decay": 0.9}},
        lambda state: prefixed("_orig_mod.", state),
        lambda state: prefixed("module._orig_mod.", state),
        lambda state: {"state_dict": prefixed("model.", state), "pytorch-lightning_version": "2.1.0"},
        lambda state: {"state_dict": prefixed("net._orig_mod.", state)},
        lambda state: {"state_dict": prefixed("network.module.", state)},
        lambda state: {name.replace(".", "._orig_mod."): tensor for name, tensor in state.items()},
        lambda state: {name.replace(".", ".module."): tensor for name, tensor in state.items()},
        lambda state: {"model": state, "model_ema": {name: tensor.clone() for name, tensor in state.items()}},
        lambda state: {"model": state, "mean": {"rgb": torch.ones(3)}},
        lambda state: {"model": state, "args": Namespace(lr=0.1, out=Path("runs")), "acc": np.float64(0.9)},
        lambda state: {"model": state, "epoch": np.int64(3), "loss": np.float32(0.1)},
    ],
)
def test_the_network_is_found_in_a_checkpoint(
    tmp_path: Path, state: State, wrap: Callable[[State], object], file: str
) -> None:
    loaded = load(tmp_path, wrap(state), file)
    assert loaded.notes == ()
    assert all(torch.equal(value, state[name]) for name, value in loaded.model.state_dict().items())


def test_what_stands_beside_the_network_is_left_out_and_said(tmp_path: Path, state: State) -> None:
    loaded = load(tmp_path, {"state_dict": prefixed("model.", state) | {"loss.weight": torch.ones(5)}})
    assert all(torch.equal(value, state[name]) for name, value in loaded.model.state_dict().items())
    assert loaded.notes == (f"{tmp_path / 'w.pt'}: state_dict.model is read, and loss.weight left out",)


@pytest.mark.parametrize(
    ("wrap", "places"),
    [
        (lambda state: {"model": state, "model_ema": other(state)}, "model and model_ema"),
        (lambda state: prefixed("student.", state) | prefixed("teacher.", other(state)), "student and teacher"),
        (lambda state: {"a": state, "b": {"c": other(state)}, "d": other(other(state))}, "a, b.c and d"),
    ],
)
def test_two_different_sets_of_weights_are_ambiguous(
    tmp_path: Path, state: State, wrap: Callable[[State], object], places: str
) -> None:
    with pytest.raises(InputError) as error:
        load(tmp_path, wrap(state))
    assert str(error.value) == (
        f"{tmp_path / 'w.pt'}: holds named tensors that fit more than once ({places}); save the one that is meant in a "
        "file of its own and give that as [model] weights"
    )


def test_a_wrong_network_behind_a_prefix_is_explained_without_it(tmp_path: Path, state: State) -> None:
    state["g.weight"] = state.pop("f.weight")
    with pytest.raises(InputError, match=r"the file lacks f\.weight, and the network has no g\.weight; fix"):
        load(tmp_path, {"state_dict": prefixed("model.", state)})


@pytest.mark.parametrize(
    ("convert", "sentence"),
    [
        (lambda tensor: (tensor * 9).to(torch.int8), "c.weight is int8, but float32 in the network"),
        (lambda tensor: tensor.to(torch.complex64), "c.weight is complex64, but float32 in the network"),
        (lambda tensor: tensor.to(torch.float8_e4m3fn), "c.weight is float8_e4m3fn, but float32 in the network"),
        (lambda tensor: tensor.to_sparse(), "c.weight is sparse, but float32 in the network"),
        (lambda tensor: torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8), "c.weight is quantised, but float32"),
        (lambda tensor: tensor.to("meta"), "c.weight is on the meta device, without values, but float32"),
        (lambda tensor: tensor / 0, "c.weight holds NaN or infinite values (in float32); give finite weights"),
        (lambda tensor: tensor * torch.nan, "c.weight holds NaN or infinite values (in float32); give finite weights"),
        (lambda tensor: tensor.double() * 1e300, "c.weight holds NaN or infinite values (in float32); give finite"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # torch has advice on some of these
def test_weights_that_are_no_plain_finite_numbers_are_refused(
    tmp_path: Path, state: State, convert: Callable[[Tensor], Tensor], sentence: str
) -> None:
    with pytest.raises(InputError) as error:
        load(tmp_path, state | {"c.weight": convert(state["c.weight"])})
    assert str(error.value).startswith(f"{tmp_path / 'w.pt'}: {sentence}")
    assert "\n" not in str(error.value)


def test_a_nan_in_the_statistics_is_named(tmp_path: Path) -> None:
    write_factory(tmp_path, "return nn.Sequential(nn.BatchNorm2d(3), Net())")
    state = made(tmp_path).state_dict()
    with pytest.raises(InputError, match=r"w\.pt: 0\.running_var holds NaN; give finite weights"):
        load(tmp_path, state | {"0.running_var": torch.full((3,), torch.nan)})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_of_any_width_become_float32(tmp_path: Path, state: State, dtype: torch.dtype) -> None:
    stored = {name: tensor.to(dtype) for name, tensor in state.items()}
    loaded = load(tmp_path, stored)
    assert all(torch.equal(value, stored[name].float()) for name, value in loaded.model.state_dict().items())
    assert loaded.notes == ()


def test_rounding_to_float32_is_said(tmp_path: Path, state: State) -> None:
    loaded = load(tmp_path, state | {"f.bias": torch.tensor([0.1, 0.5, 0.3, 0.25, 2.0], dtype=torch.float64)})
    assert loaded.notes == (f"{tmp_path / 'w.pt'}: 2 of its float64 values are rounded to float32",)


def test_floats_for_a_buffer_of_whole_numbers_are_refused(tmp_path: Path) -> None:
    write_factory(tmp_path, "net = Net()\nnet.register_buffer('table', torch.arange(3))\nreturn net")
    state = made(tmp_path).state_dict()
    assert load(tmp_path, state).notes == ()
    with pytest.raises(InputError, match=r"table is float32, but int64 in the network"):
        load(tmp_path, state | {"table": torch.tensor([0.0, 1.5, 2.0])})


def test_a_file_that_holds_other_objects_names_them(tmp_path: Path, state: State) -> None:
    torch.save({"model": state, "sizes": Fraction(1, 2)}, tmp_path / "w.pt")
    with pytest.raises(InputError, match=r"nothing else is unpickled \(it holds fractions\.Fraction\); give"):
        read_weights(tmp_path / "w.pt")


def test_empty_tables_and_names_that_meet_are_no_hindrance(tmp_path: Path, state: State) -> None:
    torch.save({"state_dict": state, "hyper_parameters": {}, "callbacks": {}}, tmp_path / "w.pt")
    assert read_weights(tmp_path / "w.pt").keys() == state.keys()
    with pytest.raises(InputError, match=r"the network has no c\._orig_mod\.bias; fix"):
        load(tmp_path, state | {"c._orig_mod.bias": state["c.bias"]})


@pytest.mark.parametrize(
    ("stored", "oddity"),
    [({"epoch": 3}, "epoch is an int"), ({"state_dict": {"a": torch.ones(2), "b": "x"}}, "state_dict.b is a str")],
)
def test_what_is_no_tensor_is_named(tmp_path: Path, stored: Any, oddity: str) -> None:
    torch.save(stored, tmp_path / "w.pt")
    with pytest.raises(InputError, match=rf"w\.pt: holds more than named tensors \({oddity}\); save"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.filterwarnings("ignore")  # torch has advice on scripting
def test_a_scripted_file_is_refused_without_running_it(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "w.pt")
    with pytest.raises(
        InputError, match=r"w\.pt: holds a scripted network \(torch\.jit\.save\), whose code is not run"
    ):
        read_weights(tmp_path / "w.pt")


def test_an_archive_that_unpacks_to_more_than_itself_is_refused(tmp_path: Path, state: State) -> None:
    torch.save(state, tmp_path / "small.pt")
    with (
        zipfile.ZipFile(tmp_path / "small.pt") as small,
        zipfile.ZipFile(tmp_path / "w.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in small.namelist():
            bomb.writestr(name, small.read(name))
        bomb.writestr("archive/data/99", bytes(10**7))
    with pytest.raises(InputError, match=r"w\.pt: claims to hold 10,\d+,\d+ bytes, but has [\d,]{5,6}; save"):
        read_weights(tmp_path / "w.pt")


def test_a_file_of_the_older_format_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(4)}, tmp_path / "w.pt", _use_new_zipfile_serialization=False)
    content = (tmp_path / "w.pt").read_bytes()
    claimed = b"\x8a\x06" + (10**13).to_bytes(6, "little")
    before, after = b"X\x03\x00\x00\x00cpuq\x06K\x04N", b"X\x03\x00\x00\x00cpuq\x06" + claimed + b"N"
    assert before in content
    (tmp_path / "w.pt").write_bytes(content.replace(before, after))
    with pytest.raises(InputError, match=r"w\.pt: not a file of tensors"):
        read_weights(tmp_path / "w.pt")


def test_a_file_that_may_not_be_read_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "w.pt").touch()
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"w\.pt: cannot be read \(Permission denied\); fix its permissions"):
        read_weights(tmp_path / "w.pt")


def test_a_safetensors_header_that_claims_too_much_is_refused(tmp_path: Path) -> None:
    size = 10**13
    header = json.dumps({"c.weight": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    (tmp_path / "b.safetensors").write_bytes(struct.pack("<Q", 2**62) + header)
    for name in ("a", "b"):
        with pytest.raises(InputError, match=rf"{name}\.safetensors: not a safetensors file \("):
            read_weights(tmp_path / f"{name}.safetensors")


def test_a_tensor_that_repeats_one_value_endlessly_takes_no_memory(tmp_path: Path, state: State) -> None:
    with pytest.raises(InputError, match=r"c\.weight is \(1000000000000,\) in the file but \(4, 3, 3, 3\) in"):
        load(tmp_path, state | {"c.weight": torch.ones(1).expand(10**12)})


def test_both_formats_and_every_wrapper_have_one_hash(tmp_path: Path, state: State) -> None:
    from engine.config.campaign_config import ModelConfig

    save_file(prefixed("model.", state), tmp_path / "w.safetensors")
    config = ModelConfig(arch="fac:make", path=tmp_path, weights=tmp_path / "w.safetensors")
    assert load_model(config, IMAGES).weights_sha256 == load(tmp_path, {"net": state}).weights_sha256


def test_dictionaries_that_lie_too_deep_are_refused(tmp_path: Path) -> None:
    """One may hold itself, so that there is no end to looking."""
    endless: dict[str, Any] = {"weight": torch.ones(2)}
    endless["self"] = endless
    deep: dict[str, Any] = {"weight": torch.ones(2)}
    for _ in range(20):
        deep = {"inner": deep}
    for stored in (endless, deep):
        torch.save(stored, tmp_path / "w.pt")
        with pytest.raises(InputError, match=r"w\.pt: holds more than named tensors \(.* is a dict\)"):
            read_weights(tmp_path / "w.pt")
