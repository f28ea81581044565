"""One session of a lake, from its chain to everything that is computed of it, and to its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.schema import Book
from ..calendar.day_numbers import to_days
from ..exposure.chain_volatility import ChainVolatility, chain_volatility
from ..exposure.contradictions import unit_contradiction
from ..exposure.evaluation import (
    BookResult,
    PreparedChain,
    SessionContext,
    agreement_of,
    evaluate_book,
    prepare_chain,
)
from ..exposure.quality_gate import Likeness, likeness
from ..exposure.snapshot import Groups, Snapshot, expiry_groups
from ..lake.chain_reader import RawSession, snapshot_of
from .dealer_findings import dealer_findings
from .findings import session_findings
from .job import Job
from .rate_findings import rate_findings
from .rows import (
    Block,
    Key,
    by_expiry_block,
    by_strike_block,
    fixed_strike_block,
    implied_block,
    profile_block,
    regime_row,
    roots_block,
)

if TYPE_CHECKING:
    from ..exposure.rate_curves import RateCurve

__all__ = [
    "RegimeRows",
    "SessionEvaluation",
    "evaluate_session",
    "likeness_of",
    "prepared_session",
    "session_context",
    "session_rows",
]

_DAY_US: Final = 86_400e6

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SessionEvaluation:
    """Everything computed of one session, before it becomes rows.

    Attributes
    ----------
    raw : RawSession
    prepared : PreparedChain
        What the books share: forwards, volatilities, lines.
    context : SessionContext
    results : dict of book to BookResult
    agreement : dict of book to float
        Share of the 16 definitions that agree with the book's sign.
    likeness : Likeness
        To the lake's session before it.
    repeated : int
        Rows that repeat a contract with other values.
    unit : str
        Which unit the rows contradict, in words; empty where none.
    """

    raw: RawSession
    prepared: PreparedChain
    context: SessionContext
    results: dict[Book, BookResult]
    agreement: dict[Book, float]
    likeness: Likeness
    repeated: int = 0
    unit: str = ""

    def reasons(self, book: Book) -> tuple[str, ...]:
        """Return the reasons why the quality gate refuses a label."""
        return self.results[book].reasons(
            known_before_quotes=self.raw.known_before_quotes,
            copied=self.likeness.is_copy,
            contradicting_duplicates=self.repeated > 0,
            unit_contradicted=bool(self.unit),
        )


@dataclass(frozen=True, slots=True)
class RegimeRows:
    """The rows of one session: what remains of it once it is evaluated."""

    session: date
    contracts: int
    regimes: list[dict[str, Any]]
    blocks: dict[str, list[Block]]
    findings: list[dict[str, Any]]


def session_context(groups: Groups, chain: Snapshot, session: date, job: Job) -> SessionContext:
    """Return what the evaluation of a session needs besides its chain."""
    definition, facts = job.definition, job.facts
    following, opens_us = facts.following(session)
    dies, monthly = facts.expirations(groups.expiry)
    return SessionContext(
        valuations={
            "as_of_close": chain.quote_us,
            "post_expiry": opens_us,
        },
        valuation_days={"as_of_close": to_days(session), "post_expiry": following},
        dies=dies,
        monthly=monthly,
        rate=_rates(job.rate, definition.rate, groups, chain, session),
        dividend_yield=_rates(job.dividend, definition.dividend_yield, groups, chain, session),
    )


def _rates(
    curve: RateCurve | None, constant: float, groups: Groups, chain: Snapshot, session: date
) -> Floats:
    """Return the rate of each expiry group: the curve's at its calendar days, else the constant."""
    if curve is None:
        return np.full(groups.expiry.size, constant)
    days = np.maximum(groups.expiry_us - chain.quote_us, 0) / _DAY_US
    return curve.rates(session, chain.known_us, days)


def evaluate_session(raw: RawSession, previous: RawSession | None, job: Job) -> SessionEvaluation:
    """Return everything computed of one session.

    Parameters
    ----------
    raw, previous : RawSession
        The session, and the lake's session before it.
    job : Job
    """
    prepared, context = prepared_session(raw, job)
    results = {name: evaluate_book(prepared, name, context, job.definition) for name in job.books}
    nets = {name: result.net_gex for name, result in results.items()}
    return SessionEvaluation(
        raw=raw,
        prepared=prepared,
        context=context,
        results=results,
        agreement=agreement_of(prepared, context, job.definition, nets),
        likeness=likeness_of(raw, previous),
        repeated=raw.contradicting_duplicates,
        unit=_unit(raw, prepared),
    )


def likeness_of(raw: RawSession, previous: RawSession | None) -> Likeness:
    """Return how much a session resembles the lake's session before it."""
    if previous is None:
        return Likeness()
    return likeness(raw.contracts, previous.contracts, spot=raw.spot, spot_before=previous.spot)


def _unit(raw: RawSession, prepared: PreparedChain) -> str:
    chain, groups = prepared.chain, prepared.groups
    sizes = np.diff(groups.start)
    return unit_contradiction(
        spot=chain.spot,
        expiry_group=np.repeat(np.arange(sizes.size), sizes),
        years=np.repeat(np.nan_to_num(prepared.market.time), sizes),
        strike=chain.strike,
        is_call=chain.is_call,
        price=chain.mid,
        volatility=chain.volatility,
        open_interest=chain.open_interest,
        multiplier=raw.columns["multiplier"],
    )


def prepared_session(raw: RawSession, job: Job) -> tuple[PreparedChain, SessionContext]:
    """Return what the books of a session share, and what else their evaluation needs."""
    chain = snapshot_of(raw, job.dealer)
    groups = expiry_groups(chain)
    context = session_context(groups, chain, raw.session, job)
    return prepare_chain(chain, groups, context, job.definition), context


def session_rows(
    evaluation: SessionEvaluation,
    job: Job,
    fingerprint: str,
    *,
    before: PreparedChain | None = None,
) -> RegimeRows:
    """Return the rows of one session.

    Parameters
    ----------
    evaluation : SessionEvaluation
    job : Job
    fingerprint : str
        Of the session's chain in the lake.
    before : PreparedChain, optional
        The lake's session before it, for what compares the two.
    """
    raw, prepared = evaluation.raw, evaluation.prepared
    rows, blocks, findings = [], _no_blocks(), []
    implied = _implied(prepared) if job.side_tables else None
    for name, result in evaluation.results.items():
        key = Key(job.underlying, raw.session, name, job.dealer.name, job.definition_id)
        reasons = evaluation.reasons(name)
        row = regime_row(
            key,
            result,
            known_us=prepared.chain.known_us,
            oi_asof=raw.oi_asof,
            reasons=reasons,
            band=job.definition.band,
            agreement=evaluation.agreement[name],
            fingerprint=fingerprint,
        )
        rows.append(row)
        if implied is not None:
            _add_blocks(blocks, key, prepared, result)
            blocks["implied_volatility"].append(
                implied_block(key, implied, prepared.chain.known_us)
            )
            by_right = job.definition.iv_source == "own"
            blocks["fixed_strike_vol"].append(
                fixed_strike_block(key, before, prepared, result, by_right=by_right)
            )
        findings += session_findings(
            key, raw, prepared, result, _gate_details(evaluation, name), job.definition
        )
        findings += dealer_findings(key, raw, prepared, result, job)
        findings += rate_findings(key, prepared.chain.known_us, job)
    return RegimeRows(raw.session, int(raw.columns["strike"].size), rows, blocks, findings)


def _gate_details(evaluation: SessionEvaluation, book: Book) -> dict[str, str]:
    """Return the reasons why the quality gate refuses a label, and what was measured."""
    known = {
        "known_before_quotes": "a row's known_at precedes its quote_ts",
        "copy_of_previous_session": evaluation.likeness.words,
        "open_interest_rejected": (
            f"{evaluation.results[book].book.oi_rejected_share:.2%} of open interest rejected"
        ),
        "empty_book": "no contract carries gamma",
        "contradicting_duplicates": (
            f"{evaluation.repeated} rows repeat a contract with other open interest, volatility "
            "or quotes"
        ),
        "unit_contradicted": evaluation.unit,
    }
    return {reason: known[reason] for reason in evaluation.reasons(book)}


def _no_blocks() -> dict[str, list[Block]]:
    names = ("exposure_by_expiry", "exposure_by_strike", "flip_roots", "profile")
    return {name: [] for name in (*names, "fixed_strike_vol", "implied_volatility")}


def _implied(prepared: PreparedChain) -> ChainVolatility:
    return chain_volatility(prepared.chain, prepared.groups, prepared.market, prepared.own)


def _add_blocks(
    blocks: dict[str, list[Block]], key: Key, prepared: PreparedChain, result: BookResult
) -> None:
    blocks["exposure_by_expiry"].append(by_expiry_block(key, prepared, result))
    blocks["exposure_by_strike"].append(by_strike_block(key, result))
    blocks["flip_roots"].append(roots_block(key, result))
    blocks["profile"].append(profile_block(key, result))
