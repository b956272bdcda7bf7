"""Whether a GPU gives what the naive loop gives, and how fast: the checks of the CUDA path, in one run.

python -m tests.benchmarks.cuda [CONFIG ...] [--pairs 100000] [--device cuda]

For each config (without any: LeNet-5 on MNIST, which are bundled), on that device: its pairs against the naive loop on
the same device (`against_naive.py`), `exact` and `fast` beside naive (`dear-tui bench`), the most GPU memory that
`fast` had allocated, beside the config's budget, and how often the host waited for the GPU per million pairs. With
`--device cpu` the last two are left out.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import torch

from dear_tui.cli.bench import print_benchmark
from engine.config.campaign_config import CampaignConfig, load_config
from engine.errors import DearError
from engine.injection.methods import METHODS
from engine.running.benchmark import benchmark
from engine.running.preparation import PreparedCampaign, prepare
from tests.benchmarks.against_naive import judge

BUNDLED = Path(__file__).parents[2] / "sample_configs" / "lenet5-mnist.toml"
IMAGES = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", type=Path, nargs="*", default=[BUNDLED], metavar="CONFIG")
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    for path in options.configs:
        try:
            prepared = prepare(_on(load_config(path), options.device))
        except DearError as error:
            raise SystemExit(f"{path}: {error}") from None
        print(f"\n{path}: {prepared.numerics.device_name}, TF32 {'on' if prepared.numerics.tf32 else 'off'}")
        judge(prepared, options.pairs, IMAGES, list(METHODS))
        print_benchmark(benchmark(prepared))
        if options.device != "cpu":
            _watch(prepared)


def _on(config: CampaignConfig, device: str) -> CampaignConfig:
    return config.model_copy(update={"run": config.run.model_copy(update={"device": device})})


def _watch(prepared: PreparedCampaign) -> None:
    """One block with all faults of the config: memory, and waits of the host for the GPU."""
    device = prepared.numerics.device
    torch.cuda.reset_peak_memory_stats(device)
    ranks = prepared.images(0, min(len(prepared.workload), 4096))
    injection = prepared.injected_by("fast")
    faults = prepared.faults_in_execution_order()
    block = injection.load(ranks[: injection.block_rows])
    with warnings.catch_warnings(record=True) as waits:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        started = time.perf_counter()
        pairs = sum(outcomes.severity.size for outcomes in injection.inject(block, faults))
        seconds = time.perf_counter() - started
        torch.cuda.set_sync_debug_mode("default")
    peak = torch.cuda.max_memory_allocated(device)
    print(
        f"one block: {pairs:,} pairs in {seconds:.2f} s; most GPU memory {peak / 1e9:.2f} GB of "
        f"{prepared.config.run.memory / 1e9:.2f} GB allowed; {1e6 * len(waits) / pairs:.1f} waits per million pairs"
    )


if __name__ == "__main__":
    main()
