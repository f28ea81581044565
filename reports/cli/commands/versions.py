"""``gexlab versions``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...terminal.output import emit
from ..options import DebugOption, JsonOption, LakeOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....data import LakeVersion

EXAMPLES = ("gexlab versions --lake lake", "gexlab versions --lake lake --json")


def command(
    lake: LakeOption,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List the versions of a lake: what changed when.

    Reading commands take one of them, or a time, with --as-of. The oldest listed is the oldest
    that can be read; gexlab vacuum decides which that is.
    """
    from ....data import versions

    found = versions(lake)
    emit(found, as_json, lambda console: _show(console, found))


#: Names of a version that are shown one by one.
_FEW = 3


def _named(underlying: str | None) -> str:
    names = (underlying or "all").split(",")
    return f"{len(names)} underlyings" if len(names) > _FEW else ",".join(names)


def _show(console: Console, found: list[LakeVersion]) -> None:
    from ...terminal.tables import simple_table

    table = simple_table("version", "at (UTC)", "operation", "underlying", "sessions")
    for version in found:
        at = f"{version.at:%Y-%m-%d %H:%M:%S}"
        table.add_row(
            str(version.version), at, version.operation, _named(version.underlying),
            str(version.sessions),
        )  # fmt: skip
    console.print(table)
