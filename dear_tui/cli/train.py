"""`dear-tui train`: weights from the project's own seeded recipe."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from dear_tui.cli.printing.plain_lines import PlainLines
from dear_tui.cli.printing.say import say, talking_console, tell, tell_line
from engine.config.option_words import DEVICE
from engine.printable import printable_line
from engine.units import percent

if TYPE_CHECKING:
    from engine.running.training import TrainingProgress


def train(
    arch: Annotated[str, typer.Argument(metavar="ARCH", help="The network: lenet5 or resnet9.")],
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="The data set: mnist for lenet5, cifar10 for resnet9.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="The .safetensors file.  [default: ARCH-DATASET.safetensors]")
    ] = None,
    path: Annotated[
        Path | None, typer.Option("--data", help="Folder of the data set; downloaded where it is missing.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="Passes over the training images, instead of the recipe's.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same weights.")] = 0,
    device: Annotated[str, typer.Option("--device", help=f"{DEVICE}; CUDA trains with mixed precision.")] = "auto",
) -> None:
    """Train a network from scratch.

    Prints the file and its test accuracy; on the CPU the same seed gives the same weights.
    """
    from engine.running.training import train as train_network

    target = out or Path(f"{arch}-{dataset}.safetensors")
    console, lines = talking_console(), PlainLines(tell_line)
    with (
        Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[numbers]}"),
            console=console,
            disable=not console.is_terminal,
        ) as bar,
        nullcontext() if console.is_terminal else lines,
    ):
        task = bar.add_task(printable_line(f"{arch} on {dataset}"), total=None, numbers="reading the data set")

        def on_progress(progress: TrainingProgress) -> None:
            numbers = f"epoch {progress.epoch}/{progress.epochs} loss {progress.loss:.3f}"
            if progress.test_accuracy is not None:
                numbers += f", test accuracy {progress.test_accuracy:.2%} after epoch {progress.epoch - 1}"
            bar.update(task, total=progress.steps, completed=progress.step, numbers=numbers)
            is_end = progress.step % (progress.steps // progress.epochs) == 0  # of an epoch
            if not console.is_terminal and is_end:
                console.print(numbers)
            lines.note("training", f"{numbers}, {percent(progress.step, progress.steps)}", is_end)

        result = train_network(arch, dataset, target, path, epochs, seed, on_progress, device)
    say(f"{result.out}  test accuracy {result.test_accuracy:.2%}")
    tell(f"trained on {result.device} in {result.precision}")
