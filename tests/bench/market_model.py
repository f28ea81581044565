"""A whole options market as pieces of work: its names, what they cost, and where it would break."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from market_events import Cluster, Outcome, Piece, happened

from gexlab.data.base.workers import AHEAD
from gexlab.data.ingest.spread import pieces_of
from gexlab.data.regimes.many import MOST_HELD
from gexlab.data.regimes.many_pieces import names_together

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["Costs", "Done", "Machine", "Market", "Prices", "drawn", "rate", "simulated"]

SESSIONS_A_YEAR: Final = 252
#: Rows of a row group of a day's file: a reader that wants one name reads that much.
ROW_GROUP: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Costs:
    """What a command costs: processor seconds, requests to a store, memory.

    Attributes
    ----------
    piece, file, looked, name_year, name_session, million : float
        Seconds of a worker: for a piece, each file that it opens, a million rows of others that it
        looks at, a name's year, a name's session, a million contracts.
    command, client_name_year, client_name_session, client_million : float
        Seconds of the client, likewise.
    requests, requests_name_year : float
        Of a worker to a store, for a piece and a name's year.
    client_requests, client_requests_name_year : float
        Of the client, for a command and a name's year.
    kilobytes_name_year, kilobytes_name_session : float
        That the client holds until it publishes.
    files_name_year : float
        Files that are named in a version.
    """

    piece: float
    file: float
    looked: float
    name_year: float
    name_session: float
    million: float
    command: float
    client_name_year: float
    client_name_session: float
    client_million: float
    requests: float = 0.0
    requests_name_year: float = 0.0
    client_requests: float = 0.0
    client_requests_name_year: float = 0.0
    kilobytes_name_year: float = 0.0
    kilobytes_name_session: float = 0.0
    files_name_year: float = 1.0

    @property
    def of_workers(self) -> tuple[float, ...]:
        """Seconds of a worker."""
        return astuple(self)[:6]

    @property
    def of_client(self) -> tuple[float, ...]:
        """Seconds of the client."""
        return astuple(self)[6:10]


@dataclass(frozen=True, slots=True)
class Machine:
    """What was measured on one machine.

    Attributes
    ----------
    ingest, rebuild : Costs
    task, start, first : float
        Seconds of the client for each piece that it hands out; of a worker's start; of what its
        first piece takes beyond its second.
    held_file : float
        Seconds of a version for each file that the lake already holds.
    at_once : float
        Requests to a store that a process has on their way at a time.
    """

    ingest: Costs
    rebuild: Costs
    task: float
    start: float
    first: float
    held_file: float
    at_once: float = 1.0


@dataclass(frozen=True, slots=True)
class Market:
    """What is to be ingested and rebuilt: contracts a session of each name, and years."""

    contracts: npt.NDArray[np.float64]
    years: int = 15

    @property
    def sessions(self) -> int:
        """Sessions of a name: all are listed all the time."""
        return self.years * SESSIONS_A_YEAR

    @property
    def rows(self) -> float:
        """Contracts of all names and sessions."""
        return float(self.contracts.sum()) * self.sessions


@dataclass(frozen=True, slots=True)
class Prices:
    """What is paid for, in one currency, and what a store takes: parameters, not facts.

    Attributes
    ----------
    core_hour : float
    thousand_puts, thousand_gets : float
    latency : float
        Seconds of a request to the store.
    """

    core_hour: float = 0.05
    thousand_puts: float = 0.005
    thousand_gets: float = 0.0004
    latency: float = 0.03


@dataclass(frozen=True, slots=True)
class Done:
    """A command on so many workers.

    Attributes
    ----------
    workers, pieces : int
    outcome : Outcome
    requests : float
        To the store.
    memory : float
        Of the client for results, MB, at its highest.
    bill : float
    """

    workers: int
    pieces: int
    outcome: Outcome
    requests: float
    memory: float
    bill: float


def drawn(
    quantiles: Sequence[tuple[float, float]], names: int, seed: int, total: float | None = None
) -> npt.NDArray[np.float64]:
    """Return contracts a session of so many names, drawn between quantiles of a distribution.

    Parameters
    ----------
    quantiles : sequence of tuple
        Share of names, and contracts a session that so many do not exceed; geometric in between.
    names, seed : int
    total : float, optional
        Contracts a session of all names together; what was drawn is scaled to it.
    """
    share, size = np.array(quantiles, np.float64).T
    found = np.exp(np.interp(np.random.default_rng(seed).random(names), share, np.log(size)))
    return found if total is None else found * total / found.sum()


def simulated(command: str, market: Market, machine: Machine, prices: Prices, workers: int) -> Done:
    """Return what a command over a market takes on so many workers.

    `ingest` is given a year of day files at a time, `rebuild` all that the lake holds.

    Parameters
    ----------
    command : str
    market : Market
    machine : Machine
    prices : Prices
    workers : int
    """
    if command == "rebuild":
        return _rebuilt(market, machine, prices, workers)
    year = _ingested(market, machine, prices, workers)
    one = year.outcome
    outcome = Outcome(
        one.seconds * market.years, one.worked * market.years, one.client * market.years,
        one.longest, one.tail, one.held,
    )  # fmt: skip
    return Done(
        workers, year.pieces * market.years, outcome, year.requests * market.years, year.memory,
        year.bill * market.years,
    )  # fmt: skip


def _rebuilt(market: Market, machine: Machine, prices: Prices, workers: int) -> Done:
    costs, years, sessions = machine.rebuild, market.years, market.sessions
    size = names_together(len(market.contracts), workers)
    pieces, held, files, versions = [], [0.0, 0.0, 0.0], 0.0, 0
    for begin in range(0, len(market.contracts), size):
        sizes = market.contracts[begin : begin + size]
        n, rows = len(sizes), float(sizes.sum()) * sessions
        asked = costs.requests + n * years * costs.requests_name_year
        work = np.dot(costs.of_workers, (1, 0, 0, n * years, n * sessions, rows / 1e6))
        own = n * (years * costs.client_name_year + sessions * costs.client_name_session)
        more = (n * sessions, n * years * costs.files_name_year, rows)
        held = [a + b for a, b in zip(held, more, strict=True)]
        if any(a >= b for a, b in zip(held, MOST_HELD, strict=True)):
            files += held[1]
            versions += 1
            own += machine.held_file * files
            held = [0.0, 0.0, 0.0]
        own += _waited(costs.client_requests_name_year * n * years, machine, prices)
        pieces.append(
            Piece(
                float(work) + _waited(asked, machine, prices),
                own,
                _kilobytes(costs, n * years, n * sessions),
            )
        )
    most = min(MOST_HELD[0], len(market.contracts) * sessions)
    waiting = _kilobytes(costs, most / SESSIONS_A_YEAR, most)
    return _done(pieces, costs, machine, prices, workers, market, years, waiting)


def _ingested(market: Market, machine: Machine, prices: Prices, workers: int) -> Done:
    """Return what one year takes."""
    costs, contracts = machine.ingest, market.contracts
    rows = float(contracts.sum()) * SESSIONS_A_YEAR
    number = min(pieces_of(int(rows), workers, columnar=True), len(contracts))
    middle = (np.cumsum(contracts) - contracts / 2) / contracts.sum()
    place = np.minimum((middle * number).astype(int), number - 1)
    day = float(contracts.sum())
    pieces = []
    for one in range(number):
        sizes = contracts[place == one]
        if not len(sizes):
            continue
        n, own = len(sizes), float(sizes.sum())
        looked = SESSIONS_A_YEAR * min(day - own, 2 * ROW_GROUP)
        made = (
            1,
            SESSIONS_A_YEAR,
            looked / 1e6,
            n,
            n * SESSIONS_A_YEAR,
            own * SESSIONS_A_YEAR / 1e6,
        )
        asked = costs.requests + n * costs.requests_name_year
        pieces.append(Piece(
            float(np.dot(costs.of_workers, made)) + _waited(asked, machine, prices), 0.0,
            _kilobytes(costs, n, n * SESSIONS_A_YEAR),
        ))  # fmt: skip
    names = len(contracts)
    waiting = _kilobytes(costs, names, names * SESSIONS_A_YEAR)
    return _done(pieces, costs, machine, prices, workers, market, 1, waiting)


def _done(
    pieces: Sequence[Piece],
    costs: Costs,
    machine: Machine,
    prices: Prices,
    workers: int,
    market: Market,
    years: int,
    waiting: float,
) -> Done:
    """Let it happen, and reckon what it takes besides time."""
    names = len(market.contracts)
    begin, end = costs.command, 0.0
    asked = costs.client_requests
    if costs is machine.ingest:
        begin += names * SESSIONS_A_YEAR * costs.client_name_session
        begin += market.rows / market.years / 1e6 * costs.client_million
        end += names * costs.client_name_year
        end += _waited(names * costs.client_requests_name_year, machine, prices)
    begin += _waited(asked, machine, prices)
    cluster = Cluster(
        workers,
        machine.start + machine.first,
        begin,
        end,
        machine.task / 2,
        machine.task / 2,
        AHEAD,
    )
    outcome = happened(pieces, cluster)
    requests = (
        asked
        + len(pieces) * costs.requests
        + names * years * (costs.requests_name_year + costs.client_requests_name_year)
    )
    hours = (workers + 1) * outcome.seconds / 3600
    bill = hours * prices.core_hour + requests / 1000 * prices.thousand_puts
    return Done(workers, len(pieces), outcome, requests, (waiting + outcome.held) / 1000, bill)


def _waited(requests: float, machine: Machine, prices: Prices) -> float:
    return requests * prices.latency / machine.at_once


def _kilobytes(costs: Costs, name_years: float, name_sessions: float) -> float:
    return name_years * costs.kilobytes_name_year + name_sessions * costs.kilobytes_name_session


def rate(done: Done) -> float:
    """Return requests a second."""
    return done.requests / done.outcome.seconds if done.outcome.seconds else math.nan
