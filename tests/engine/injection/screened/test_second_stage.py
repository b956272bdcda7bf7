"""What the exact change of a pair takes of each lead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from engine.config.campaign_config import DatasetConfig, ModelConfig
from engine.datasets.load import load_dataset
from engine.injection.fast.channel_updates import WantedUpdates
from engine.injection.injection import Injection
from engine.injection.recording import SeverityMatrix
from engine.injection.screened.method import ScreenedBlock, ScreenedMethod
from engine.injection.screened.second_stage import SecondStage, Slopes
from engine.models import load_model
from engine.severity import CRITICAL, SCREENED
from tests.engine.injection.networks import every_bit_in, outcomes_of

if TYPE_CHECKING:
    from engine.injection.outcomes import WeightFaults
    from engine.injection.pairs import Pairs
    from tests.engine.injection.networks import Place

MEMORY = 5 * 10**8


class Screening:
    """One network under `screened`, and what its second stage sees."""

    def __init__(self, model: nn.Module, images: Tensor) -> None:
        self.injection = Injection(model, images, MEMORY, "screened")
        assert not self.injection.notes
        block = self.injection.load(images)
        assert isinstance(block, ScreenedBlock)
        self.block = block
        self.method = next(one for one in self.injection._ladder if isinstance(one, ScreenedMethod))

    def slopes(self, layer: int) -> Slopes:
        slopes = self.block.screens[layer].slopes
        assert slopes is not None
        return slopes

    def pairs(self, layer: int, faults: WeightFaults) -> Pairs:
        """All that differ, with what has changed."""
        recorder = SeverityMatrix(len(faults), self.block.logits)
        with torch.inference_mode():
            wanted = torch.ones(len(faults), self.block.count, dtype=torch.bool, device=self.block.logits.device)
            source = WantedUpdates(self.method._fast.updates(self.block, layer), wanted)
            parts = list(source.run(faults, recorder))
            return type(parts[0]).concat(parts)


def test_where_all_is_linear_it_is_what_the_lead_loses(place: Place) -> None:
    """And a share of the product of norms, which nothing is left out for: here the remainder only makes it larger."""
    torch.manual_seed(0)
    model = place(nn.Sequential(nn.Conv2d(1, 8, 3), nn.Flatten(), nn.Linear(128, 4)).eval())
    images = place(torch.randn(32, 1, 6, 6))
    screening = Screening(model, images)
    faults = every_bit_in(model, 0, weights=8)
    pairs = screening.pairs(0, faults)
    share = screening.slopes(0).shares(pairs)
    golden = model(images).detach()
    top1 = golden.argmax(1)
    lead = golden.gather(1, top1[:, None]) - golden
    is_small = share.isfinite().nonzero().squeeze(1)[::7]
    assert len(is_small) > 50
    weight = model.get_parameter("0.weight")
    for pair in is_small.tolist():
        fault, image = int(pairs.fault[pair]), int(pairs.image[pair])
        flat = weight.data.view(-1)
        index = int(faults.weight_index[fault])
        before = flat[index].item()
        flat[index] = float(faults.value[fault])
        logits = model(images[image : image + 1]).detach()[0]
        flat[index] = before
        left = (logits[top1[image]] - logits) / lead[image]
        taken = 1 - left[torch.arange(4) != int(top1[image])].min()
        assert share[pair] >= taken - 0.01 * abs(taken) - 1e-4


def test_too_large_a_change_and_a_lead_of_nothing_are_run(place: Place) -> None:
    torch.manual_seed(0)
    model = place(nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 4)).eval())
    images = place(torch.randn(32, 1, 6, 6))
    screening = Screening(model, images)
    slopes = screening.slopes(0)
    pairs = screening.pairs(0, every_bit_in(model, 0, weights=8))
    (node,) = slopes.of_node
    size = torch.linalg.vector_norm(pairs.changed[node].flatten(1), dim=1) / slopes.largest[node][pairs.image]
    if pairs.met is not None:  # not on a CPU
        size = torch.maximum(size, pairs.met / slopes.largest[node][pairs.image])
    share = slopes.shares(pairs)
    assert (share == torch.inf)[size > 1].all()
    assert share[size <= 1].isfinite().all()
    tied = Slopes(slopes.of_node, slopes.norms, {node: torch.zeros_like(slopes.largest[node])})
    assert not (tied.shares(pairs) <= 1e9).any()


def test_pairs_that_were_drawn_are_run_although_they_are_safe(place: Place) -> None:
    torch.manual_seed(0)
    model = place(nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 4)).eval())
    images = place(torch.randn(32, 1, 6, 6))
    screening = Screening(model, images)
    faults = every_bit_in(model, 0, weights=8)
    wanted = torch.ones(len(faults), 32, dtype=torch.bool, device=images.device)

    def is_drawn(fault: Tensor, image: Tensor) -> Tensor:
        return (fault + image) % 2 == 0

    with torch.inference_mode():
        updates = screening.method._fast.updates(screening.block, 0)
        stage = SecondStage(WantedUpdates(updates, wanted), screening.slopes(0), 0.3, is_drawn)
        run = list(stage.run(faults, SeverityMatrix(len(faults), screening.block.logits)))
    is_run = torch.zeros_like(wanted)
    for pairs in run:
        is_run[pairs.fault, pairs.image] = True
    safe = torch.cat([torch.stack([some.fault, some.image]) for some in stage.safe], dim=1)
    assert safe.shape[1] > 100
    assert (is_run[safe[0], safe[1]] == is_drawn(safe[0], safe[1])).all()


def test_the_hardest_images_of_lenet5_lose_no_critical_pair(place: Place) -> None:
    """Where a lead is small a change cancels out to first order alone; what that leaves out is what is critical."""
    dataset = load_dataset(DatasetConfig(name="mnist"))
    model = place(load_model(ModelConfig(arch="lenet5"), dataset).model)
    images = place(torch.from_numpy(dataset.batch(np.arange(10_000))))
    with torch.inference_mode():
        best = model(images).topk(2).values
    images = images[(best[:, 0] - best[:, 1]).argsort()[:200]]
    fast, screened = (Injection(model, images, MEMORY, name) for name in ("fast", "screened"))
    for layer in (0, 1):
        faults = every_bit_in(model, layer, weights=24, seed=layer)
        expected, found = (
            np.concatenate([part.severity for part in outcomes_of(one, images, faults)]) for one in (fast, screened)
        )
        assert not ((found == SCREENED) & (expected == CRITICAL)).any()


def test_single_neurons_have_no_second_stage(place: Place) -> None:
    """A critical pair of LeNet-5's first linear layer took 0.06 of a lead to first order, and all of it in truth."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 8), nn.Linear(8, 4)).eval()
    screens = Screening(place(model), place(torch.randn(32, 1, 6, 6))).block.screens
    assert [screens[layer].slopes is not None for layer in range(3)] == [True, False, False]
