"""``gexlab explain``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ....data import ConfigError
from ...terminal.output import emit
from ..options import (
    AsOfOption,
    DebugOption,
    JsonOption,
    LastSessionOption,
    PageOption,
    PositionsOption,
    StoredDealerOption,
    StoredDefinitionOption,
    StoredUnderlyingOption,
)

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

    from ...session.audit import Decision, Fill
    from ...session.picture import SessionPicture
    from ...session.story import SessionStory

EXAMPLES = (
    "gexlab explain --lake lake",
    "gexlab explain --lake lake --underlying SPX --session 2026-07-01",
    "gexlab explain --lake lake --underlying SPX --session 2026-07-01 --run out --out why.html",
    "gexlab explain --run out --session 2026-07-01",
)

_OTHER_ROWS = (
    "The rows of this lake are no longer those that the run read (other sessions, chains, "
    "positions or rates): what is shown is the lake as it is now. Run the configuration again."
)


_LakeOption = Annotated[
    Path | None,
    typer.Option(
        "--lake",
        metavar="DIR",
        help="Folder of the lake; not needed for the orders of --run on a published series.",
    ),
]
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
    lake: _LakeOption = None,
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
    read and the arithmetic from target to cash. A run on a published series has no contracts: its
    orders alone are explained.
    """
    if lake is None:
        if run is None:
            raise typer.BadParameter("name the lake, or a run on a published series by --run")
        chains = (underlying, book, dealer, positions, definition, out, as_of)
        _explain_orders(run, session, as_json, other=any(v is not None for v in chains))
        return
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


def _explain_orders(run: Path, session: str | None, as_json: bool, *, other: bool) -> None:
    """Explain the orders of a run on a published series: there are no chains behind them."""
    from ...session.audit import decisions_on, fills_on
    from ...session.run_facts import series_session

    if other:
        raise ConfigError(
            "--lake is missing: options about chains, and a page, need the lake; a run on a "
            "published series takes --session alone"
        )
    day = series_session(run, session)
    decisions, fills = decisions_on(run, day), fills_on(run, day)
    document = {"session": day, "decisions": decisions, "fills": fills, "run": run}
    emit(document, as_json, lambda console: _show_orders(console, day, fills))


def _show_orders(console: Console, day: date, fills: list[Fill]) -> None:
    from ...terminal.audit import fills_text

    console.print(f"{day}: {len(fills)} fill(s) decided" if fills else f"{day}: no order decided")
    if fills:
        console.print(fills_text(fills), soft_wrap=True)


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
