"""``gexlab regimes``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import BookOption, DebugOption, JsonOption, LakeOption, StoredUnderlyingOption

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

EXAMPLES = (
    "gexlab regimes --lake lake --underlying SPX --book post_expiry",
    "gexlab regimes --lake lake --underlying SPX --out regimes.parquet",
    "gexlab regimes --lake lake --underlying SPY --unit share_of_adv --bars spy.csv",
)

_SHOWN = 15


def command(
    lake: LakeOption,
    underlying: StoredUnderlyingOption = None,
    book: BookOption = None,
    dealer: Annotated[
        str | None, typer.Option("--dealer", help="Dealer model; all rebuilt ones unless named.")
    ] = None,
    definition: Annotated[
        str | None,
        typer.Option(
            "--definition",
            metavar="ID|NAME|FILE.toml",
            help="Definition; needed where several were rebuilt.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write all rows to a .parquet or .csv file."),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            "--unit", help="Net and gross also per_point, in shares_per_point or share_of_adv."
        ),
    ] = None,
    bars: Annotated[
        Path | None,
        typer.Option("--bars", metavar="FILE", help="Daily closes and volumes, for share_of_adv."),
    ] = None,
    bars_columns: Annotated[
        str | None,
        typer.Option(
            "--bars-columns",
            metavar="NAME=COLUMN,...",
            help="Columns of the bars that are named otherwise, e.g. session=date,close=c.",
        ),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show or export the regime table of one definition.

    Amounts are in the underlying's currency, per 1 %. With --unit, two columns more: net and
    gross in that unit. The average daily volume is that of 21 sessions.
    """
    from ....data.lake.lake import open_lake
    from ....data.regimes.table import export_regimes, regimes
    from ..arguments import book_named, closes_from, underlying_in

    name = underlying_in(lake, underlying)
    chosen = None if book is None else book_named(book)
    frame = regimes(lake, name, book=chosen, dealer_model=dealer, definition_id=definition)
    opened = open_lake(lake)
    daily = closes_from(bars, bars_columns, opened, name, volume=unit == "share_of_adv")
    frame = _converted(frame, unit, daily)
    if out is not None:
        export_regimes(frame, out)
        summary = {"rows": len(frame), "out": out, "definition_id": frame["definition_id"].iloc[-1]}
        text = f"{len(frame)} rows of definition {summary['definition_id']} in {out}"
        emit(summary, as_json, lambda console: console.print(text))
        return
    sign = opened.facts(name).sign
    emit(frame, as_json, lambda console: _show(console, frame, sign))


def _converted(frame: pd.DataFrame, unit: str | None, bars: pd.DataFrame | None) -> pd.DataFrame:
    if unit is None:
        return frame
    from ....data.regimes.units import average_dollar_volume, with_unit
    from ..arguments import unit_named

    volume = None if bars is None else average_dollar_volume(bars)
    return with_unit(frame, unit_named(unit), dollar_volume=volume)


def _show(console: Console, frame: pd.DataFrame, sign: str) -> None:
    from ...terminal.tables import regimes_table

    console.print(regimes_table(frame.tail(_SHOWN), sign=sign))
    said = f"definition {', '.join(frame['definition_id'].unique())}"
    if len(frame) > _SHOWN:
        said = f"last {_SHOWN} of {len(frame)} rows of {said}; --out writes them all"
    console.print(said, style="dim")
