"""`dear-tui compact`: the smallest test set that still detects every critical fault."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dear_tui.cli.options import CampaignArgument, FormatOption, StoreOption
from dear_tui.cli.printing.say import say, say_wrapped, shown_steps, tell
from dear_tui.cli.results.summary import finished_summary
from dear_tui.query.output import check_named
from engine.errors import DearError, InputError
from engine.steps import Step
from engine.units import byte_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from engine.analysis.compaction import Compaction, Transfer
    from engine.analysis.estimate import Confidence
    from engine.analysis.result_table import Table
    from engine.config.campaign_config import CampaignConfig
    from engine.steps import OnStep
    from engine.store import CampaignSummary, Store

MOST_LISTED = 100
"""images whose ids are printed; a file has all"""

SECONDS_PER_IMAGE = 1e-3
"""the paper's assumption, whatever the network"""


@dataclass(frozen=True, eq=False)
class _Found:
    summary: CampaignSummary
    confidence: Confidence
    compaction: Compaction
    images: NDArray[np.int64]
    """ids of the smallest set, those first that show most"""
    transfers: list[Transfer]

    def tables(self) -> Iterator[Table]:
        from engine.analysis.compaction import margins_table, needed_table, transfers_table

        yield needed_table(self.compaction.needed)
        if self.compaction.margins:
            yield margins_table(self.compaction.margins, self.confidence)
        if self.transfers:
            yield transfers_table(self.transfers, self.confidence)


def compact(
    campaign: CampaignArgument,
    against: Annotated[
        list[int] | None,
        typer.Option(
            metavar="ID",
            help="Also tell what the images detect of this campaign's faults, of another seed or network; repeatable.",
        ),
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Choose by the faults of these layers, as layer3.*, and try the images on the others; repeatable.",
        ),
    ] = None,
    bit: Annotated[
        list[int] | None, typer.Option(metavar="BIT", help="Choose by the faults of these bits; repeatable.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write the images: .csv, their ids, for [workload] list; .npz, with labels and logits.",
        ),
    ] = None,
    curve: Annotated[
        Path | None, typer.Option(help="Write the detection curve of each order: .csv, a row for each image.")
    ] = None,
    table_format: FormatOption = "text",
    store: StoreOption = None,
) -> None:
    """Find the fewest images that detect every critical fault.

    Of a finished campaign; beside them what the metrics' orders, a greedy choice and chance need, and what such images
    detect of faults that had no part in choosing them.
    """
    from engine.store import Store, store_path

    path = store_path(store)
    check_named("--output", output, (".csv", ".npz"), path)
    check_named("--curve", curve, (".csv",), path)
    if output is not None and curve is not None and output.resolve() == curve.resolve():
        raise InputError(f"{curve}: --output and --curve are the same file; give one of them another name")
    with Store.open(path, read_only=True) as opened, shown_steps() as on_step:
        found = _found(opened, campaign, against or (), layer or (), bit or (), on_step)
        if found is None:
            _say_none(campaign, "of these layers and bits " if layer or bit else "", table_format)
            if output is not None or curve is not None:
                tell("no file is written: there is nothing to detect")
            return
        size = _bytes_per_image(opened, campaign, on_step)
        if output is not None:
            on_step(Step("writing the images"))
            _write_images(_config(opened, campaign), found, output)
        if curve is not None:
            _write_curve(found, curve)
    _print(found, table_format, size, is_written=output is not None)


def _say_none(campaign: int, of_what: str, table_format: str) -> None:
    """No fault is critical."""
    if table_format == "json":
        say(
            json.dumps(
                {"images": [], "at_least": 0, "critical_faults": 0, "needed": [], "margins": [], "transfers": []}
            )
        )
    else:
        say(f"campaign {campaign}: no fault {of_what}is critical, so no image is needed to detect one")


def _found(
    store: Store,
    campaign: int,
    against: Sequence[int],
    layers: Sequence[str],
    bits: Sequence[int],
    on_step: OnStep,
) -> _Found | None:
    """None where no fault is critical."""
    import numpy as np

    from engine.analysis.compaction import CriticalWeights, transfer
    from engine.analysis.compaction import compact as compacted
    from engine.analysis.cover import Incidence
    from engine.analysis.estimate import Confidence

    summary, description = finished_summary(store, campaign, on_step), store.description(campaign)
    confidence = Confidence.of(description["config"])
    fault, image = summary.critical_fault, summary.critical_image
    chosen = np.ones(len(fault), np.bool_)
    if layers or bits:
        chosen = np.isin(fault, _faults_in(store, campaign, description, layers, bits))
    if not chosen.any():
        return None
    incidence = Incidence.of(fault[chosen], image[chosen], summary.workload)
    metrics = {name: values[summary.workload] for name, values in summary.metrics.items()}
    compaction = compacted(incidence, metrics, confidence, CriticalWeights.of(summary, chosen), on_step)
    images = summary.workload[compaction.order]
    transfers = []
    if layers or bits:
        rest = fault[~chosen], image[~chosen], confidence, CriticalWeights.of(summary, ~chosen)
        transfers.append(transfer("the other layers and bits", images, *rest))
    for other in against:
        on_step(Step(f"trying the images on campaign {other}"))
        of = finished_summary(store, other, on_step)
        _check_images(store, campaign, other)
        if (ran := int(np.isin(images, of.workload).sum())) < len(images):
            raise InputError(
                f"campaign {other}: ran {ran} of the {len(images)} chosen images, so that "
                "nobody knows what the others detect there; take one that ran them all"
            )
        is_new = ~np.isin(of.critical_fault, store.faults_in_both(other, campaign))
        name = f"campaign {other}, {of.status.name}"
        new = of.critical_fault[is_new], of.critical_image[is_new], confidence, CriticalWeights.of(of, is_new)
        transfers.append(transfer(name, images, *new))
    return _Found(summary, confidence, compaction, images, transfers)


def _check_images(store: Store, campaign: int, other: int) -> None:
    images = [store.description(each).get("identity", {}).get("images") for each in (campaign, other)]
    if images[0] != images[1]:
        raise InputError(f"campaign {other}: its images are not those of campaign {campaign}; take one that has them")


def _faults_in(
    store: Store, campaign: int, description: dict[str, object], layers: Sequence[str], bits: Sequence[int]
) -> NDArray[np.integer]:
    """The ids of the faults of some layers and bits.

    Raises:
        InputError: a pattern matches no layer.
    """
    from fnmatch import fnmatchcase

    from engine.store.read.fault_results import stored_format

    names = [layer["name"] for layer in description["layers"]]  # type: ignore[attr-defined]
    for pattern in layers:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise InputError(f"--layer {pattern}: matches no layer; there are {', '.join(names)}")
    bits_of_weight = stored_format(description).bits
    for bit in bits:
        if not 0 <= bit < bits_of_weight:
            raise InputError(f"--bit {bit}: there is no such bit; a weight has bits 0 to {bits_of_weight - 1}")
    kept = [name for name in names if not layers or any(fnmatchcase(name, pattern) for pattern in layers)]
    return store.fault_ids(campaign, kept, bits)


def _config(store: Store, campaign: int) -> CampaignConfig:
    from engine.config.campaign_config import parse_config

    return parse_config(store.description(campaign)["config"], source=f"campaign {campaign}")


def _bytes_per_image(store: Store, campaign: int, on_step: OnStep) -> int | None:
    """Of the network's input; None where the images cannot be loaded any more."""
    import math

    from engine.datasets import load_dataset

    with suppress(DearError):
        dataset = _config(store, campaign).dataset
        return 4 * math.prod(load_dataset(dataset, on_step=on_step).images.shape[1:])
    return None


def _write_images(config: CampaignConfig, found: _Found, output: Path) -> None:
    import numpy as np

    from dear_tui.query.output import replaced_file
    from engine.running.image_set import write_image_list, write_image_set

    with replaced_file(output) as written:
        if output.suffix == ".csv":
            first = np.sort(found.compaction.first_of_smallest)
            detected = np.searchsorted(first, np.arange(len(found.images)), side="right")
            write_image_list(written, found.images, detected)
        else:
            with written.open("wb") as file:
                write_image_set(file, found.images, config)


def _write_curve(found: _Found, curve: Path) -> None:
    from dear_tui.query.output import replaced_file
    from engine.analysis.compaction import write_curves

    with replaced_file(curve, "--curve") as written:
        write_curves(written, found.compaction)


def _print(found: _Found, table_format: str, bytes_per_image: int | None, is_written: bool) -> None:
    from dear_tui.cli.printing.terminal_table import print_table
    from engine.analysis.glossary import once
    from engine.analysis.renderers.registry import render

    if table_format == "json":
        cover = found.compaction.cover
        known = {
            "images": found.images.tolist(),
            "at_least": cover.at_least,
            "critical_faults": found.compaction.incidence.faults,
            "needed": [asdict(each) for each in found.compaction.needed],
            "margins": [asdict(each) for each in found.compaction.margins],
            "transfers": [asdict(each) for each in found.transfers],
        }
        say(json.dumps(known, indent=2))
        return
    if table_format != "text":
        say("\n".join(render(table, table_format) for table in found.tables()), end="")
        return
    for line in _sentences(found, bytes_per_image):
        say_wrapped(line)
    for table in once(found.tables()):
        say()
        print_table(table)
    if not is_written:
        tell(
            f"\nnext: dear-tui compact {found.summary.status.id} --output images.npz writes them, images.csv their ids"
        )


def _sentences(found: _Found, bytes_per_image: int | None) -> Iterator[str]:
    status, cover, count = found.summary.status, found.compaction.cover, len(found.images)
    faults = found.compaction.incidence.faults
    proof = "no fewer can" if cover.gap == 0 else f"no fewer than {cover.at_least:,} can (gap {100 * cover.gap:.1f} %)"
    yield f"campaign {status.id}: {status.name}, {status.network} on {status.dataset}"
    yield f"{count:,} of {status.images:,} images detect all {faults:,} critical faults; {proof}"
    ids, more = found.images[:MOST_LISTED].tolist(), " ..." if count > MOST_LISTED else ""
    yield f"image ids, those that show most first: {' '.join(map(str, ids))}{more}"
    if bytes_per_image is not None:
        milliseconds = 1000 * count * SECONDS_PER_IMAGE
        yield f"{byte_count(count * bytes_per_image)} as float32, {milliseconds:,.0f} ms at 1 ms each"
