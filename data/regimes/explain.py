"""One session under the magnifying glass: its profile, and why it has its regime."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.errors import LakeError, NotRebuiltError
from ..base.reprs import short_repr
from ..base.schema import Book
from ..exposure.definition import DEFAULT, Definition, stored_definition
from ..exposure.definition_agreement import Verdict, sixteen_signs
from ..exposure.flips import Root
from ..exposure.walls import ByStrike, Wall, call_wall, pin_strike, put_wall
from ..lake.chain_reader import RawSession, read_entries
from ..lake.derived_tables import COMPARED, find_stores
from ..lake.lake import Lake, SessionEntry, connect, open_lake, undisturbed
from .job import Job, make_job
from .rebuild import rebuild
from .session_evaluation import SessionEvaluation, evaluate_session, session_rows
from .table import compared_regimes

if TYPE_CHECKING:
    import pandas as pd

    from ..tables.positions import DealerSource

__all__ = [
    "Explanation",
    "SessionProfile",
    "diff_regimes",
    "explain",
    "last_definition",
    "open_session",
    "profile",
]

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SessionProfile:
    """What one draws of a session's book.

    Attributes
    ----------
    row : dict
        The session's row of the regime table; undefined is None.
    level, net_gex, gross_gex : ndarray, shape (m,)
        The profile: spot in points, dollars per 1 % of that spot.
    strikes : ByStrike
        Dollar gamma by strike.
    by_expiry : dict of str to ndarray, shape (g,)
        Columns of the table ``exposure_by_expiry``.
    roots : tuple of Root
    call_wall, put_wall, pin_strike : Wall
    findings : tuple of dict
        Rows of the table ``quality_findings``.
    """

    row: dict[str, Any]
    level: Floats
    net_gex: Floats
    gross_gex: Floats
    strikes: ByStrike
    by_expiry: dict[str, Any]
    roots: tuple[Root, ...]
    call_wall: Wall
    put_wall: Wall
    pin_strike: Wall
    findings: tuple[dict[str, Any], ...]
    __repr__ = short_repr


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a session has its regime.

    Attributes
    ----------
    profile : SessionProfile
    contracts : DataFrame
        The lines that carry most dollar gamma, largest first: expiry, settlement, strike,
        volatility, call_gex, put_gex, net_gex, gross_gex, share of gross.
    verdicts : tuple of Verdict
        Net gamma under each of the 16 definitions.
    """

    profile: SessionProfile
    contracts: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    __repr__ = short_repr


def last_definition(lake: Lake, underlying: str) -> tuple[Definition, str]:
    """Return the definition and dealer model rebuilt last, or the defaults if none was."""
    try:
        stores = find_stores(lake.root, underlying)
    except NotRebuiltError:
        return DEFAULT, "naive"
    last = max(stores, key=lambda s: s.rebuilt_at)
    return stored_definition(last.definition), last.dealer_model


@undisturbed
def open_session(
    lake: Lake, underlying: str, session: date, *, source: DealerSource | None = None
) -> tuple[RawSession, RawSession | None, SessionEntry]:
    """Return a session's chain, the chain of the lake's session before it, and its entry.

    Raises
    ------
    LakeError
        If the lake does not hold that session; the message names the nearest.
    """
    manifest = lake.held(underlying)
    entries = manifest.sessions
    days = [entry.session for entry in entries]
    if session not in days:
        nearest = min(days, key=lambda day: abs((day - session).days))
        raise LakeError(
            f"{lake.root} holds no session {session} of {underlying}, which is known from "
            f"{days[0]} to {days[-1]}: ask for one of them, e.g. {nearest}"
        )
    i = days.index(session)
    wanted = entries[max(i - 1, 0) : i + 1]
    with connect(lake) as connection:
        raws = list(
            read_entries(connection, wanted, settled=manifest.settlement_sources, source=source)
        )
    return raws[-1], raws[0] if len(raws) > 1 else None, entries[i]


def _evaluate(
    lake: Lake | str | Path,
    underlying: str,
    session: date,
    book: Book,
    definition: Definition | None,
    dealer: str | None,
    positions: str | Path | None,
    calendar: str | None,
) -> tuple[SessionEvaluation, Job, str]:
    opened = open_lake(lake)
    last, last_dealer = last_definition(opened, underlying)
    chosen = definition or last
    job = make_job(
        opened,
        underlying,
        chosen,
        dealer=dealer or last_dealer,
        positions=positions,
        books=(book,),
        calendar=calendar,
    )
    raw, previous, entry = open_session(opened, underlying, session, source=job.source)
    return evaluate_session(raw, previous, job), job, entry.fingerprint


def _profile(
    evaluation: SessionEvaluation, job: Job, fingerprint: str, book: Book
) -> SessionProfile:
    rows, result = session_rows(evaluation, job, fingerprint), evaluation.results[book]
    spot = result.book.spot
    curve = rows.blocks["profile"][0].columns
    return SessionProfile(
        row=rows.regimes[0],
        level=curve["level"],
        net_gex=curve["net_gex"],
        gross_gex=curve["gross_gex"],
        strikes=result.strikes,
        by_expiry=rows.blocks["exposure_by_expiry"][0].columns,
        roots=result.roots,
        call_wall=call_wall(result.strikes, spot),
        put_wall=put_wall(result.strikes, spot),
        pin_strike=pin_strike(result.strikes, spot),
        findings=tuple(rows.findings),
    )


def profile(
    lake: Lake | str | Path,
    underlying: str,
    session: date,
    *,
    book: Book = "post_expiry",
    definition: Definition | None = None,
    dealer: str | None = None,
    positions: str | Path | None = None,
    calendar: str | None = None,
) -> SessionProfile:
    """Return the gamma profile, flip, walls and sums of one session, computed from its chain.

    Parameters
    ----------
    lake : Lake or path
    underlying : str
    session : date
    book : {"post_expiry", "as_of_close"}
    definition : Definition, optional
        The one rebuilt last where it is left out, else the default.
    dealer : str, optional
        Likewise.
    positions : path, optional
        The dealers' positions that the dealer model ``signed`` needs.
    calendar : str, optional
        Exchange calendar of the underlying; the lake's where not given.

    Raises
    ------
    LakeError
        If the lake does not hold that session.
    """
    found = _evaluate(lake, underlying, session, book, definition, dealer, positions, calendar)
    return _profile(*found, book)


def explain(
    lake: Lake | str | Path,
    underlying: str,
    session: date,
    *,
    book: Book = "post_expiry",
    definition: Definition | None = None,
    dealer: str | None = None,
    positions: str | Path | None = None,
    calendar: str | None = None,
    most: int = 20,
) -> Explanation:
    """Return why a session has its regime: contracts, expiries, roots, definitions that disagree.

    Parameters are those of `profile`; `most` is the number of lines to name.
    """
    found = _evaluate(lake, underlying, session, book, definition, dealer, positions, calendar)
    evaluation, job, _ = found
    prepared, context = evaluation.prepared, evaluation.context
    verdicts = sixteen_signs(
        prepared.chain,
        prepared.groups,
        prepared.market,
        {str(name): moment for name, moment in context.valuations.items()},
        use_parity=job.definition.forward_source == "parity",
    )
    return Explanation(
        _profile(*found, book), _largest_lines(evaluation, book, most), tuple(verdicts)
    )


def _largest_lines(evaluation: SessionEvaluation, book: Book, most: int) -> pd.DataFrame:
    import pandas as pd

    result, groups = evaluation.results[book], evaluation.prepared.groups
    lines, exposure = result.book.lines, result.exposure
    top = np.argsort(-exposure.gross, kind="stable")[:most]
    group = lines.group[top]
    return pd.DataFrame(
        {
            "expiry": groups.expiry[group].astype("datetime64[D]"),
            "settlement": np.where(groups.morning[group], "AM", "PM"),
            "strike": lines.strike[top],
            "volatility": lines.volatility[top],
            "call_gex": exposure.call_gex[top],
            "put_gex": exposure.put_gex[top],
            "net_gex": exposure.call_gex[top] + exposure.put_gex[top],
            "gross_gex": exposure.gross[top],
            "share_of_gross": exposure.gross[top] / result.gross_gex,
        }
    )


def diff_regimes(
    lake: Lake | str | Path,
    underlying: str,
    first: Definition,
    second: Definition,
    *,
    book: Book = "post_expiry",
    dealers: tuple[str, str] = ("naive", "naive"),
    positions: str | Path | None = None,
    calendar: str | None = None,
) -> pd.DataFrame:
    """Return the sessions of one underlying under two definitions, side by side.

    Both are rebuilt as far as they are not up to date, apart from the lake's own tables: what other
    functions read when no definition is named does not change.

    Parameters
    ----------
    lake : Lake or path
    underlying : str
    first, second : Definition
    book : {"post_expiry", "as_of_close"}
    dealers : tuple of str
        Dealer model of each.
    positions : path, optional
        The dealers' positions, for whichever of the two is ``signed``.
    calendar : str, optional
        Exchange calendar of the underlying; the lake's where not given.

    Returns
    -------
    DataFrame
        One row per session: ``session, known_at`` (when both were), for both definitions ``spot,
        regime, net_gex, net_to_gross, flip, flip_status`` with the endings ``_a`` and ``_b``, and
        ``changed``.
    """
    opened = open_lake(lake)
    frames = []
    for definition, dealer in zip((first, second), dealers, strict=True):
        done = rebuild(
            opened,
            underlying,
            definition=definition,
            books=(book,),
            dealer=dealer,
            positions=positions if dealer == "signed" else None,
            calendar=calendar,
            side_tables=False,
            tree=COMPARED,
        )
        rows = compared_regimes(opened, underlying, book, dealer, done.definition_id)
        frames.append(rows[_COMPARED_COLUMNS])
    joined = frames[0].merge(
        frames[1], on="session", suffixes=("_a", "_b"), how="outer", validate="one_to_one"
    )
    known = joined[["known_at_a", "known_at_b"]]
    joined.insert(1, "known_at", known.max(axis="columns"))
    joined["changed"] = joined["regime_a"] != joined["regime_b"]
    return joined.drop(columns=known.columns)


_COMPARED_COLUMNS = [
    *("session", "known_at", "spot", "regime", "net_gex", "net_to_gross", "flip", "flip_status")
]
