"""``python -m gexlab.reports`` is the command line."""

from .cli import console

console()
