"""From one session's chain to its regime rows, roots, profile and sums."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..base.schema import Book as BookName
from .book import Book, SpotExposure, spot_exposure, value_book
from .book_measures import measures_of_book
from .chain_lines import lines_of_chain
from .definition import Definition
from .expiry_shares import ExpiryShares
from .flips import FlipStatus, Grid, Root, flip_status, nearest_root, roots_of
from .forwards import ForwardCurve
from .quality_gate import gate_reasons
from .snapshot import Groups, Snapshot
from .sticky_moneyness import Curves, sticky_profile, sticky_roots, volatility_curves
from .strike_lines import Lines, Volatility
from .walls import ByStrike, Wall, Walls

__all__ = [
    "BookResult",
    "PreparedChain",
    "SessionContext",
    "book_at",
    "evaluate_book",
    "prepare_chain",
]

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What a session's evaluation needs besides its chain.

    Attributes
    ----------
    valuations : mapping of book to int
        Moment at which each book is valued, microseconds since 1970, UTC.
    valuation_days : mapping of book to int
        The session of that moment, days since 1970.
    dies : ndarray of int32, shape (g,)
        The session on which each expiry group dies, days since 1970.
    monthly : ndarray of bool, shape (g,)
        Expiry groups of monthly expirations.
    rate, dividend_yield : ndarray, shape (g,)
        Of each expiry group, continuous, per year.
    """

    valuations: Mapping[BookName, int]
    valuation_days: Mapping[BookName, int]
    dies: npt.NDArray[np.int32]
    monthly: npt.NDArray[np.bool_]
    rate: Floats
    dividend_yield: Floats


@dataclass(frozen=True, slots=True)
class PreparedChain:
    """A snapshot with forwards, volatilities and lines: all that both books share."""

    chain: Snapshot
    groups: Groups
    market: ForwardCurve
    own: Volatility
    lines: Lines
    curves: Curves | None


@dataclass(frozen=True, slots=True)
class BookResult:
    """Everything that is known of one book of one session.

    Attributes
    ----------
    name : {"as_of_close", "post_expiry"}
    book : Book
    exposure : SpotExposure
    profile : ndarray, shape (2, points)
        Net and gross, dollars per 1 % of the level.
    grid : Grid
    roots : tuple of Root
    flip : Root or None
        The root nearest to spot; None without any.
    strikes : ByStrike
    walls : Walls
    shares : ExpiryShares
    gross_by_expiry : ndarray, shape (g,)
        Gross gamma of each expiry group, dollars per 1 %.
    expired : int
        Contracts of the snapshot that are not in the book because they have expired.
    net_gex : float
        Dollars of delta per +1 %; NaN for an empty book.
    gross_gex : float
        Dollars per 1 %; 0 for an empty book.
    net_to_gross : float
        -1 ... 1; NaN for an empty book.
    contracts_used : int
        Live contracts, of positive open interest, with a volatility.
    contracts_rejected : int
        Live contracts of unknown open interest, or of a positive one without a volatility.
    oi_rejected_share : float
        Rejected open interest over rejected and used; NaN where there is none of either.
    """

    name: BookName
    book: Book
    exposure: SpotExposure
    profile: Floats
    grid: Grid
    roots: tuple[Root, ...]
    flip: Root | None
    strikes: ByStrike
    walls: Walls
    shares: ExpiryShares
    gross_by_expiry: Floats
    expired: int
    net_gex: float
    gross_gex: float
    net_to_gross: float
    contracts_used: int
    contracts_rejected: int
    oi_rejected_share: float

    def reasons(
        self,
        *,
        known_before_quotes: bool,
        copied: bool,
        contradicting_duplicates: bool = False,
        unit_contradicted: bool = False,
    ) -> tuple[str, ...]:
        """Return the reasons why the quality gate refuses a label."""
        return gate_reasons(
            known_before_quotes=known_before_quotes,
            copied=copied,
            oi_rejected_share=self.oi_rejected_share,
            gross_gex=self.gross_gex,
            contradicting_duplicates=contradicting_duplicates,
            unit_contradicted=unit_contradicted,
        )

    def status(self, *, degraded: bool) -> FlipStatus | None:
        """Return the status of the flip."""
        return flip_status(self.net_gex, self.roots, degraded=degraded)


def prepare_chain(
    chain: Snapshot, groups: Groups, context: SessionContext, definition: Definition
) -> PreparedChain:
    """Return forwards, volatilities and lines of a snapshot under a definition."""
    found, volatility, m, (rows, group, start, tally) = lines_of_chain(
        chain.quote_us, chain.spot, definition.floor_minutes,
        definition.forward_source == "parity", definition.iv_source == "own",
        groups.start, groups.expiry_us, context.rate, context.dividend_yield,
        chain.strike, chain.is_call, chain.open_interest, chain.position, chain.mid,
        chain.volatility,
    )  # fmt: skip
    market = ForwardCurve(*found, context.rate, context.dividend_yield)
    own = Volatility(*volatility)
    strike, sigma, call, put, call_size, put_size, log_moneyness = rows[:, :m]
    lines = Lines(
        strike, sigma, group[:m], call, put, call_size, put_size, log_moneyness, start, tally
    )
    curves = None
    if definition.iv_dynamics == "sticky_moneyness":
        curves = volatility_curves(chain, groups, market, own, definition.iv_source)
    return PreparedChain(chain, groups, market, own, lines, curves)


def book_at(prepared: PreparedChain, valuation_us: int, definition: Definition) -> Book:
    """Return what is live at a moment, valued then at the chain's spot."""
    return value_book(
        prepared.lines, prepared.market, prepared.chain.spot, valuation_us,
        prepared.groups.expiry_us, definition.floor_minutes,
    )  # fmt: skip


def evaluate_book(
    prepared: PreparedChain, name: BookName, context: SessionContext, definition: Definition
) -> BookResult:
    """Return exposures, profile, roots, walls and shares of one book."""
    book = book_at(prepared, context.valuations[name], definition)
    grid, lines = Grid(definition.grid_width, definition.grid_points), book.lines
    curves = prepared.curves
    sums, profile, found, strikes, walls, concentration, shares, counts = measures_of_book(
        book.spot, context.valuation_days[name],
        -grid.width, grid.step, grid.points if curves is None else 0,
        prepared.groups.start, context.dies, context.monthly,
        book.live, book.time, book.shift, book.forward, book.discount, book.rate,
        book.dividend_yield, lines.tally,
        lines.start, lines.strike, lines.volatility, lines.call, lines.put, lines.call_size,
        lines.put_size, lines.log_moneyness,
    )  # fmt: skip
    if curves is None:
        roots = roots_of(book.spot, found)
    else:
        profile = sticky_profile(book, curves, grid.levels())
        roots = sticky_roots(book, curves, grid, profile[0], profile[1])
    exposure = spot_exposure(*sums)
    gross_gex = exposure.gross_gex
    net_gex = exposure.net_gex if gross_gex > 0.0 else math.nan
    call, put, pin = walls.tolist()
    expired, used, rejected, refused = counts
    return BookResult(
        name=name,
        book=book,
        exposure=exposure,
        profile=profile,
        grid=grid,
        roots=roots,
        flip=nearest_root(book.spot, roots),
        strikes=ByStrike(*strikes),
        walls=Walls(Wall(*call), Wall(*put), Wall(*pin), concentration),
        shares=ExpiryShares(*shares),
        gross_by_expiry=exposure.by_group[1],
        expired=expired,
        net_gex=net_gex,
        gross_gex=gross_gex,
        net_to_gross=net_gex / gross_gex if gross_gex > 0.0 else math.nan,
        contracts_used=used,
        contracts_rejected=rejected,
        oi_rejected_share=refused,
    )
