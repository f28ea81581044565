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

    from ....backtest import CrossSectionResult
    from ....data import CrossSection

EXAMPLES = (
    "gexlab cross-section --lake lake",
    "gexlab cross-section --lake lake --underlying 'A*,MU' --settings settings.toml --out out",
    "gexlab cross-section --lake lake --test --json",
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
_TestOption = Annotated[
    bool,
    typer.Option("--test", help="Test the claims that need many underlyings."),
]
_OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write names, market and sectors as Parquet files."),
]


def command(
    lake: LakeOption,
    underlying: _UnderlyingOption = "*",
    book: OneBookOption = "post_expiry",
    dealer: StoredDealerOption = None,
    definition: StoredDefinitionOption = None,
    settings: SettingsOption = None,
    volumes: _VolumesOption = None,
    test: _TestOption = False,
    as_of: AsOfOption = None,
    out: _OutOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Put the regimes of many underlyings beside each other.

    Sums over the market and sectors, shares of names by regime, concentration, dispersion and
    ranks, session by session. Sums are over names whose data pass the quality gate; the others are
    counted. Sectors and market values come from --settings.
    """
    from ....backtest import cross_section_tests
    from ....data import cross_section, open_lake, published, trading_calendar
    from ..arguments import book_named

    opened = open_lake(lake, as_of=as_of)
    found = cross_section(
        opened, underlying, book=book_named(book), dealer_model=dealer, definition_id=definition,
        settings=settings, volumes=volumes,
    )  # fmt: skip
    results: tuple[CrossSectionResult, ...] = ()
    left: dict[str, int] = {}
    if test:
        names = found.names["underlying"].unique()
        calendar = trading_calendar(opened.calendar(str(names[0])))
        results, left = cross_section_tests(found, calendar)
    document = _document(found, results, left)
    if out is not None:
        with published(out) as stage:
            for name in _TABLES:
                getattr(found, name).to_parquet(stage / f"{name}.parquet", index=False)
        document = {k: v for k, v in document.items() if k not in _TABLES} | {"out": out}
    emit(document, as_json, lambda console: _show(console, found, results, left, out))


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
    if out is not None:
        console.print(f"tables: {out}", style="bold")


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
