"""A whole options market as pieces of work: its names, what they cost, and where it would break."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from market_events import Cluster, Outcome, Piece, happened

from gexlab.data.base.workers import AHEAD
from gexlab.data.ingest.spread import most_pieces
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
    piece, file, looked, name, name_year, name_session, million : float
        Seconds of a worker: for a piece, each file that it opens, a million rows of others that it
        looks at, a name, its year, its session, a million contracts.
    command, client_name, client_name_year, client_name_session, client_million : float
        Seconds of the client, likewise.
    requests, requests_name, requests_name_year : float
        Of a worker to a store, for a piece, a name, its year.
    client_requests, client_requests_name, client_requests_name_year : float
        Of the client, for a command, a name, its year.
    kilobytes_name_year, kilobytes_name_session : float
        That the client holds until it publishes.
    files_name_year : float
        Files that are named in a version.
    """

    piece: float
    file: float
    looked: float
    name: float
    name_year: float
    name_session: float
    million: float
    command: float
    client_name: float
    client_name_year: float
    client_name_session: float
    client_million: float
    requests: float = 0.0
    requests_name: float = 0.0
    requests_name_year: float = 0.0
    client_requests: float = 0.0
    client_requests_name: float = 0.0
    client_requests_name_year: float = 0.0
    kilobytes_name_year: float = 0.0
    kilobytes_name_session: float = 0.0
    files_name_year: float = 1.0

    @property
    def of_workers(self) -> tuple[float, ...]:
        """Seconds of a worker."""
        return astuple(self)[:7]

    @property
    def of_client(self) -> tuple[float, ...]:
        """Seconds of the client."""
        return astuple(self)[7:12]


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
    at_once, client_at_once : float
        Requests to a store that a worker, and the client, have on their way at a time.
    """

    ingest: Costs
    rebuild: Costs
    task: float
    start: float
    first: float
    held_file: float
    at_once: float = 1.0
    client_at_once: float = 1.0


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
    thousand_puts : float
        Requests: all are taken for the dearest kind.
    latency : float
        Seconds of a request to the store.
    """

    core_hour: float = 0.05
    thousand_puts: float = 0.005
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
        Of the client for results and what it publishes, MB, at its highest.
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
    found: npt.NDArray[np.float64] = np.exp(
        np.interp(np.random.default_rng(seed).random(names), share, np.log(size))
    )
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
    year, years = _ingested(market, machine, prices, workers), market.years
    one = year.outcome
    outcome = replace(
        one, seconds=one.seconds * years, worked=one.worked * years, client=one.client * years
    )
    return Done(
        workers, year.pieces * years, outcome, year.requests * years, year.memory, year.bill * years
    )


@dataclass(frozen=True, slots=True)
class _Reckoned:
    """A command's costs, with what its requests wait for a store."""

    costs: Costs
    worker_wait: float
    client_wait: float

    def piece(
        self, names: int, years: int, sessions: int, million: float, looked: Sequence[float]
    ) -> float:
        """Return seconds of a worker for a piece; `looked`: files, and millions of others' rows."""
        c = self.costs
        made = (1, *looked, names, names * years, names * sessions, million)
        asked = c.requests + names * (c.requests_name + years * c.requests_name_year)
        return float(np.dot(c.of_workers, made)) + asked * self.worker_wait

    def client(self, names: int, years: int, sessions: int) -> float:
        """Return seconds of the client for names that it publishes."""
        c = self.costs
        used = c.client_name + years * c.client_name_year + sessions * c.client_name_session
        asked = c.client_requests_name + years * c.client_requests_name_year
        return names * (used + asked * self.client_wait)

    def megabytes(self, names: int, years: float, sessions: float) -> float:
        """Return what the client holds of names."""
        c = self.costs
        each = years * c.kilobytes_name_year + sessions * c.kilobytes_name_session
        return names * each / 1000

    def requests(self, pieces: int, names: int, years: int) -> float:
        """Return requests of all."""
        c = self.costs
        name = c.requests_name + c.client_requests_name
        year = c.requests_name_year + c.client_requests_name_year
        return c.client_requests + pieces * c.requests + names * (name + years * year)


def _reckoned(costs: Costs, machine: Machine, prices: Prices) -> _Reckoned:
    return _Reckoned(
        costs, prices.latency / machine.at_once, prices.latency / machine.client_at_once
    )


def _rebuilt(market: Market, machine: Machine, prices: Prices, workers: int) -> Done:
    """Return what one command takes, which publishes whenever it holds enough."""
    of, years, sessions = _reckoned(machine.rebuild, machine, prices), market.years, market.sessions
    names, size = len(market.contracts), names_together(len(market.contracts), workers)
    pieces, held, before, most = [], np.zeros(4), 0.0, 0.0
    for begin in range(0, names, size):
        sizes = market.contracts[begin : begin + size]
        n, rows = len(sizes), float(sizes.sum()) * sessions
        held += (n * sessions, n * years * of.costs.files_name_year, rows, n)
        own = 0.0
        if (held[:3] >= MOST_HELD).any() or begin + size >= names:
            before += held[1]
            own = of.client(int(held[3]), years, sessions) + machine.held_file * before
            most = max(most, of.megabytes(int(held[3]), years, sessions))
            held = np.zeros(4)
        work = of.piece(n, years, sessions, rows / 1e6, (0, 0))
        pieces.append(Piece(work, own, of.megabytes(n, years, sessions)))
    cluster = _cluster(machine, workers, of.costs.command, 0.0)
    return _done(pieces, cluster, of.requests(len(pieces), names, years), most, prices)


def _ingested(market: Market, machine: Machine, prices: Prices, workers: int) -> Done:
    """Return what one year of day files takes, published at its end."""
    of, contracts = _reckoned(machine.ingest, machine, prices), market.contracts
    day, names = float(contracts.sum()), len(contracts)
    number = most_pieces(int(day * SESSIONS_A_YEAR), workers, columnar=True)
    middle = (np.cumsum(contracts) - contracts / 2) / day
    place = (middle * number).astype(int)
    pieces = []
    for one in np.unique(place):
        sizes = contracts[place == one]
        n, own = len(sizes), float(sizes.sum())
        others = SESSIONS_A_YEAR * min(day - own, 2 * ROW_GROUP) / 1e6
        looked = (SESSIONS_A_YEAR, others)
        work = of.piece(n, 1, SESSIONS_A_YEAR, own * SESSIONS_A_YEAR / 1e6, looked)
        pieces.append(Piece(work, 0.0, of.megabytes(n, 1, SESSIONS_A_YEAR)))
    begin = of.costs.command + day * SESSIONS_A_YEAR / 1e6 * of.costs.client_million
    cluster = _cluster(machine, workers, begin, of.client(names, 1, SESSIONS_A_YEAR))
    most = of.megabytes(names, 1, SESSIONS_A_YEAR)
    return _done(pieces, cluster, of.requests(len(pieces), names, 1), most, prices)


def _cluster(machine: Machine, workers: int, begin: float, end: float) -> Cluster:
    half = machine.task / 2
    return Cluster(workers, machine.start + machine.first, begin, end, half, half, AHEAD)


def _done(
    pieces: Sequence[Piece], cluster: Cluster, requests: float, waiting: float, prices: Prices
) -> Done:
    """Let it happen, and reckon what it takes besides time."""
    outcome = happened(pieces, cluster)
    hours = (cluster.workers + 1) * outcome.seconds / 3600
    bill = hours * prices.core_hour + requests / 1000 * prices.thousand_puts
    memory = max(waiting, outcome.held)
    return Done(cluster.workers, len(pieces), outcome, requests, memory, bill)


def rate(done: Done) -> float:
    """Return requests a second."""
    return done.requests / done.outcome.seconds if done.outcome.seconds else math.nan
