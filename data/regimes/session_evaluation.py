"""One session of a lake, from its chain to everything that is computed of it, and to its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.schema import Book
from ..exposure.evaluation import BookResult, PreparedChain, SessionContext, prepare_chain
from ..exposure.quality_gate import Likeness, likeness
from ..exposure.session_result import session_result
from ..exposure.side_tables import side_tables
from ..exposure.snapshot import Groups, Snapshot, snapshot_from
from ..exposure.verdicts import Verdict, verdicts
from ..lake.chain_reader import RawSession
from .dealer_findings import dealer_findings
from .findings import session_findings
from .job import Job
from .rate_findings import rate_findings
from .regime_columns import Key, regime_row
from .rows import BookRows

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
        To the lake's previous session.
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

    def verdicts(self, band: float) -> dict[Book, Verdict]:
        """Return what each book is called, and why the quality gate refuses a label."""
        return verdicts(
            self.results,
            self.likeness,
            known_before_quotes=self.raw.known_before_quotes,
            repeated=self.repeated,
            unit=self.unit,
            band=band,
        )


@dataclass(frozen=True, slots=True)
class RegimeRows:
    """The rows of one session: what remains of it once it is evaluated."""

    session: date
    contracts: int
    books: dict[Book, BookRows]


def session_context(groups: Groups, chain: Snapshot, session: date, job: Job) -> SessionContext:
    """Return what the evaluation of a session needs besides its chain."""
    definition = job.definition
    dates = job.facts.of_session(session, groups.expiry)
    return SessionContext(
        valuations={"as_of_close": chain.quote_us, "post_expiry": dates.opens_us},
        valuation_days={"as_of_close": dates.session, "post_expiry": dates.following},
        dies=dates.dies,
        monthly=dates.monthly,
        rate=_rates(job.rate, definition.rate, groups, chain, session),
        dividend_yield=_rates(job.dividend, definition.dividend_yield, groups, chain, session),
    )


def _rates(
    curve: RateCurve | None, constant: float, groups: Groups, chain: Snapshot, session: date
) -> Floats:
    """Return the rate of each expiry group: the curve's at its calendar days, else the constant."""
    if curve is None:
        rates = np.empty(groups.expiry.size)
        rates.fill(constant)  # half the time of np.full
        return rates
    days = np.maximum(groups.expiry_us - chain.quote_us, 0) / _DAY_US
    return curve.rates(session, chain.known_us, days)


def evaluate_session(raw: RawSession, previous: RawSession | None, job: Job) -> SessionEvaluation:
    """Return everything computed of one session.

    Parameters
    ----------
    raw, previous : RawSession
        The session, and the lake's previous session.
    job : Job
    """
    chain, groups, context = _session_chain(raw, job)
    found = session_result(chain, groups, context, job.definition, job.books, raw.columns)
    return SessionEvaluation(
        raw=raw,
        prepared=found.prepared,
        context=context,
        results=found.results,
        agreement=found.agreement,
        likeness=likeness_of(raw, previous),
        repeated=found.repeated,
        unit=found.unit,
    )


def likeness_of(raw: RawSession, previous: RawSession | None) -> Likeness:
    """Return how much a session resembles the lake's previous session."""
    if previous is None:
        return Likeness()
    return likeness(raw.contracts, previous.contracts, spot=raw.spot, spot_before=previous.spot)


def prepared_session(raw: RawSession, job: Job) -> tuple[PreparedChain, SessionContext]:
    """Return what the books of a session share, and what else their evaluation needs."""
    chain, groups, context = _session_chain(raw, job)
    return prepare_chain(chain, groups, context, job.definition), context


def _session_chain(raw: RawSession, job: Job) -> tuple[Snapshot, Groups, SessionContext]:
    dealer = job.dealer
    chain, groups = snapshot_from(
        raw.columns, spot=raw.spot, call_sign=dealer.call_sign, put_sign=dealer.put_sign
    )
    return chain, groups, session_context(groups, chain, raw.session, job)


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
        Of the lake's previous session, for what compares the two.
    """
    raw, prepared = evaluation.raw, evaluation.prepared
    books = {}
    called = evaluation.verdicts(job.definition.band)
    by_right = job.definition.iv_source == "own"
    tables = (
        side_tables(prepared, evaluation.results, before, by_right=by_right)
        if job.side_tables
        else {}
    )
    for name, result in evaluation.results.items():
        key = Key(job.underlying, raw.session, name, job.dealer.name, job.definition_id)
        row = regime_row(
            key, result, called[name],
            agreement=evaluation.agreement[name], known_us=prepared.chain.known_us,
            oi_asof=raw.oi_asof, fingerprint=fingerprint,
        )  # fmt: skip
        gate = called[name].measured
        findings = session_findings(key, raw, prepared, result, gate, job.definition)
        findings += dealer_findings(key, raw, prepared, result, job)
        findings += rate_findings(key, prepared.chain.known_us, job)
        books[name] = BookRows(key, row, tables.get(name, {}), findings)
    return RegimeRows(raw.session, int(raw.columns["strike"].size), books)
