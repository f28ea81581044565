"""``gexlab explain``."""

from __future__ import annotations

from dataclasses import asdict
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
    PageOption,
    PositionsOption,
    StoredDealerOption,
    StoredDefinitionOption,
    StoredUnderlyingOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from ...session.audit import Decision, Fill
    from ...session.picture import SessionPicture
    from ...session.story import SessionStory

EXAMPLES = (
    "gexlab explain --lake lake",
    "gexlab explain --lake lake --underlying SPX --session 2026-07-01",
    "gexlab explain --lake lake --underlying SPX --session 2026-07-01 --run out --out why.html",
)

_OTHER_ROWS = (
    "The rows of this lake are no longer those that the run read (other sessions, chains, "
    "positions or rates): what is shown is the lake as it is now. Run the configuration again."
)


_BookOption = Annotated[
    str | None,
    typer.Option(
        "--book", help="as_of_close or post_expiry; default: that of --run, else post_expiry."
    ),
]
_RunOption = Annotated[
    Path | None,
    typer.Option(
        "--run",
        metavar="DIR",
        help="Results of a backtest: shows its orders; takes its underlying, definition, "
        "dealer model and book.",
    ),
]


def command(
    lake: LakeOption,
    underlying: StoredUnderlyingOption = None,
    session: LastSessionOption = None,
    book: _BookOption = None,
    dealer: StoredDealerOption = None,
    positions: PositionsOption = None,
    definition: StoredDefinitionOption = None,
    run: _RunOption = None,
    out: PageOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Explain the regime of a session, down to its contracts.

    Contracts, expiries, roots, definitions that disagree, change since the previous session and
    roll-off; with --run also the decisions based on it and their fills, with what each component
    read and the arithmetic from target to cash.
    """
    from ....data import open_lake
    from ..arguments import is_simulated, picture_for, story_for, wanted_of_run, wanted_session

    opened = open_lake(lake, as_of=as_of)
    facts, decisions, same_rows = None, [], True
    fills: list[Fill] = []
    if run is None:
        wanted = wanted_session(
            opened, underlying, session, book or "post_expiry", dealer, definition, positions
        )
    else:
        from ...session.audit import decisions_on, fills_on
        from ...session.run_facts import run_facts

        facts = run_facts(run)
        wanted, same_rows = wanted_of_run(
            opened, facts, underlying, session, book, dealer, definition, positions
        )
        decisions = decisions_on(run, wanted.session)
        fills = fills_on(run, wanted.session)
    picture, story = picture_for(wanted), story_for(wanted)
    if facts is not None:
        abstains = facts.promoted.get(f"{wanted.session}", ())
        picture = picture.labelled(facts.band).abstaining(abstains)
    if out is not None:
        from ...page.html import write_page
        from ...page.sections.explanation import explanation_page

        page = explanation_page(picture, story, decisions, simulated=is_simulated(lake))
        write_page(page, out)
    document = _document(picture, story, decisions, out)
    if facts is not None:
        document["fills"] = fills
        document["run"] = {**asdict(facts), "promoted": abstains, "same_rows": same_rows}
    said = "" if same_rows else _OTHER_ROWS
    emit(
        document,
        as_json,
        lambda console: _show(console, picture, story, (decisions, fills), out, said),
    )


def _document(
    picture: SessionPicture, story: SessionStory, decisions: list[Decision], out: Path | None
) -> dict[str, object]:
    return {
        "regime": picture.row,
        "contracts": picture.lines,
        "expiries": picture.expiries,
        "roots": picture.roots,
        "definitions": picture.definitions,
        "findings": picture.findings,
        "implied": picture.implied,
        "change": story.change,
        "time_structure": story.structure,
        "decisions": decisions,
        "out": out,
    }


def _show(
    console: Console,
    picture: SessionPicture,
    story: SessionStory,
    acted: tuple[list[Decision], list[Fill]],
    out: Path | None,
    said: str,
) -> None:
    from ...terminal.audit import fills_text
    from ...terminal.profile import explanation_text

    decisions, fills = acted
    console.print(explanation_text(picture, story, decisions))
    if fills:
        console.print(fills_text(fills), soft_wrap=True)
    if said:
        console.print(said, style="bold")
    if out is not None:
        console.print(f"page in {out}", style="dim")
