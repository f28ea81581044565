"""``gexlab migrate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import DebugOption, JsonOption, LakeOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....data import MigrateResult

EXAMPLES = ("gexlab migrate --lake lake", "gexlab migrate --lake lake --json")


def command(
    lake: LakeOption,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Turn a lake of the former layout into Delta tables, where it lies.

    Values stay what they are. The former records go when every byte has been verified; a run that
    was interrupted goes on where it ended.
    """
    from ....data import migrate

    with progress_on_stderr("migrate") as progress:
        result = migrate(lake, progress=progress)
    emit(result, as_json, lambda console: _show(console, result))


def _show(console: Console, result: MigrateResult) -> None:
    from ...page.formats import plural

    if not result.underlyings:
        console.print("nothing to migrate: the lake is of Delta tables already", markup=False)
        return
    text = (
        f"{plural(result.underlyings, 'underlying')}, {plural(result.sessions, 'session')}, "
        f"{plural(result.stores, 'rebuilt definition')} taken over"
    )
    if result.left_out:
        text += f"; {result.left_out} left out, of unknown inputs: rebuild them"
    console.print(text, highlight=False, markup=False)
