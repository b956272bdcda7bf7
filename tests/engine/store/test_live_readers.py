"""What the live screen asks of a store beside the curve: counts per image, progress per layer."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import InputError
from engine.store import Store
from tests.engine.store.stored_campaigns import LAYERS, PLAN, filled_store, write


def test_counts_per_image_grow_with_the_parts(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, [])
    reader = Store.open(tmp_path, read_only=True)
    counts, complete = reader.image_counts(campaign), []
    assert counts.image_id.tolist() == truth.new.workload.tolist()
    assert counts.metric.tolist() == truth.new.metrics["el2n"][truth.new.workload].tolist()
    assert (counts.faults, counts.data_set, counts.metric_name) == (12, 20, "el2n")
    with store.lock():
        writer = store.writer(campaign)
        for part in range(len(PLAN)):
            write(writer, truth, PLAN[: part + 1])
            counts = reader.image_counts(campaign)
            complete.append(int(counts.complete.sum()))
            for severity, so_far in enumerate((counts.masked, counts.non_critical, counts.critical)):
                expected = (truth.severity == severity).sum(axis=0)
                assert so_far[counts.complete].tolist() == expected[counts.complete].tolist()
    assert complete == [2, 2, 9, 15]


def test_a_part_that_was_set_aside_counts_no_longer(tmp_path: Path) -> None:
    store, campaign, _truth = filled_store(tmp_path)
    reader = Store.open(tmp_path, read_only=True)
    assert reader.image_counts(campaign).complete.all()
    store.state.remove_receipt(campaign, store.state.receipts(campaign)[-1].part)
    assert reader.image_counts(campaign).complete.tolist() == [True] * 9 + [False] * 6
    assert reader.image_counts(campaign).masked[9:].tolist() == [0] * 6


def test_layers_are_as_far_as_the_receipts_say(tmp_path: Path) -> None:
    store, campaign, truth = filled_store(tmp_path, PLAN[:2])  # ranks 0-1 of all faults, 2-8 of the first five
    layer = truth.new.faults.layer[truth.new.faults.execution_order()]
    assert 0 < (layer == 0).sum() != 5  # so that the second part ends inside a layer
    done = np.repeat([9, 2], [5, 7])
    for index, progress in enumerate(store.layers(campaign)):
        of_layer = layer == index
        assert progress.name == LAYERS[index].name
        assert progress.faults == of_layer.sum()
        assert (progress.pairs, progress.pairs_done) == (15 * of_layer.sum(), done[of_layer].sum())
        found = [(truth.severity[row, : done[row]] == 2).any() for row in np.flatnonzero(of_layer)]
        assert progress.critical == sum(found)


@pytest.mark.parametrize("call", [Store.image_counts, Store.layers])
def test_an_unknown_campaign_is_named(tmp_path: Path, call) -> None:
    with pytest.raises(InputError, match=r"there is no campaign 7; `dear-tui list` shows"):
        call(Store.open(tmp_path), 7)
