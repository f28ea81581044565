"""``gexlab sql``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import AsOfOption, DebugOption, JsonOption, LakeOption, StoredDefinitionOption

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console

    from ....data import Answer

EXAMPLES = (
    'gexlab sql "SELECT session, count(*) AS contracts FROM chains GROUP BY 1 ORDER BY 1" '
    "--lake lake",
    "gexlab sql \"SELECT session, regime, flip FROM regimes WHERE book = 'post_expiry'\" "
    "--lake lake --json",
    'gexlab sql "SELECT * FROM chains" --lake lake --out chains.parquet',
)

#: Characters of JSON on standard output; it is held back until the statement has succeeded.
_MOST_JSON = 1_000_000_000


def command(
    statement: Annotated[str, typer.Argument(metavar="SELECT", help="One SELECT statement.")],
    lake: LakeOption,
    definition: StoredDefinitionOption = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Rows shown in the terminal; --json prints all.")
    ] = 40,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write all rows to .parquet, .csv or .json."),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="Time limit of the query.")
    ] = 60.0,
    memory: Annotated[
        int, typer.Option("--memory", metavar="MB", help="Memory limit of the query.")
    ] = 2048,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Query the lake in SQL, read-only.

    Views: chains, regimes, exposure_by_expiry, exposure_by_strike, flip_roots, profile,
    fixed_strike_vol, implied_volatility, quality_findings; rebuilt tables are those of one
    definition. The statement runs in a process of its own that can open no file, within --memory
    and --timeout.
    """
    from ....data import Limits, stream
    from ...terminal.answers import first_rows, require_ending, write_answer

    if out is not None:
        require_ending(out)
    limits = Limits(memory << 20, timeout)
    with stream(lake, statement, definition=definition, limits=limits, as_of=as_of) as answer:
        if out is not None:
            rows = write_answer(answer, out)
            summary = {"rows": rows, "out": out}
            emit(summary, as_json, lambda console: console.print(f"{rows} rows in {out}"))
        elif as_json:
            _print_json(answer)
        else:
            shown, number = first_rows(answer, limit)
            emit(None, False, lambda console: _show(console, answer.schema, shown, number))


def _print_json(answer: Answer) -> None:
    """Print the answer once it is complete: a failure must not leave half a document."""
    from ...terminal.answers import write_json

    with tempfile.TemporaryFile("w+", encoding="utf-8") as held:
        write_json(answer, held, _MOST_JSON)
        held.seek(0)
        shutil.copyfileobj(held, sys.stdout)


def _show(
    console: Console, schema: pa.Schema, shown: list[tuple[object, ...]], number: int
) -> None:
    from ...terminal.tables import answer_table

    console.print(answer_table(schema, shown))
    if number > len(shown):
        console.print(f"{len(shown)} of {number} rows; --limit shows more", style="dim")
