"""``gexlab snapshot``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import DebugOption, JsonOption, LakeOption, UnderlyingOption

if TYPE_CHECKING:
    from rich.console import Console

    from ....data import SnapshotResult

EXAMPLES = ("gexlab snapshot --underlying SPX --lake lake",)


def command(
    underlying: UnderlyingOption,
    lake: LakeOption,
    url: Annotated[
        str | None,
        typer.Option("--url", help="Address; {symbol} stands for the underlying. Default: Cboe."),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, help="Seconds for all attempts together.")
    ] = 120.0,
    retries: Annotated[
        int, typer.Option("--retries", min=0, help="Attempts after the first one.")
    ] = 4,
    max_megabytes: Annotated[
        int, typer.Option("--max-megabytes", min=1, help="Largest file to accept.")
    ] = 128,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Download Cboe's delayed quotes once and ingest them.

    Starts a history for free. Keeps the raw file in the lake; a failed download changes
    nothing.
    """
    from ....data import CBOE_URL, open_lake, snapshot

    result = snapshot(
        underlying,
        open_lake(lake, create=True),
        url=url or CBOE_URL,
        timeout=timeout,
        retries=retries,
        max_bytes=max_megabytes << 20,
    )
    emit(result, as_json, lambda console: _show(console, result))


def _show(console: Console, result: SnapshotResult) -> None:
    from ...page.formats import moment, plural

    console.print(
        f"{result.underlying} of {moment(result.taken_at)}: "
        f"{plural(result.ingest.rows_written, 'row')} written; raw file {result.raw_file}"
    )
