"""``gexlab diff``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import (
    AsOfOption,
    BarsColumnsOption,
    DealerOption,
    DebugOption,
    JsonOption,
    LakeOption,
    OneBookOption,
    PageOption,
    PositionsOption,
    StoredUnderlyingOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from ....backtest import DiffResult

EXAMPLES = (
    "gexlab diff a.toml b.toml --lake lake --underlying SPX",
    "gexlab diff a.toml b.toml --lake lake --underlying SPX --out diff.html",
)


def command(
    first: Annotated[str, typer.Argument(metavar="A.toml", help="A definition: file or name.")],
    second: Annotated[
        str, typer.Argument(metavar="B.toml", help="The definition to compare it with.")
    ],
    lake: LakeOption,
    underlying: StoredUnderlyingOption = None,
    book: OneBookOption = "post_expiry",
    dealer: DealerOption = "naive",
    positions: PositionsOption = None,
    bars: Annotated[
        Path | None,
        typer.Option("--bars", metavar="FILE", help="Daily closes; default: the lake's own spots."),
    ] = None,
    bars_columns: BarsColumnsOption = None,
    as_of: AsOfOption = None,
    out: PageOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show where two definitions disagree, and the P&L on those sessions.

    Writes nothing to the lake: missing rows are computed in memory. The P&L is that of the main
    strategy: decided at the session's close, filled at the next close, held for one session,
    before costs.
    """
    from ....backtest import diff
    from ....data import definition_named, open_lake
    from ..arguments import book_named, is_simulated, underlying_in
    from ..daily_bars import closes_from

    opened = open_lake(lake, as_of=as_of)
    name = underlying_in(opened, underlying)
    daily = closes_from(bars, bars_columns, opened, name)
    result = diff(
        opened,
        name,
        definition_named(first),
        definition_named(second),
        book=book_named(book),
        dealers=(dealer, dealer),
        positions=positions,
        closes=None if daily is None else daily.frame["close"],
    )
    if daily is not None:
        result = replace(result, bars=daily.findings)
    sentences = [] if daily is None else daily.sentences()
    if out is not None:
        from ...page.html import write_page
        from ...page.sections.difference import difference_page

        names = (Path(first).stem, Path(second).stem)
        page = difference_page(
            result, name, names, simulated=is_simulated(lake), warnings=sentences
        )
        write_page(page, out)
    emit(result, as_json, lambda console: _show(console, result, out, sentences))


def _show(console: Console, result: DiffResult, out: Path | None, sentences: list[str]) -> None:
    from ...page.sections.difference import changes_table, summary_of
    from ...terminal.tables import table_of

    console.print(summary_of(result))
    for sentence in sentences:
        console.print(sentence, style="yellow")
    if result.changed:
        console.print(table_of(changes_table(result), most=30))
    if out is not None:
        console.print(f"page in {out}", style="dim")
