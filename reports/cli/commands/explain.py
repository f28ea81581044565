"""``gexlab explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import (
    DebugOption,
    JsonOption,
    LakeOption,
    LastSessionOption,
    OneBookOption,
    PositionsOption,
    StoredDealerOption,
    StoredDefinitionOption,
    StoredUnderlyingOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from ...session.audit import Decision
    from ...session.picture import SessionPicture
    from ...session.story import SessionStory

EXAMPLES = (
    "gexlab explain --lake lake",
    "gexlab explain --lake lake --underlying SPX --session 2026-07-01",
    "gexlab explain --lake lake --underlying SPX --session 2026-07-01 --run out --out why.html",
)

_MOST = 20


def command(
    lake: LakeOption,
    underlying: StoredUnderlyingOption = None,
    session: LastSessionOption = None,
    book: OneBookOption = "post_expiry",
    dealer: StoredDealerOption = None,
    positions: PositionsOption = None,
    definition: StoredDefinitionOption = None,
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

    Contracts, expiries, roots, the definitions that disagree, where net gamma came from and
    what becomes of it; with --run also the decisions taken on it and their fills.
    """
    from ...session.audit import decisions_on
    from ..arguments import inspected, is_simulated, told, wanted_session

    wanted = wanted_session(lake, underlying, session, book, dealer, definition, positions)
    decisions = [] if run is None else decisions_on(run, wanted.session)
    picture, story = inspected(wanted), told(wanted)
    if out is not None:
        from ...page.html import write_page
        from ...page.sections.explanation import explanation_page

        page = explanation_page(picture, story, decisions, simulated=is_simulated(lake))
        write_page(page, out)
    document = _document(picture, story, decisions, out)
    emit(document, as_json, lambda console: _show(console, picture, story, decisions, out))


def _document(
    picture: SessionPicture, story: SessionStory, decisions: list[Decision], out: Path | None
) -> dict[str, object]:
    return {
        "regime": picture.row,
        "contracts": picture.lines.head(_MOST),
        "expiries": picture.expiries,
        "roots": picture.roots,
        "definitions": picture.definitions,
        "findings": picture.findings,
        "change": story.change,
        "time_structure": story.structure,
        "decisions": decisions,
        "out": out,
    }


def _show(
    console: Console,
    picture: SessionPicture,
    story: SessionStory,
    decisions: list[Decision],
    out: Path | None,
) -> None:
    from ...terminal.profile import explanation_text

    console.print(explanation_text(picture, story, decisions))
    if out is not None:
        console.print(f"page in {out}", style="dim")
