"""The command line. Heavy imports stay inside commands, so that --help answers at once."""

from stillfit.cli.app import main

__all__ = ["main"]
