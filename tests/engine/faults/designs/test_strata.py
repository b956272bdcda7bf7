"""The designs that draw from strata: how many faults each gives, which, and what they stand for."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.config.campaign_config import FaultsConfig, check_config
from engine.errors import InputError
from engine.faults.designs.data_aware import LEAST_P, WeightsNeededError
from engine.faults.draw import count_drawn, draw_faults, notes_on
from engine.faults.population import Layer
from engine.faults.sampling import sample_size
from tests.engine.faults.designs.test_exhaustive import LENET5, resnet20

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from engine.formats.fault_model import FaultModel

STRATIFIED = ("proportional", "layer", "layer_bit", "data_aware")


def published_p() -> tuple[float, ...]:
    """Of each bit of float32, bit 0 first (Ruospo et al., DATE 2023)."""
    upper = {31: 0.00214, 30: 0.5, 29: 0.00045, 28: 0.00045, 27: 0.00047, 26: 0.00342, 25: 0.02771, 24: 0.00523,
             23: 0.00036}  # fmt: skip
    return tuple(upper.get(bit, 1e-4) for bit in range(32))


@pytest.mark.parametrize(
    ("sampling", "faults"),
    [
        ("network", 16_625),
        ("proportional", 16_627),
        ("layer", 307_649),
        ("layer_bit", 4_885_632),
        ("data_aware", 201_096),
        ("exhaustive", 17_173_504),
    ],
)
def test_sizes_for_resnet20_with_two_faults_a_bit(sampling: str, faults: int) -> None:
    options: dict[str, Any] = {"p": published_p()} if sampling == "data_aware" else {}
    config = FaultsConfig(sampling=sampling, model="stuck_at", **options)
    assert count_drawn(config, resnet20()) == (faults, 17_173_504)


def test_layers_of_the_published_list_have_their_published_sizes() -> None:
    drawn = draw_faults(FaultsConfig(sampling="proportional", population="x64"), resnet20())
    expected = [27, *[143] * 6, 285, *[571] * 5, 1142, *[2284] * 5, 40]
    assert np.bincount(drawn.layer).tolist() == expected
    assert [each.faults for each in drawn.strata] == expected
    assert len(drawn) == 16_627


def test_the_published_list_comes_out_row_for_row(shared_data: Path) -> None:
    """But for the bit of its row 2, which was set by hand."""
    config = FaultsConfig(sampling="proportional", population="x64", draw="published")
    drawn = draw_faults(config, resnet20())
    with (shared_data / "truth" / "ResNet20_FL.csv").open() as file:
        published = [(row["Layer"], row["TensorIndex"], int(row["Bit"])) for row in csv.DictReader(file)]
    ours = list(zip(drawn.layer_names(), drawn.tensor_index(), drawn.bit.tolist(), strict=True))
    assert len(ours) == len(published)
    assert [row for row, (mine, theirs) in enumerate(zip(ours, published, strict=True)) if mine != theirs] == [2]
    assert ours[2][:2] == published[2][:2]


def test_its_first_rows_are_known() -> None:
    drawn = draw_faults(FaultsConfig(sampling="proportional", population="x64", draw="published"), resnet20())
    first = list(zip(drawn.layer_names()[:4], drawn.tensor_index()[:4], drawn.bit.tolist(), strict=False))
    assert [first[0], first[1], first[3]] == [
        ("conv1", "(3, 0, 2, 1)", 15),
        ("conv1", "(7, 0, 2, 0)", 5),
        ("conv1", "(7, 2, 2, 0)", 12),
    ]
    again = draw_faults(FaultsConfig(sampling="proportional", population="x64", draw="published", seed=43), resnet20())
    assert again.weight_index.tolist() != drawn.weight_index.tolist()


def normal(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.1, shape).astype(np.float32).reshape(-1)


def with_weights(weights: NDArray[np.float32]) -> tuple[Layer, ...]:
    return (Layer(0, "conv", (len(weights), 1, 1, 1), lambda: weights),)


@pytest.mark.parametrize("sampling", STRATIFIED)
@pytest.mark.parametrize("model", ["bit_flip", "stuck_at", "stuck_at_1"])
def test_each_fault_is_there_once_and_in_its_stratum(sampling: str, model: FaultModel) -> None:
    layers = tuple(replace(each, weights=partial(normal, each.shape)) for each in LENET5)
    config = FaultsConfig(sampling=sampling, model=model, layers=("conv1", "fc3"), bits=(3, 30, 31), error_margin=0.03)
    drawn = draw_faults(config, layers)
    sites = np.stack([drawn.layer, drawn.weight_index, drawn.bit, drawn.stuck], axis=1)
    assert len(np.unique(sites, axis=0)) == len(drawn) == count_drawn(config, layers)[0]
    assert drawn.population == (150 + 840) * 3 * (2 if model == "stuck_at" else 1)
    for number, stratum in enumerate(drawn.strata):
        rows = drawn.stratum == number
        assert np.count_nonzero(rows) == stratum.faults
        assert {*drawn.layer[rows]} <= {*stratum.layers}
        assert {*drawn.bit[rows]} <= {*stratum.bits}
    assert drawn.weight.sum() == pytest.approx(drawn.population)


def test_the_margin_holds_in_each_layer_and_in_each_bit() -> None:
    by_layer = draw_faults(FaultsConfig(sampling="layer", error_margin=0.05), LENET5)
    sizes = [each.size * 32 for each in LENET5]
    assert [each.faults for each in by_layer.strata] == [round(sample_size(size, 0.05, 0.99)) for size in sizes]
    by_bit = draw_faults(FaultsConfig(sampling="layer_bit", error_margin=0.05), LENET5)
    assert len(by_bit.strata) == 5 * 32
    assert by_bit.strata[1].name == "conv1 bit 1"
    assert by_bit.strata[1].faults == round(sample_size(150, 0.05, 0.99))


def test_no_stratum_is_left_without_a_fault() -> None:
    """Of bits without any, a rate would tell nothing, and be taken for that of the others."""
    config = FaultsConfig(sampling="data_aware", p=published_p(), error_margin=0.05)
    drawn = draw_faults(config, LENET5)
    assert {each.faults for each in drawn.strata if each.bits[0] < 22} == {1}
    assert min(each.faults for each in drawn.strata) == 1
    assert drawn.weight.sum() == pytest.approx(drawn.population)


def test_bits_that_change_weights_little_give_few_faults() -> None:
    weights = normal((5000,))
    drawn = draw_faults(FaultsConfig(sampling="data_aware"), with_weights(weights))
    of_bit = {each.bits[0]: each.faults for each in drawn.strata}
    assert of_bit[0] == round(sample_size(5000, 0.01, 0.99, LEAST_P))
    assert of_bit[30] == round(sample_size(5000, 0.01, 0.99))
    mean = np.abs(weights).astype(np.float64).mean()  # a flip of the sign changes a weight by twice its size
    assert of_bit[31] == round(sample_size(5000, 0.01, 0.99, mean / np.abs(weights).max()))


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_weights_that_tell_nothing_are_taken_for_the_worst(value: float) -> None:
    drawn = draw_faults(FaultsConfig(sampling="data_aware", bits=(30,)), with_weights(np.full(100, value, np.float32)))
    assert len(drawn) == round(sample_size(100, 0.01, 0.99))


def test_without_weights_only_a_given_p_can_be_counted() -> None:
    with pytest.raises(WeightsNeededError, match="data_aware needs the weights, which are not loaded yet; give p"):
        count_drawn(FaultsConfig(sampling="data_aware"), LENET5)
    assert count_drawn(FaultsConfig(sampling="data_aware", p=published_p()), LENET5)[0] > 0
    with pytest.raises(InputError, match=r"\[faults\] p: 3 values; give one for each of the 32 bits, bit 0 first"):
        count_drawn(FaultsConfig(sampling="data_aware", p=(0.1, 0.2, 0.3)), LENET5)


def notes(**options: Any) -> list[str]:
    config = FaultsConfig(**options)
    return list(notes_on(draw_faults(config, LENET5), config))


def test_strata_that_give_all_or_nothing_are_named() -> None:
    assert notes(sampling="layer_bit", population="x64", bits=(30, 31), error_margin=0.01) == [
        "drawn whole, because the error margin asks for as many faults as there are: 6 of 10 strata (conv1 bit 30, "
        "conv1 bit 31, conv2 bit 30, ...)"
    ]
    assert notes(sampling="proportional", count=40) == [
        "so small a part that no fault is drawn there, and that no rate counts: 1 of 5 strata (conv1)"
    ]
    assert notes(sampling="proportional") == notes(sampling="exhaustive", layers=("conv1",)) == []


def test_strata_of_one_fault_and_of_none() -> None:
    layers = (Layer(0, "one", (1, 1)), Layer(1, "many", (100, 100)))
    drawn = draw_faults(FaultsConfig(sampling="layer", bits=(30,), error_margin=0.5), layers)
    assert [(each.population, each.faults) for each in drawn.strata] == [(1, 1), (10_000, 7)]
    with pytest.raises(InputError, match=r"\[faults\] error_margin: 0.999 asks for no fault; lower it"):
        draw_faults(FaultsConfig(sampling="layer", error_margin=0.999, confidence=0.01), layers)


@pytest.mark.parametrize(
    ("faults", "key", "reason"),
    [
        ({"sampling": "layer", "count": 5}, "count", 'does not apply to sampling = "layer"'),
        ({"sampling": "layer_bit", "p": [0.1]}, "p", 'does not apply to sampling = "layer_bit"'),
        ({"draw": "published"}, "draw", 'does not apply to sampling = "network"'),
        ({"sampling": "list", "list": "/x", "p": [0.1]}, "p", "does not apply to a list"),
        ({"sampling": "data_aware", "p": [0.1, 1.5]}, "p", "less than 1"),
        (
            {"sampling": "proportional", "draw": "published", "model": "stuck_at"},
            "draw",
            '"published" does not apply to stuck_at; use model = "bit_flip"',
        ),
        ({"sampling": "proportional", "draw": "published", "bits": [30]}, "draw", '"published" draws from all bits'),
    ],
)
def test_options_of_other_designs_are_refused(faults: dict[str, Any], key: str, reason: str) -> None:
    problems = check_config({"name": "x", "model": {"arch": "lenet5"}, "dataset": {"name": "mnist"}, "faults": faults})
    assert isinstance(problems, list)
    assert any(each.key == key and reason in f"{each.item} {each.reason}" for each in problems), problems
