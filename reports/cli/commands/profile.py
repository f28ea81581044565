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
    from rich.console import Console

    from ...session.picture import SessionPicture

EXAMPLES = (
    "gexlab profile --lake lake",
    "gexlab profile --lake lake --underlying SPX --session 2026-07-01",
    "gexlab profile --lake lake --underlying SPX --session 2026-07-01 --out profile.html",
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
    emit(_document(picture, out), as_json, lambda console: _show(console, picture, out))


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


def _show(console: Console, picture: SessionPicture, out: Path | None) -> None:
    from ...terminal.profile import profile_text

    console.print(profile_text(picture, console.width))
    if out is not None:
        console.print(f"picture in {out}", style="dim")
