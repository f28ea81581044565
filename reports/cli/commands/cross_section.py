"""``gexlab cross-section``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...terminal.output import emit
from ..options import (
    AsOfOption,
    DebugOption,
    JsonOption,
    LakeOption,
    OneBookOption,
    SettingsOption,
    StoredDealerOption,
    StoredDefinitionOption,
)

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from ....backtest import CrossSectionResult, LongShortResult, LongShortSection
    from ....data import CrossSection, Lake, TradingCalendar

EXAMPLES = (
    "gexlab cross-section --lake lake",
    "gexlab cross-section --lake lake --underlying 'A*,MU' --settings settings.toml --out out",
    "gexlab cross-section --lake lake --test --json",
    "gexlab cross-section --lake lake --long-short --out out",
)

_SHOWN = 10
_TABLES = ("names", "market", "sectors")


_UnderlyingOption = Annotated[
    str,
    typer.Option(
        "--underlying",
        metavar="X,Y|'A*'",
        help="Underlyings with commas, or a pattern; default: every one in the lake.",
    ),
]
_VolumesOption = Annotated[
    Path | None,
    typer.Option(
        "--volumes",
        metavar="FILE",
        help="Dollar volumes (underlying, session, dollar_volume), Parquet or CSV.",
    ),
]
_IntradayOption = Annotated[
    Path | None,
    typer.Option(
        "--intraday",
        metavar="FILE",
        help="Intraday bars with a column underlying, or a path with {underlying} in it.",
    ),
]
_TestOption = Annotated[
    bool,
    typer.Option("--test", help="Test the claims that need many underlyings."),
]
_LongShortOption = Annotated[
    bool,
    typer.Option("--long-short", help="Evaluate a grid of long-short portfolios of the names."),
]
_PortfoliosOption = Annotated[
    Path | None,
    typer.Option(
        "--portfolios",
        metavar="FILE.toml",
        help="Lists that span the grid: signals, sides, quantiles, weights, holds, fees_bps.",
    ),
]
_OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Write names, market and sectors (with --long-short also trials, returns and their "
        "correlation) as Parquet files.",
    ),
]


def command(
    lake: LakeOption,
    underlying: _UnderlyingOption = "*",
    book: OneBookOption = "post_expiry",
    dealer: StoredDealerOption = None,
    definition: StoredDefinitionOption = None,
    settings: SettingsOption = None,
    volumes: _VolumesOption = None,
    intraday: _IntradayOption = None,
    test: _TestOption = False,
    long_short: _LongShortOption = False,
    portfolios: _PortfoliosOption = None,
    as_of: AsOfOption = None,
    out: _OutOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Put the regimes of many underlyings beside each other.

    Sums over the market and sectors, shares of names by regime, concentration, dispersion and
    ranks, session by session. Sums are over names whose data pass the quality gate; the others are
    counted. Sectors and market values come from --settings.

    Long-short portfolios act on a row at the close of the session after it, at the spots of the
    chains; they are counted in the ledger beside the lake.
    """
    from ....backtest import (
        cross_section_tests,
        intraday_panel,
        load_long_short,
        long_short_document,
    )
    from ....data import cross_section, open_lake, published, trading_calendar
    from ..arguments import book_named

    lists = None if portfolios is None else load_long_short(portfolios)
    opened = open_lake(lake, as_of=as_of)
    found = cross_section(
        opened, underlying, book=book_named(book), dealer_model=dealer, definition_id=definition,
        settings=settings, volumes=volumes,
    )  # fmt: skip
    results: tuple[CrossSectionResult, ...] = ()
    left: dict[str, int] = {}
    calendar = trading_calendar(opened.calendar(str(found.names["underlying"].iloc[0])))
    if test:
        names = list(found.names["underlying"].unique())
        bars = None if intraday is None else intraday_panel(intraday, names, calendar)
        results, left = cross_section_tests(found, calendar, intraday=bars)
    document = _document(found, results, left)
    traded: LongShortResult | None = None
    if long_short or lists is not None:
        traded = _traded(opened, lake, found, calendar, lists)
        document |= {"long_short": long_short_document(traded) | {"table": traded.table}}
    if out is not None:
        with published(out) as stage:
            for name in _TABLES:
                getattr(found, name).to_parquet(stage / f"{name}.parquet", index=False)
            if traded is not None:
                traded.table.to_parquet(stage / "trials.parquet", index=False)
                traded.returns.to_parquet(stage / "returns.parquet")
                traded.book.correlation.to_parquet(stage / "correlation.parquet")
                document["long_short"].pop("table")
        document = {k: v for k, v in document.items() if k not in _TABLES} | {"out": out}
    emit(document, as_json, lambda console: _show(console, found, results, left, out, traded))


def _traded(
    lake: Lake,
    place: str | Path,
    found: CrossSection,
    calendar: TradingCalendar,
    lists: LongShortSection | None,
) -> LongShortResult:
    """Evaluate the portfolios, and count them where the lake has a ledger beside it."""
    from ....backtest import ledger_beside, long_short, record_long_short

    year = lake.facts(str(found.names["underlying"].iloc[0])).sessions_per_year
    result = long_short(found, calendar, lists, year=year)
    ledger = ledger_beside(place)
    if ledger is not None:
        record_long_short(result, found, ledger)
    return result


def _document(
    found: CrossSection, results: tuple[CrossSectionResult, ...], left: dict[str, int]
) -> dict[str, Any]:
    return {
        "book": found.book,
        "dealer_models": found.dealer_models,
        "definition_ids": found.definition_ids,
        "not_rebuilt": found.not_rebuilt,
        "market": found.market,
        "sectors": found.sectors,
        "names": found.names,
        "hypotheses": results,
        "left_out": left,
    }


def _show(
    console: Console,
    found: CrossSection,
    results: tuple[CrossSectionResult, ...],
    left: dict[str, int],
    out: Path | None,
    traded: LongShortResult | None = None,
) -> None:
    from ...page.formats import count

    console.print(_market(found.market.tail(_SHOWN)))
    if len(found.sectors):
        last = found.sectors[found.sectors["session"] == found.sectors["session"].max()]
        console.print(_market(last))
    console.print(_names(found.names))
    said = f"book {found.book}, definition {', '.join(found.definition_ids)}, dealers "
    console.print(f"{said}{', '.join(found.dealer_models)}", style="dim")
    if found.not_rebuilt:
        console.print(f"not rebuilt: {', '.join(found.not_rebuilt)}", style="yellow")
    if results:
        console.print(_results(results))
        for one in results:
            console.print(f"{one.name}: {one.reason}. {one.claim} ({one.source}: {one.published})",
                          style="dim", markup=False)  # fmt: skip
        reasons = ", ".join(f"{k.replace('_', ' ')} {count(v)}" for k, v in left.items())
        console.print(f"rows left out: {reasons}", style="dim")
    if traded is not None:
        _show_traded(console, traded)
    if out is not None:
        console.print(f"tables: {out}", style="bold")


def _show_traded(console: Console, traded: LongShortResult) -> None:
    from ....backtest import long_short_document
    from ...page.formats import count, fixed, percent
    from ...terminal.tables import simple_table

    numbers = (
        "quantile",
        "sessions",
        "fee bp",
        "Sharpe",
        "from",
        "to",
        "turnover",
        "break-even bp",
    )
    table = simple_table(
        "signal", "long", "weights", *numbers, right=numbers,
        title=f"The {min(_SHOWN, traded.trials)} portfolios of {traded.trials} with the highest "
        "Sharpe ratio",
    )  # fmt: skip
    best = traded.table.sort_values("sharpe", ascending=False).head(_SHOWN)
    for row in best.to_dict("records"):
        table.add_row(
            row["signal"], row["side"], row["weights"], fixed(row["quantile"], 2),
            count(row["hold"]), fixed(row["fees_bps"], 1), fixed(row["sharpe"], 2),
            fixed(row["sharpe_low"], 2), fixed(row["sharpe_high"], 2),
            fixed(row["break_even_bps"], 1),
        )  # fmt: skip
    console.print(table)
    said = long_short_document(traded)
    console.print(said["sentence"], markup=False)
    book = traded.book.metrics
    ratio, low, high = (fixed(book[k], 2) for k in ("sharpe", "sharpe_low", "sharpe_high"))
    console.print(
        f"all of them as one book: Sharpe {ratio} [{low}, {high}], volatility "
        f"{percent(book['volatility'])}, mean correlation {fixed(book['mean_correlation'], 2)}",
        markup=False,
    )
    reasons = ", ".join(f"{k.replace('_', ' ')} {count(v)}" for k, v in traded.left_out.items())
    console.print(f"rows without an order, returns left out: {reasons}", style="dim")


def _market(frame: pd.DataFrame) -> Any:
    from ...page.formats import DASH, count, day, fixed, is_defined, money, percent
    from ...terminal.tables import simple_table

    by_sector = "sector" in frame.columns
    numbers = ("names", "abstain", "lack", "net GEX / 1 %", "net/gross", "long", "short",
               "conc.", "disp.")  # fmt: skip
    table = simple_table(
        "session", *(["sector"] if by_sector else []), *numbers, "largest", right=numbers
    )
    for row in frame.to_dict("records"):
        largest = str(row["largest"]) if is_defined(row["largest"]) else DASH
        table.add_row(
            day(row["session"]), *([row["sector"]] if by_sector else []),
            count(row["names"]), count(row["abstaining"]), count(row["lacking"]),
            money(row["net_gex"], sign=""), fixed(row["net_to_gross"], 3),
            percent(row["share_long"], 0), percent(row["share_short"], 0),
            fixed(row["concentration"], 2), fixed(row["dispersion"], 2), largest,
        )  # fmt: skip
    return table


def _names(frame: pd.DataFrame) -> Any:
    """Return the last session's names that weigh most."""
    from ...page.formats import fixed, money, percent
    from ...terminal.tables import simple_table

    last = frame[(frame["session"] == frame["session"].max()) & frame["counts"]]
    weight = last["share_of_absolute"].abs()
    most = last.loc[weight.sort_values(ascending=False).index[:_SHOWN]]
    numbers = ("net GEX / 1 %", "share of absolute", "rank", "net/gross")
    title = f"The {len(most)} of {len(last)} names that weigh most in the last session"
    table = simple_table("underlying", "regime", *numbers, title=title, right=numbers)
    for row in most.to_dict("records"):
        table.add_row(
            row["underlying"], row["regime"], money(row["net_gex"], sign=""),
            percent(row["share_of_absolute"]), fixed(row["rank_net_gex"], 2),
            fixed(row["net_to_gross"], 3),
        )  # fmt: skip
    return table


def _results(results: tuple[CrossSectionResult, ...]) -> Any:
    from ...page.formats import count, fixed
    from ...terminal.tables import simple_table

    numbers = ("bp per s.d.", "error", "t", "p", "n", "names", "sessions")
    table = simple_table("claim", *numbers, "verdict", right=numbers)
    for one in results:
        table.add_row(
            one.name, fixed(one.estimate, 2), fixed(one.std_error, 2), fixed(one.t_stat, 2),
            fixed(one.p_value, 3), count(one.n), count(one.names), count(one.dates), one.verdict,
        )  # fmt: skip
    return table
