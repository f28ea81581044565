"""``gexlab sql``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import DebugOption, JsonOption, LakeOption, StoredDefinitionOption

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

EXAMPLES = (
    'gexlab sql "SELECT session, count(*) AS contracts FROM chains GROUP BY 1 ORDER BY 1" '
    "--lake lake",
    "gexlab sql \"SELECT session, regime, flip FROM regimes WHERE book = 'post_expiry'\" "
    "--lake lake --json",
)


def command(
    statement: Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT statement.")],
    lake: LakeOption,
    definition: StoredDefinitionOption = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Rows shown in the terminal; JSON has them all.")
    ] = 40,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Ask the lake in SQL, read-only.

    Views: chains, regimes, exposure_by_expiry, exposure_by_strike, flip_roots, profile,
    fixed_strike_vol, quality_findings; rebuilt tables are those of one definition.
    """
    from ....data.regimes.query import query

    answer = query(lake, statement, definition=definition)
    emit(answer.to_pylist(), as_json, lambda console: _show(console, answer, limit))


def _show(console: Console, answer: pa.Table, limit: int) -> None:
    from ...terminal.tables import answer_table

    console.print(answer_table(answer, limit))
    if answer.num_rows > limit:
        console.print(f"{limit} of {answer.num_rows} rows; --limit shows more", style="dim")
