"""Profile and explanation of one session."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.errors import LakeError
from ..base.reprs import short_repr
from ..base.schema import Book
from ..calendar.day_numbers import from_days, to_days
from ..calendar.market_facts import market_facts
from ..exposure.chain_volatility import chain_volatility, expected_move
from ..exposure.definition import Definition
from ..exposure.definition_agreement import SignAgreement, sixteen_signs
from ..exposure.flips import Root
from ..exposure.noise import noise_band
from ..exposure.straddle import next_straddle
from ..exposure.walls import ByStrike, Wall
from ..lake.chain_reader import RawSession, read_entries
from ..lake.connection import Database
from ..lake.lake import Lake, SessionEntry, open_lake, retry_while_written
from ..peers.rules import PeerRule
from ..quality.implied_spot import SPOT_DETAIL, SPOT_IMPLIED
from ..quality.messages import CATALOGUE
from .job import Job, make_job
from .rebuild import evaluated_regimes
from .regime_columns import named
from .session_evaluation import SessionEvaluation, evaluate_session, session_rows
from .spec import RegimeSpec
from .store_choice import DefinitionChoice, spec_chosen
from .table import as_frame

if TYPE_CHECKING:
    import pandas as pd

    from ..tables.positions import DealerSource

__all__ = [
    "Explanation",
    "SessionProfile",
    "diff_regimes",
    "explain",
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
    implied : dict
        The chain's own volatility of 30 days, as in ``implied_volatility``, and ``expected_move``:
        one standard deviation of a session by it, points; ``straddle``, ``straddle_strike``
        (points) and ``straddle_expires`` (session): the straddle at the money that expires first
        after this session; ``net_gex_sd`` (dollars per 1 %) and ``flip_sd`` (of its logarithm):
        standard deviations under noise, see `noise_band`. Undefined is None.
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
    implied: dict[str, Any]
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
    verdicts: tuple[SignAgreement, ...]
    __repr__ = short_repr


@retry_while_written
def open_session(
    lake: Lake, underlying: str, session: date, *, source: DealerSource | None = None
) -> tuple[RawSession, RawSession | None, SessionEntry]:
    """Return a session's chain, the chain of the lake's previous session, and its entry.

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
    with ExitStack() as until:
        database = Database(lake, until)
        raws = list(
            read_entries(database, wanted, settled=manifest.settlement_sources, source=source)
        )
    return raws[-1], raws[0] if len(raws) > 1 else None, entries[i]


@retry_while_written
def _evaluate(
    lake: Lake | str | Path,
    underlying: str | RegimeSpec | Job,
    session: date,
    book: Book,
    definition: DefinitionChoice,
    dealer: str | None,
    positions: str | Path | None,
    calendar: str | None,
) -> tuple[SessionEvaluation, Job, str, bool]:
    spec = underlying
    name = spec if isinstance(spec, str) else spec.underlying
    opened = open_lake(lake)
    if name not in opened.states:  # one that was read already keeps its moment
        opened = opened.as_of_now(name)
    if isinstance(spec, str):
        spec = spec_chosen(
            opened,
            spec,
            definition=definition,
            dealer=dealer,
            positions=positions,
            calendar=calendar,
        )
    if isinstance(spec, Job):
        job = replace(spec, books=(book,), side_tables=True)
    else:
        job = make_job(opened, replace(spec, books=(book,)))
    raw, previous, entry = open_session(opened, job.underlying, session, source=job.source)
    implied = session in opened.held(job.underlying).implied_spots
    return evaluate_session(raw, previous, job), job, entry.fingerprint, implied


def _profile(
    evaluation: SessionEvaluation, job: Job, fingerprint: str, implied: bool, book: Book
) -> SessionProfile:
    rows, result = session_rows(evaluation, job, fingerprint).books[book], evaluation.results[book]
    row, curve = named(rows.regime), rows.columns("profile")
    return SessionProfile(
        row=row,
        level=curve["level"],
        net_gex=curve["net_gex"],
        gross_gex=curve["gross_gex"],
        strikes=result.strikes,
        by_expiry=rows.columns("exposure_by_expiry"),
        roots=result.roots,
        call_wall=result.walls.call,
        put_wall=result.walls.put,
        pin_strike=result.walls.pin,
        findings=(*rows.findings, *([_spot_finding(row)] if implied else [])),
        implied=_implied(evaluation, rows.columns("implied_volatility"), job, book),
    )


def _spot_finding(row: dict[str, Any]) -> dict[str, Any]:
    """Return the finding that the spot of a session is implied, as ``quality_findings`` has it."""
    key = ("underlying", "session", "book", "dealer_model", "definition_id")
    return {
        **{name: row[name] for name in key},
        "check": SPOT_IMPLIED, "severity": CATALOGUE[SPOT_IMPLIED].severity, "count": 1,
        "open_interest": None, "detail": SPOT_DETAIL,
    }  # fmt: skip


def _implied(
    evaluation: SessionEvaluation, columns: dict[str, Any], job: Job, book: Book
) -> dict[str, Any]:
    prepared = evaluation.prepared
    found = chain_volatility(prepared.chain, prepared.groups, prepared.market, prepared.own)
    year = market_facts(job.facts.calendar.name).sessions_per_year
    move = expected_move(found, prepared.chain.spot, year)
    said = {name: values[0] for name, values in columns.items() if name != "known_at"}
    said["expected_move"] = move
    straddle = next_straddle(
        prepared.chain,
        prepared.groups,
        prepared.market,
        evaluation.context.dies,
        to_days(evaluation.raw.session),
    )
    band = noise_band(evaluation.results[book])
    said["net_gex_sd"], said["flip_sd"] = band.net_gex, band.flip
    said["straddle"] = None if straddle is None else straddle.price
    said["straddle_strike"] = None if straddle is None else straddle.strike
    said["straddle_expires"] = None if straddle is None else from_days(straddle.dies)
    return {k: None if isinstance(v, float) and v != v else v for k, v in said.items()}


def profile(
    lake: Lake | str | Path,
    underlying: str | RegimeSpec | Job,
    session: date,
    *,
    book: Book = "post_expiry",
    definition: DefinitionChoice = None,
    dealer: str | None = None,
    positions: str | Path | None = None,
    calendar: str | None = None,
) -> SessionProfile:
    """Return the gamma profile, flip, walls and sums of one session, computed from its chain.

    Parameters
    ----------
    lake : Lake or path
    underlying : str, RegimeSpec or Job
        A `RegimeSpec` says everything that the parameters from `definition` on say; a `Job` is
        one whose files are read.
    session : date
    book : {"post_expiry", "as_of_close"}
    definition : Definition, str or path, optional
        A definition, its name, its file, or the id of a rebuilt one. Left out: the only one that
        was rebuilt, the default where none was; with several it is an error.
    dealer : str, optional
        Likewise.
    positions : path, optional
        The dealers' positions that the dealer model ``signed`` needs.
    calendar : str, optional
        Exchange calendar of the underlying; the lake's where not given.

    Returns
    -------
    SessionProfile

    Raises
    ------
    LakeError
        If the lake does not hold that session.
    DefinitionError
        If several definitions were rebuilt and none is named.
    """
    found = _evaluate(lake, underlying, session, book, definition, dealer, positions, calendar)
    return _profile(*found, book)


def explain(
    lake: Lake | str | Path,
    underlying: str | RegimeSpec | Job,
    session: date,
    *,
    book: Book = "post_expiry",
    definition: DefinitionChoice = None,
    dealer: str | None = None,
    positions: str | Path | None = None,
    calendar: str | None = None,
    most: int = 20,
) -> Explanation:
    """Return why a session has its regime: contracts, expiries, roots, definitions that disagree.

    Parameters
    ----------
    lake : Lake, str or Path
    underlying : str, RegimeSpec or Job
    session : date
    book : {"post_expiry", "as_of_close"}
    definition : str, Path or Definition, optional
        The only one rebuilt where not given.
    dealer : str, optional
        Name of a dealer model; the only one rebuilt where not given.
    positions : str or Path, optional
        File of the dealers' positions, for ``signed``.
    calendar : str, optional
        Exchange calendar; the lake's own where not given.
    most : int
        Contracts and expiries to name.

    Returns
    -------
    Explanation

    Raises
    ------
    LakeError, UnknownNameError, DefinitionError
        As `profile`.
    """
    found = _evaluate(lake, underlying, session, book, definition, dealer, positions, calendar)
    evaluation, job = found[:2]
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
    first: Definition | PeerRule,
    second: Definition | PeerRule,
    *,
    book: Book = "post_expiry",
    dealers: tuple[str, str] = ("naive", "naive"),
    positions: str | Path | None = None,
    calendar: str | None = None,
) -> pd.DataFrame:
    """Return the sessions of one underlying under two definitions, side by side.

    Nothing is written: rows that the lake holds up to date are read, all others are computed.

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
        given = Path(positions) if positions is not None and dealer == "signed" else None
        spec = RegimeSpec(underlying, definition, dealer, given, (book,), calendar)
        frames.append(as_frame(evaluated_regimes(opened, spec))[_COMPARED_COLUMNS])
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
