"""``gexlab regimes``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import BookOption, DebugOption, JsonOption, LakeOption, StoredUnderlyingOption
from ..output import emit

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
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show or export the regime table of one definition.

    Dollars are per 1 %. With --unit, two columns more: net and gross in that unit. The average
    daily dollar volume is that of 21 sessions.
    """
    from ...data.regime_table import export_regimes, regimes
    from ..choices import book_named, underlying_in

    name = underlying_in(lake, underlying)
    chosen = None if book is None else book_named(book)
    frame = regimes(lake, name, book=chosen, dealer_model=dealer, definition_id=definition)
    frame = _converted(frame, unit, bars)
    if out is not None:
        export_regimes(frame, out)
        summary = {"rows": len(frame), "out": out, "definition_id": frame["definition_id"].iloc[-1]}
        text = f"{len(frame)} rows of definition {summary['definition_id']} in {out}"
        emit(summary, as_json, lambda console: console.print(text))
        return
    emit(frame, as_json, lambda console: _show(console, frame))


def _converted(frame: pd.DataFrame, unit: str | None, bars: Path | None) -> pd.DataFrame:
    if unit is None:
        return frame
    from ...data.bars import read_bars
    from ...data.regime_units import average_dollar_volume, with_unit
    from ..choices import unit_named

    volume = None if bars is None else average_dollar_volume(read_bars(bars))
    return with_unit(frame, unit_named(unit), dollar_volume=volume)


def _show(console: Console, frame: pd.DataFrame) -> None:
    from ..terminal import regimes_table

    console.print(regimes_table(frame.tail(_SHOWN)))
    console.print(f"definition {', '.join(frame['definition_id'].unique())}", style="dim")
    if len(frame) > _SHOWN:
        console.print(f"last {_SHOWN} of {len(frame)} rows; --out writes them all", style="dim")
