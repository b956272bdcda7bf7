"""The command line: `main` is the program, every command lies in a file of its own."""

from dear_tui.cli.main import main

__all__ = ["main"]
