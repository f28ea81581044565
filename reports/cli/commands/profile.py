"""``gexlab profile``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...terminal.output import emit
from ..options import (
    AsOfOption,
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
    import pandas as pd
    from rich.console import Console

    from ...session.picture import SessionPicture
    from ..arguments import SessionRequest

EXAMPLES = (
    "gexlab profile --lake lake",
    "gexlab profile --lake lake --underlying SPX --session 2026-07-01",
    "gexlab profile --lake lake --underlying SPX --session 2026-07-01 --out profile.html",
    "gexlab profile --lake lake --what-if",
)


def command(
    lake: LakeOption,
    underlying: StoredUnderlyingOption = None,
    session: LastSessionOption = None,
    book: OneBookOption = "post_expiry",
    dealer: StoredDealerOption = None,
    positions: PositionsOption = None,
    definition: StoredDefinitionOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the chart to a .html or .png file."),
    ] = None,
    what_if: Annotated[
        bool,
        typer.Option(
            "--what-if",
            help="Add net GEX, flip and hedge flow at other spots, sessions ahead, volatilities.",
        ),
    ] = False,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show the gamma profile, the flip and the walls of one session."""
    from ....data import open_lake
    from ...page.picture_files import write_profile
    from ..arguments import is_simulated, picture_for, wanted_session

    opened = open_lake(lake, as_of=as_of)
    wanted = wanted_session(opened, underlying, session, book, dealer, definition, positions)
    picture = picture_for(wanted)
    if out is not None:
        write_profile(picture, out, simulated=is_simulated(lake))
    found = _elsewhere(wanted) if what_if else None
    sign = opened.facts(wanted.spec.underlying).sign
    document = _document(picture, out) | ({} if found is None else {"what_if": found})
    emit(document, as_json, lambda console: _show(console, picture, out, found, sign))


def _elsewhere(wanted: SessionRequest) -> pd.DataFrame:
    from ....data import what_if

    return what_if(wanted.lake, wanted.spec, wanted.session, book=wanted.book)


def _document(picture: SessionPicture, out: Path | None) -> dict[str, object]:
    return {
        "regime": picture.row,
        "roots": picture.roots,
        "profile": picture.profile,
        "strikes": picture.strikes,
        "expiries": picture.expiries,
        "findings": picture.findings,
        "implied": picture.implied,
        "out": out,
    }


def _show(
    console: Console,
    picture: SessionPicture,
    out: Path | None,
    found: pd.DataFrame | None,
    sign: str,
) -> None:
    from ...terminal.profile import profile_text

    console.print(profile_text(picture, console.width))
    if found is not None:
        from ...page.sections.maps import what_if_grids
        from ...terminal.tables import table_of

        for table in what_if_grids(found, sign):
            console.print()
            console.print(table_of(table))
        console.print("volatilities unmoved; with others: --json", style="dim")
    if out is not None:
        console.print(f"picture in {out}", style="dim")
