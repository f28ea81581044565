"""S8's market: agents without intelligence on a limit order book, and one who hedges options.

Orders arrive at random; a share of them takes (immediacy), a share knows the fundamental, the rest
of the book decays. The hedger holds an at-the-money option position. Long gamma, it rests its
hedge in the book and adds depth; short gamma, it must take after every move. The market fails when
one side of the book runs empty.

References
----------
Buis, Pieterse-Bloem, Verschoor and Zwinkels (2024), parameters as reported by a replication's
README; the hedger's way of trading and the horizon of its delta are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...base.errors import ConfigError
from .agent_kernels import LEVELS, AgentNumbers, agent_session, seed_book

__all__ = ["Agents", "agent_bars", "failure_rate"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agents:
    """Parameters of the agents; defaults are the benchmark of the paper.

    Attributes
    ----------
    orders : float
        Mean number of orders in a quarter (Poisson); volumes are uniform between 0 and 1 lot.
    immediacy : float
        Share of market orders.
    informed : float
        Share that trades towards the fundamental.
    spread, spread_sd : float
        Mean and standard deviation of a limit order's distance behind the mid, price units.
    decay : float
        Share of the resting volume withdrawn in a quarter.
    option_sd : float
        Standard deviation of the log price until the hedger's options expire: an implied
        volatility of 0.089 over four units of time.
    price, tick : float
        Fundamental at the start, and tick size.
    days, quarters : int
        Length of a market: 20 days of 40 quarters (10 hours of 4).
    """

    orders: float = 40.0
    immediacy: float = 0.3
    informed: float = 0.3
    spread: float = 0.1
    spread_sd: float = 0.1
    decay: float = 0.05
    option_sd: float = 0.178
    price: float = 5.0
    tick: float = 0.01
    days: int = 20
    quarters: int = 40

    def __post_init__(self) -> None:
        for name in ("immediacy", "informed", "decay"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(
                    f"agents: {name}: expected a share between 0 and 1, "
                    f"found {getattr(self, name):g}"
                )
        if not 0 < self.price / self.tick < LEVELS // 2:
            raise ConfigError(
                f"agents: price / tick: expected 1 to {LEVELS // 2 - 1} ticks, found "
                f"{self.price / self.tick:g}; choose a larger tick"
            )

        for name in ("orders", "spread_sd", "decay", "option_sd"):
            if not getattr(self, name) > 0:
                raise ConfigError(
                    f"agents: {name}: expected more than 0, found {getattr(self, name):g}"
                )
        reach = (self.spread + 4.0 * self.spread_sd) / self.tick
        if not 1 <= reach < LEVELS // 2:
            raise ConfigError(
                f"agents: spread + 4 spread_sd: expected 1 to {LEVELS // 2 - 1} ticks, found "
                f"{reach:g}: the book has {LEVELS} levels"
            )

    def numbers(self, position: float) -> AgentNumbers:
        """Return the kernel's view, in ticks, of a market whose hedger holds `position`.

        Parameters
        ----------
        position : float
            Options that the hedger holds; positive is long gamma.

        Returns
        -------
        AgentNumbers
        """
        return AgentNumbers(
            immediacy=self.immediacy,
            informed=self.informed,
            spread=self.spread / self.tick,
            spread_sd=self.spread_sd / self.tick,
            decay=self.decay,
            position=float(position),
            option_sd=self.option_sd,
            start=self.price / self.tick,
            orders=self.orders,
        )


def failure_rate(
    position: float, *, markets: int, seed: int, agents: Agents | None = None
) -> float:
    """Return the share of markets that fail within their days.

    Parameters
    ----------
    position : float
        Options that the hedger holds, renewed at the money each day; positive is long gamma.
    markets : int
        Number of markets; market k of a seed is the same for every position.
    seed : int
    agents : Agents, optional

    Returns
    -------
    float
        0 ... 1.

    Examples
    --------
    >>> failure_rate(80.0, markets=5, seed=1)
    0.0
    """
    chosen = agents or Agents()
    streams = np.random.SeedSequence(seed).spawn(markets)
    return float(np.mean([_fails(position, chosen, np.random.default_rng(s)) for s in streams]))


def agent_bars(
    position: float, news: Floats, source: np.random.Generator, agents: Agents
) -> tuple[Floats, float, bool]:
    """Return one session's bars, a quarter each, from a freshly filled book.

    Parameters
    ----------
    position : float
        Options that the hedger holds.
    news : ndarray, shape (q,)
        Change of the fundamental before each quarter, ticks.
    source : Generator
        Draws the orders.
    agents : Agents

    Returns
    -------
    tuple of (ndarray, shape (q, 4), float, bool)
        Open, high, low, close of the mid in ticks from the session's start; how far the mid ends
        above the fundamental, ticks; whether the market failed. After a failure the mid stands
        still.
    """
    numbers = agents.numbers(position)
    book, own = np.empty((2, LEVELS)), np.empty((2, LEVELS))
    seed_book(numbers, book, own)
    middle = float(LEVELS // 2)
    fundamental = middle + np.cumsum(news)
    out = np.empty((len(news), 4))
    counts, draws = _orders(source, agents.orders, len(news))
    done = agent_session(numbers, book, own, fundamental, counts, draws, out)
    out[done:] = out[done - 1, 3] if done else middle
    last = float(out[-1, 3])
    return out - middle, last - float(fundamental[-1]), done < len(news)


def _fails(position: float, agents: Agents, source: np.random.Generator) -> bool:
    numbers = agents.numbers(position)
    book, own = np.empty((2, LEVELS)), np.empty((2, LEVELS))
    seed_book(numbers, book, own)
    still = np.full(agents.quarters, float(LEVELS // 2))
    out = np.empty((agents.quarters, 4))
    for _ in range(agents.days):
        counts, draws = _orders(source, agents.orders, agents.quarters)
        if agent_session(numbers, book, own, still, counts, draws, out) < agents.quarters:
            return True
    return False


def _orders(
    source: np.random.Generator, mean: float, quarters: int
) -> tuple[npt.NDArray[np.int64], Floats]:
    counts = source.poisson(mean, quarters)
    total = int(counts.sum())
    draws = source.random((total, 4))
    draws[:, 2] = source.standard_normal(total)
    return counts, draws
