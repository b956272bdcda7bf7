"""What SQL says of layers and channels, of every kind of layer and of campaigns that say less of theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from torch import nn

from engine.faults.fault_list import FaultList
from engine.faults.population import Layer
from engine.faults.strata import Stratum
from engine.injection.network.layers import Injectable, injectable_modules
from engine.store import Store
from engine.store.records import LayerRecord
from engine.store.sql.sql import SqlSession
from tests.engine.store.stored_campaigns import new_campaign

if TYPE_CHECKING:
    from pathlib import Path

MODULES = [
    module
    for _, module in injectable_modules(
        nn.Sequential(
            nn.Conv2d(4, 6, 3, bias=False),
            nn.Conv2d(6, 12, (1, 2), groups=3),
            nn.Conv1d(8, 8, 5, groups=8),
            nn.ConvTranspose2d(4, 6, 2),
            nn.ConvTranspose2d(12, 6, 3, groups=3),
            nn.ConvTranspose1d(4, 4, 2, groups=4),
            nn.Conv3d(2, 3, 2),
            nn.Linear(7, 5),
        )
    )
]
LAYERS = tuple(Layer(index, f"layer{index}", tuple(module.weight.shape)) for index, module in enumerate(MODULES))
RECORDS = tuple(
    LayerRecord(
        layer.index,
        layer.name,
        layer.shape,
        kind=type(module).__name__,
        groups=getattr(module, "groups", 1),
        transposed=bool(getattr(module, "transposed", False)),
    )
    for layer, module in zip(LAYERS, MODULES, strict=True)
)
STRATA = (
    Stratum("some", (0, 1), (30, 31), 2, 2 * 2 * (LAYERS[0].size + LAYERS[1].size), 3),
    Stratum("high", (1, 7), (0,), 1, LAYERS[1].size + LAYERS[7].size, 1),
)


def written(path: Path, records: tuple[LayerRecord, ...] = RECORDS) -> SqlSession:
    """A store with a fault in every weight of the network."""
    layer, weight = np.array([(layer.index, weight) for layer in LAYERS for weight in range(layer.size)]).T
    count = len(layer)
    faults = FaultList(
        layers=LAYERS,
        fault_id=np.arange(count, dtype=np.uint32),
        layer=layer.astype(np.int32),
        weight_index=weight,
        bit=np.zeros(count, np.uint8),
        stuck=np.full(count, -1, np.int8),
        model="bit_flip",
        strata=STRATA,
        stratum=np.zeros(count, np.int32),
        wave=np.zeros(count, np.uint8),
    )
    values, config = np.zeros(count, np.float32), {"faults": {"sampling": "list"}}
    new = replace(new_campaign(), network="own", config=config, faults=faults, layers=records)
    with Store.open(path) as store, store.lock():
        store.create(replace(new, golden_values=values, faulty_values=values))
    return SqlSession(path)


def channels_of(module: Injectable) -> list[tuple[int, int]]:
    """(out, in) of each weight, in C order: along the second axis the channels are counted within a group."""
    first_axis, second_axis, *_ = shape = tuple(module.weight.shape)
    groups, is_transposed = getattr(module, "groups", 1), bool(getattr(module, "transposed", False))
    found = []
    for first, second, *_ in np.ndindex(*shape):
        group = first * groups // first_axis
        channels = first, second + group * second_axis
        found.append(channels[::-1] if is_transposed else channels)
    return found


def test_every_weight_is_of_its_channels(tmp_path: Path) -> None:
    with written(tmp_path) as session:
        result = session.query("SELECT out_channel, in_channel, layer_index FROM faults ORDER BY fault_id")
        found = list(result)
    assert result.types[:2] == ("INTEGER", "INTEGER")
    assert [row[:2] for row in found] == [channels for module in MODULES for channels in channels_of(module)]
    for index, module in enumerate(MODULES):
        outs, ins = ({row[place] for row in found if row[2] == index} for place in (0, 1))
        if isinstance(module, nn.Linear):
            assert (len(outs), len(ins)) == (module.out_features, module.in_features)
        else:
            assert (len(outs), len(ins)) == (module.out_channels, module.in_channels), "each channel has weights"


@pytest.mark.parametrize(
    ("kind", "index", "known"),
    [("Conv2d", 1, (True, False)), ("ConvTranspose2d", 4, (False, True)), ("Mine", 1, (False, False))],
)
def test_what_an_older_campaign_does_not_say_is_not_known(
    tmp_path: Path, kind: str, index: int, known: tuple[bool, bool]
) -> None:
    records = [replace(record, groups=None, transposed=None) for record in RECORDS]
    records[index] = replace(records[index], kind=kind)
    query = "SELECT out_channel IS NOT NULL, in_channel IS NOT NULL FROM faults WHERE layer_index = "
    with written(tmp_path, tuple(records)) as session:
        assert set(session.query(f"{query}{index}")) == {known}
        assert set(session.query(f"{query}7")) == {(True, True)}, "a linear layer has no groups"


def layers(session: SqlSession) -> list[tuple[Any, ...]]:
    return list(session.query("SELECT layer, kind, groups, population, drawn FROM layers"))


def test_layers_say_how_many_faults_they_have_and_how_many_were_drawn(tmp_path: Path) -> None:
    with written(tmp_path) as session:
        found = layers(session)
    expected = [0] * len(LAYERS)
    for stratum in STRATA:
        for index in stratum.layers:
            expected[index] += LAYERS[index].size * len(stratum.bits) * stratum.copies
    assert found == [
        (layer.name, record.kind, record.groups, population, layer.size)
        for layer, record, population in zip(LAYERS, RECORDS, expected, strict=True)
    ]


def test_a_query_that_asks_for_no_channel_reads_no_layers(tmp_path: Path) -> None:
    """So `faults` of millions of rows cost no more than before."""
    with written(tmp_path) as session:
        plans = [
            "\n".join(str(row) for row in session.query(f"EXPLAIN SELECT {column}, count(*) FROM faults GROUP BY 1"))
            for column in ("bit", "in_channel")
        ]
    assert ["JOIN" in plan.upper() for plan in plans] == [False, True]
