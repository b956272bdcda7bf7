"""The program `dear-tui`: its commands, and how every error ends.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dear_tui.cli.bench import bench
from dear_tui.cli.check import check
from dear_tui.cli.control import cancel, delete, move, note, pause, rename, resume, retry
from dear_tui.cli.demo import demo
from dear_tui.cli.doctor import doctor
from dear_tui.cli.estimate import estimate
from dear_tui.cli.export import export
from dear_tui.cli.keys import keys
from dear_tui.cli.listing import list_campaigns
from dear_tui.cli.options import StoreOption
from dear_tui.cli.printing.say import tell_refused
from dear_tui.cli.reproduce import reproduce
from dear_tui.cli.results.compact import compact
from dear_tui.cli.results.compare import compare
from dear_tui.cli.results.protect import protect
from dear_tui.cli.results.report import report
from dear_tui.cli.results.show import show
from dear_tui.cli.run import run
from dear_tui.cli.sql import sql
from dear_tui.cli.study import study
from dear_tui.cli.submit import submit
from dear_tui.cli.terminal import open_terminal
from dear_tui.cli.train import train
from dear_tui.cli.verify import verify
from dear_tui.cli.worker import worker
from engine.errors import DearError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    name="dear-tui",
    help="How fragile is a trained CNN to single-bit faults in its weights? Without a command, the screens open.",
    epilog="Start with: dear-tui demo",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(run)
app.command()(submit)
app.command()(study)
app.add_typer(worker, name="worker")
app.command("list")(list_campaigns)
app.command()(show)
for action in (pause, resume, cancel, retry, move, rename, note, delete):
    app.command()(action)
app.command(context_settings={"ignore_unknown_options": True})(sql)  # `-- a comment` begins a query
app.command()(compare)
app.command()(compact)
app.command()(protect)
app.command()(report)
app.command()(reproduce)
app.command()(export)
app.command()(verify)
app.command()(estimate)
app.command()(check)
app.command()(bench)
app.command()(train)
app.command()(keys)
app.command()(doctor)


UNWRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""what the system says where what is printed finds no room"""


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
        bool,
        typer.Option("--version", "-v", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        open_terminal(store)
    elif store is not None:
        context.default_map = _stores(context.command, store)


def _stores(command: Any, store: Path) -> dict[str, Any]:
    """The store as the default of every command, also of those in a group."""
    return {"store": store} | {name: _stores(one, store) for name, one in getattr(command, "commands", {}).items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program on `arguments`, or the process's own; returns the exit code.

    An error is a sentence on standard error, never a traceback.
    """
    _open_closed_streams()
    try:
        _check_present_folder()
        code = app(arguments, prog_name="dear-tui", standalone_mode=False) or 0
        sys.stdout.flush()
        return code
    except (BrokenPipeError, SystemExit) as error:  # Typer makes a SystemExit of the former
        if not isinstance(error if isinstance(error, BrokenPipeError) else error.__context__, BrokenPipeError):
            raise
        return _leave_pipe()
    except typer.TyperException as error:
        return _say(f"{error.format_message().rstrip('.')} (see {_program(error)} --help)", error.exit_code)
    except DearError as error:
        return _say(str(error), error.exit_code)
    except RuntimeError as error:
        if str(error) != "Query interrupted":  # DuckDB's word for ctrl+c
            return _say_unforeseen(error)
        return 130
    except OSError as error:
        if error.filename is not None or error.errno not in UNWRITTEN:
            return _say_unforeseen(error)
        return _say(f"standard output: cannot be written ({error.strerror}); send it elsewhere, or free some space", 1)
    except Exception as error:  # a fault of ours: a sentence for the user, the details in a file
        return _say_unforeseen(error)


def _check_present_folder() -> None:
    """Without a present folder no relative path leads anywhere, and torch's library ends the process.

    Raises:
        UnreachableError: there is none any more.
    """
    try:
        Path.cwd()
    except OSError as error:
        raise UnreachableError(
            f"the present folder cannot be used ({error.strerror}); change to another one with `cd`, and run again"
        ) from None


def _open_closed_streams() -> None:
    """Have standard streams that lead nowhere where whoever started the program closed them, as `>&-` does.

    The next file that is opened would get the number of the closed one, and what is printed would go into that file.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))


def _say_unforeseen(error: Exception) -> int:
    from dear_tui.terminal.crash import record_crash

    return _say(record_crash(error, "something that nobody foresaw went wrong"), 1)


def _leave_pipe() -> int:
    """Whoever read our output, such as `head`, has seen enough: what is left of it goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
    return 0


def _program(error: typer.TyperException) -> str:
    """The command whose help explains a usage error."""
    context = getattr(error, "ctx", None)
    return context.command_path if context else "dear-tui"


def _say(sentences: str, exit_code: int) -> int:
    with suppress(OSError):  # where it cannot be said, the exit code says it
        tell_refused(sentences)
    return exit_code
