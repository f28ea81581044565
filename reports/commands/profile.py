"""``gexlab profile``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import DealerOption, DebugOption, JsonOption, LakeOption, SessionOption
from ..options import UnderlyingOption as Underlying
from ..output import emit

if TYPE_CHECKING:
    from rich.console import Console

    from ..session_picture import SessionPicture

EXAMPLES = (
    "gexlab profile --lake lake --underlying SPX --session 2026-07-01",
    "gexlab profile --lake lake --underlying SPX --session 2026-07-01 --out profile.html",
)


def command(
    lake: LakeOption,
    underlying: Underlying,
    session: SessionOption,
    book: Annotated[str, typer.Option("--book", help="as_of_close or post_expiry.")] = (
        "post_expiry"
    ),
    dealer: DealerOption = "naive",
    definition: Annotated[
        str | None,
        typer.Option("--definition", metavar="ID", help="Definition; the one rebuilt last."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Draw it to a .html or .png file."),
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show the gamma profile, the flip and the walls of one session."""
    from ...data.lake import open_lake
    from ..choices import book_named, session_named
    from ..pictures import write_profile
    from ..session_picture import session_picture

    picture = session_picture(
        open_lake(lake),
        underlying,
        session_named(session),
        book=book_named(book),
        dealer_model=dealer,
        definition_id=definition,
    )
    if out is not None:
        write_profile(picture, out)
    emit(_document(picture, out), as_json, lambda console: _show(console, picture, out))


def _document(picture: SessionPicture, out: Path | None) -> dict[str, object]:
    return {
        "regime": picture.row,
        "roots": picture.roots[["level", "direction", "slope", "is_flip"]],
        "profile": picture.profile[["level", "net_gex", "gross_gex"]],
        "strikes": picture.strikes[["strike", "call_gex", "put_gex", "net_gex", "gross_gex"]],
        "out": out,
    }


def _show(console: Console, picture: SessionPicture, out: Path | None) -> None:
    from ..terminal_profile import profile_text

    console.print(profile_text(picture, console.width))
    if out is not None:
        console.print(f"picture in {out}", style="dim")
