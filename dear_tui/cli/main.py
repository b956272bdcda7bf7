"""The program `dear-tui`: its commands, and how every error ends.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import click
import typer

from dear_tui.cli.demo import demo
from dear_tui.cli.doctor import doctor
from dear_tui.cli.estimate import estimate
from dear_tui.cli.listing import list_campaigns
from dear_tui.cli.options import StoreOption
from dear_tui.cli.run import run
from dear_tui.cli.show import show
from dear_tui.cli.sql import sql
from dear_tui.cli.terminal import open_terminal
from dear_tui.cli.train import train
from engine.errors import DearError

app = typer.Typer(
    name="dear-tui",
    help="How fragile is a trained CNN to single-bit faults in its weights? Without a command, the screens open.",
    epilog="Start with: dear-tui demo",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(run)
app.command("list")(list_campaigns)
app.command()(show)
app.command()(sql)
app.command()(estimate)
app.command()(train)
app.command()(doctor)


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"dear-tui {version('dear-tui')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    store: StoreOption = None,
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        open_terminal(store)
    elif store is not None:
        raise click.UsageError(f"give --store after the command: dear-tui {context.invoked_subcommand} --store {store}")


def main() -> None:
    """Run the program; an error is a sentence on stderr, never a traceback."""
    try:
        sys.exit(app(standalone_mode=False))
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except DearError as error:
        print(*(f"dear-tui: {line}" for line in str(error).splitlines()), sep="\n", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("dear-tui: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        sys.stderr.close()
        sys.exit(0)
