"""``gexlab regimes``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit, stderr_console
from ..options import (
    AsOfOption,
    BarsColumnsOption,
    BookOption,
    DebugOption,
    JsonOption,
    LakeOption,
    SettingsOption,
    StoredDefinitionOption,
    StoredUnderlyingsOption,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from rich.console import Console

    from ....data import Lake
    from ..daily_bars import DailyCloses

EXAMPLES = (
    "gexlab regimes --lake lake --underlying SPX --book post_expiry",
    "gexlab regimes --lake lake --underlying SPX --out regimes.parquet",
    "gexlab regimes --lake lake --underlying '*' --out regimes.parquet",
    "gexlab regimes --lake lake --underlying SPY --unit share_of_adv --bars spy.csv",
)

_SHOWN = 15


_DealerOption = Annotated[
    str | None, typer.Option("--dealer", help="Dealer model; default: all that were rebuilt.")
]
_OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write all rows to a .parquet or .csv file."),
]
_UnitOption = Annotated[
    str | None,
    typer.Option(
        "--unit", help="Net and gross also per_point, in shares_per_point or share_of_adv."
    ),
]
_BarsOption = Annotated[
    Path | None,
    typer.Option("--bars", metavar="FILE", help="Daily closes and volumes, for share_of_adv."),
]


def command(
    lake: LakeOption,
    underlying: StoredUnderlyingsOption = None,
    book: BookOption = None,
    dealer: _DealerOption = None,
    definition: StoredDefinitionOption = None,
    out: _OutOption = None,
    unit: _UnitOption = None,
    bars: _BarsOption = None,
    bars_columns: BarsColumnsOption = None,
    settings: SettingsOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show or export the regime table of one definition.

    Amounts are in the underlying's currency, per 1 %. With --unit, two columns more: net and
    gross in that unit. The average daily volume is that of 21 sessions.
    """
    from ....data import (
        ConfigError,
        carry_findings,
        is_several,
        open_lake,
        regimes,
    )
    from ..arguments import book_named, underlying_in
    from ..daily_bars import closes_from

    opened = open_lake(lake, as_of=as_of)
    name = underlying_in(opened, underlying)
    chosen = None if book is None else book_named(book)
    if is_several(name) or settings is not None:
        many = regimes(opened, name, book=chosen, dealer_model=dealer, definition_id=definition,
                       settings=settings)  # fmt: skip
        if bars is not None:
            raise ConfigError("daily bars are of one underlying: name one (--underlying)")
        _show_many(_converted(many, unit, None), out, as_json)
        return
    frame = regimes(opened, name, book=chosen, dealer_model=dealer, definition_id=definition)
    lacking = carry_findings(
        opened, name, book=chosen, dealer_model=dealer, definition_id=definition
    )
    daily = closes_from(bars, bars_columns, opened, name)
    frame = _converted(frame, unit, None if daily is None else daily.frame)
    _show_one(opened, frame, lacking, daily, out, as_json)


def _show_one(
    lake: Lake,
    frame: pd.DataFrame,
    lacking: pd.DataFrame,
    daily: DailyCloses | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Print or write the rows of one underlying, and say what its carry and its spots lack."""
    from ....data import carry_summary, export_regimes, implied_spot_sentence

    name = str(frame["underlying"].iloc[0])
    carry = carry_summary(_days(lacking), frame["session"].nunique())
    days = frame["session"].dt.date
    implied = set(days) & set(lake.manifest(name).implied_spots)
    spot = [implied_spot_sentence(len(implied), days.nunique())] if implied else []
    notes = [*carry, *spot, *(() if daily is None else daily.sentences())]
    if out is not None:
        export_regimes(frame, out)
        summary = {"rows": len(frame), "out": out, "definition_id": frame["definition_id"].iloc[-1]}
        text = f"{len(frame)} rows of definition {summary['definition_id']} in {out}"
        found = summary | {"carry": carry, "bars": () if daily is None else daily.findings}
        found["spots_implied"] = len(implied)
        emit(found, as_json, lambda console: _say(console, [text, *notes]))
        return
    sign = lake.facts(name).sign
    shown = _with_carry(frame, lacking).assign(spot_implied=days.isin(implied))
    emit(shown, as_json, lambda console: _show(console, frame, sign, notes))
    if as_json and daily is not None:  # rows have no place for it
        _say(stderr_console(), daily.sentences())


def _show_many(frame: pd.DataFrame, out: Path | None, as_json: bool) -> None:
    """Print or write the rows of several underlyings, and say which have none."""
    from ....data import export_regimes

    lacking = frame.attrs["not_rebuilt"]
    ids = ", ".join(sorted(frame["definition_id"].unique()))
    names = frame["underlying"].nunique()
    notes = [f"not rebuilt: {', '.join(lacking)}"] if lacking else []
    if out is not None:
        export_regimes(frame, out)
        found = {"rows": len(frame), "out": out, "definition_id": ids, "underlyings": names,
                 "not_rebuilt": lacking}  # fmt: skip
        text = f"{len(frame)} rows of {names} underlyings, definition {ids}, in {out}"
        emit(found, as_json, lambda console: _say(console, [text, *notes]))
        return

    def show(console: Console) -> None:
        from ...terminal.tables import latest_table

        console.print(latest_table(frame))
        said = f"last session of {names} underlyings, definition {ids}; --out writes all rows"
        console.print(said, style="dim")
        _say(console, notes)

    emit(frame, as_json, show)
    if as_json:  # rows have no place for it
        _say(stderr_console(), notes)


def _days(lacking: pd.DataFrame) -> list[tuple[str, str]]:
    days = lacking["session"].astype(str)
    return list(zip(lacking["check"], days, strict=True))


def _with_carry(frame: pd.DataFrame, lacking: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the names of what their carry lacks; none is an empty list."""
    import pandas as pd

    keys = ["session", "book", "dealer_model"]
    found: dict[tuple[str, ...], list[str]] = {}
    for row in lacking.to_dict("records"):
        found.setdefault(tuple(str(row[k]) for k in keys), []).append(str(row["check"]))
    rows = [found.get(tuple(map(str, key)), []) for key in frame[keys].itertuples(index=False)]
    return frame.assign(carry_findings=pd.Series(rows, index=frame.index, dtype=object))


def _converted(frame: pd.DataFrame, unit: str | None, bars: pd.DataFrame | None) -> pd.DataFrame:
    if unit is None:
        return frame
    from ....data import average_dollar_volume, with_unit
    from ..arguments import unit_named

    volume = None if bars is None else average_dollar_volume(bars)
    return with_unit(frame, unit_named(unit), dollar_volume=volume)


def _say(console: Console, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        console.print(sentence)


def _show(console: Console, frame: pd.DataFrame, sign: str, notes: Sequence[str]) -> None:
    from ...terminal.tables import regimes_table

    console.print(regimes_table(frame.tail(_SHOWN), sign=sign))
    said = f"definition {', '.join(frame['definition_id'].unique())}"
    if len(frame) > _SHOWN:
        said = f"last {_SHOWN} of {len(frame)} rows of {said}; --out writes them all"
    console.print(said, style="dim")
    for sentence in notes:
        console.print(sentence, style="yellow")
