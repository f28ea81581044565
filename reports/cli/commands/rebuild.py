"""``gexlab rebuild``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ...terminal.progress import progress_on_stderr
from ..options import (
    BookOption,
    DealerOption,
    DebugOption,
    JsonOption,
    LakeOption,
    PositionsOption,
    SchedulerOption,
    SettingsOption,
    WorkersOption,
)
from ..options import StoredUnderlyingsOption as Underlying

if TYPE_CHECKING:
    from rich.console import Console

    from ....data import RebuildResult

EXAMPLES = (
    "gexlab rebuild --lake lake --underlying SPX",
    "gexlab rebuild --lake lake --underlying SPX --rate 0.045 --dividend-yield 0.013",
    "gexlab rebuild --lake lake --underlying '*' --settings settings.toml",
    "gexlab rebuild --lake lake --underlying '*' --workers 4",
    "gexlab rebuild --lake lake --underlying SPX --dealer signed --positions positions.parquet",
)


_RateOption = Annotated[
    float | None, typer.Option("--rate", help="Interest rate, continuous, decimal a year.")
]
_DividendYieldOption = Annotated[
    float | None,
    typer.Option("--dividend-yield", help="Dividend yield, continuous, decimal a year."),
]
_RateCurveOption = Annotated[
    Path | None,
    typer.Option("--rate-curve", metavar="FILE", help="Zero rates by session and days."),
]
_DividendCurveOption = Annotated[
    Path | None,
    typer.Option("--dividend-curve", metavar="FILE", help="Dividend yields by session and days."),
]
_IvSourceOption = Annotated[
    str | None,
    typer.Option(
        "--iv-source",
        help="IV used per strike: otm (out-of-the-money side) or own (each contract's).",
    ),
]
_IvDynamicsOption = Annotated[
    str | None,
    typer.Option("--iv-dynamics", help="sticky_strike (default) or sticky_moneyness."),
]
_DefinitionOption = Annotated[
    str | None,
    typer.Option(
        "--definition",
        metavar="NAME|FILE.toml",
        help="Definition that sets everything at once; see the guide.",
    ),
]
_InstrumentOption = Annotated[
    str | None,
    typer.Option(
        "--instrument",
        help="Kind of underlying: index, etf, future or share. "
        "Warns when the naive dealer model is used on a single stock.",
    ),
]
_CalendarOption = Annotated[
    str | None,
    typer.Option("--calendar", help="Exchange calendar; default: that of the chains."),
]


def command(
    lake: LakeOption,
    underlying: Underlying = None,
    dealer: DealerOption = "naive",
    positions: PositionsOption = None,
    book: BookOption = None,
    rate: _RateOption = None,
    dividend_yield: _DividendYieldOption = None,
    rate_curve: _RateCurveOption = None,
    dividend_curve: _DividendCurveOption = None,
    iv_source: _IvSourceOption = None,
    iv_dynamics: _IvDynamicsOption = None,
    definition: _DefinitionOption = None,
    instrument: _InstrumentOption = None,
    calendar: _CalendarOption = None,
    settings: SettingsOption = None,
    workers: WorkersOption = 1,
    scheduler: SchedulerOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Rebuild regimes, flips and walls from the lake's chains.

    Writes the regime table and its side tables; only sessions whose chains or definition
    changed are computed. Of several underlyings the ones that cannot be rebuilt are listed, and
    the exit code is 1.
    """
    from ....data import BOOKS, Workers, rebuild
    from ..arguments import book_named, definition_from, underlying_in

    changes = {
        "rate": rate,
        "dividend_yield": dividend_yield,
        "rate_curve": rate_curve,
        "dividend_curve": dividend_curve,
        "iv_source": iv_source,
        "iv_dynamics": iv_dynamics,
    }
    chosen = definition_from(definition, changes)
    books = BOOKS if book is None else (book_named(book),)
    with progress_on_stderr("rebuild") as progress:
        result = rebuild(
            lake,
            underlying_in(lake, underlying),
            definition=chosen,
            books=books,
            dealer=dealer,
            positions=positions,
            instrument=instrument,
            calendar=calendar,
            settings=settings,
            workers=Workers(workers, scheduler),
            progress=progress,
        )
    emit(result, as_json, lambda console: _show(console, result))
    if result.failed:
        raise typer.Exit(1)


def _show(console: Console, result: RebuildResult) -> None:
    from ...page.formats import count, fixed, plural
    from ...terminal.tables import assumed_table, simple_table

    console.print(
        f"{plural(result.rebuilt, 'session')} of {count(result.sessions)} rebuilt, "
        f"{plural(result.contracts, 'contract')} in {fixed(result.seconds, 1)} s; "
        f"definition {result.definition_id}"
    )
    if result.by_underlying:
        table = simple_table("underlying", "rebuilt", "of", "contracts", "seconds", "definition")
        for name, one in result.by_underlying.items():
            table.add_row(name, count(one.rebuilt), count(one.sessions), count(one.contracts),
                          fixed(one.seconds, 1), one.definition_id)  # fmt: skip
        console.print(table)
        console.print(assumed_table(result.assumed))
    if result.settings_unused:
        console.print(f"settings of others: {', '.join(result.settings_unused)}", style="yellow")
    for name, reason in result.failed.items():
        console.print(f"{name} was not rebuilt: {reason}", style="red", markup=False)
