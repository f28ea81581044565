"""``gexlab components``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import DebugOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from ....backtest import Entry

EXAMPLES = ("gexlab components", "gexlab components filters", "gexlab components rules --json")


def command(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[KIND]",
            help="filters, rules, sizings, hypotheses, vendors or worlds; default: all.",
        ),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List the components that a configuration can name: built-in ones and your own.

    Your own come from installed packages' entry points of the groups gexlab.filters, gexlab.rules,
    gexlab.sizings, gexlab.hypotheses and gexlab.vendors.
    """
    from ....backtest import components

    found = components(kind)
    emit(list(found), as_json, lambda console: _show(console, found))


def _show(console: Console, found: Sequence[Entry]) -> None:
    from ...terminal.tables import simple_table

    for kind in dict.fromkeys(entry.kind for entry in found):
        table = simple_table("name", "does", "parameters", "reads", "source", title=kind)
        for entry in (e for e in found if e.kind == kind):
            does = entry.does if entry.problem is None else f"cannot be used: {entry.problem}"
            table.add_row(
                entry.name,
                does,
                _parameters(entry.parameters),
                ", ".join(entry.inputs) or "–",
                entry.source,
            )
        console.print(table)


def _parameters(parameters: Mapping[str, Mapping[str, object]]) -> str:
    return ", ".join(f"{name} {_default(p['default'])}" for name, p in parameters.items()) or "–"


def _default(value: object) -> str:
    if isinstance(value, dict):
        return str(value["name"])
    if isinstance(value, list):
        return f"[{', '.join(_default(part) for part in value)}]"
    return "none" if value is None else str(value)
