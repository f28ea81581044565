"""``python -m gexlab.reports`` is the command line."""

from .cli.app import console

console()
