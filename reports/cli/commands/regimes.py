"""``gexlab regimes``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    from collections.abc import Mapping, Sequence

    import pandas as pd
    import pyarrow as pa
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
        is_several,
        open_lake,
        regimes,
        regimes_and_carry,
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
    table, lacking = regimes_and_carry(
        opened, name, book=chosen, dealer_model=dealer, definition_id=definition
    )
    daily = closes_from(bars, bars_columns, opened, name)
    if unit is not None:
        table = _with_unit(table, unit, daily)
    _show_one(opened, table, lacking, daily, out, as_json)


def _show_one(
    lake: Lake,
    table: pa.Table,
    lacking: list[dict[str, Any]],
    daily: DailyCloses | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Print or write the rows of one underlying, and say what its carry and its spots lack."""
    from ....data import carry_summary, export_regimes, implied_spot_sentence, records_of

    rows = records_of(table)
    name = str(rows[0]["underlying"])
    days = {row["session"] for row in rows}
    implied = days & set(lake.manifest(name).implied_spots)
    carry = carry_summary([(row["check"], str(row["session"])) for row in lacking], len(days))
    spot = [implied_spot_sentence(len(implied), len(days))] if implied else []
    notes = [*carry, *spot, *(() if daily is None else daily.sentences())]
    if out is not None:
        export_regimes(table.to_pandas(date_as_object=False), out)
        summary = {"rows": len(rows), "out": out, "definition_id": rows[-1]["definition_id"]}
        text = f"{len(rows)} rows of definition {summary['definition_id']} in {out}"
        found = summary | {"carry": carry, "bars": () if daily is None else daily.findings}
        found["spots_implied"] = len(implied)
        emit(found, as_json, lambda console: _say(console, [text, *notes]))
        return
    sign = lake.facts(name).sign
    shown = [
        row | {"carry_findings": checks, "spot_implied": row["session"] in implied}
        for row, checks in zip(rows, _checks(rows, lacking), strict=True)
    ]
    emit(shown, as_json, lambda console: _show(console, rows, sign, notes))
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


def _checks(
    rows: Sequence[Mapping[str, Any]], lacking: Sequence[Mapping[str, Any]]
) -> list[list[str]]:
    """Return the names of what the carry of each row lacks; none is an empty list."""
    keys = ("session", "book", "dealer_model")
    found: dict[tuple[Any, ...], list[str]] = {}
    for row in lacking:
        found.setdefault(tuple(row[key] for key in keys), []).append(str(row["check"]))
    return [found.get(tuple(row[key] for key in keys), []) for row in rows]


def _with_unit(table: pa.Table, unit: str, daily: DailyCloses | None) -> pa.Table:
    """Return the rows with what `_converted` adds."""
    import pyarrow as pa

    frame = table.to_pandas(date_as_object=False)
    frame = _converted(frame, unit, None if daily is None else daily.frame)
    for name in frame.columns.drop(table.column_names):
        table = table.append_column(name, pa.array(frame[name], from_pandas=True))
    return table


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


def _show(
    console: Console, rows: Sequence[Mapping[str, Any]], sign: str, notes: Sequence[str]
) -> None:
    from ...terminal.tables import regimes_table

    console.print(regimes_table(rows[-_SHOWN:], sign=sign))
    said = f"definition {', '.join(dict.fromkeys(row['definition_id'] for row in rows))}"
    if len(rows) > _SHOWN:
        said = f"last {_SHOWN} of {len(rows)} rows of {said}; --out writes them all"
    console.print(said, style="dim")
    for sentence in notes:
        console.print(sentence, style="yellow")
