"""``gexlab explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import (
    DebugOption,
    JsonOption,
    LakeOption,
    LastDealerOption,
    LastDefinitionOption,
    OneBookOption,
    SessionOption,
    UnderlyingOption,
)
from ..output import emit

if TYPE_CHECKING:
    from rich.console import Console

    from ..audit import Decision
    from ..session_picture import SessionPicture

EXAMPLES = (
    "gexlab explain --lake lake --underlying SPX --session 2026-07-01",
    "gexlab explain --lake lake --underlying SPX --session 2026-07-01 --run out --out why.html",
)

_MOST = 20


def command(
    lake: LakeOption,
    underlying: UnderlyingOption,
    session: SessionOption,
    book: OneBookOption = "post_expiry",
    dealer: LastDealerOption = None,
    definition: LastDefinitionOption = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="DIR", help="Results of a backtest: the orders it caused."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.html", help="Write it as a page.")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say why a session has its regime, back to the contracts.

    Contracts, expiries, roots and the definitions that disagree; with --run also the decisions
    taken on it and their fills.
    """
    from ..audit import decisions_on
    from ..choices import inspected, session_named

    picture, simulated = inspected(lake, underlying, session, book, dealer, definition)
    decisions = [] if run is None else decisions_on(run, session_named(session))
    if out is not None:
        from ..html import write_page
        from ..sections.explanation import explanation_page

        write_page(explanation_page(picture, decisions, simulated=simulated), out)
    document = _document(picture, decisions, out)
    emit(document, as_json, lambda console: _show(console, picture, decisions, out))


def _document(
    picture: SessionPicture, decisions: list[Decision], out: Path | None
) -> dict[str, object]:
    return {
        "regime": picture.row,
        "contracts": picture.lines.head(_MOST),
        "expiries": picture.expiries,
        "roots": picture.roots,
        "definitions": picture.definitions,
        "findings": picture.findings,
        "decisions": decisions,
        "out": out,
    }


def _show(
    console: Console, picture: SessionPicture, decisions: list[Decision], out: Path | None
) -> None:
    from ..terminal_profile import explanation_text

    console.print(explanation_text(picture, decisions))
    if out is not None:
        console.print(f"page in {out}", style="dim")
