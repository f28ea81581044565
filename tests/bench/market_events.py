"""Pieces of work on workers, handed out and published by one client: what happens when."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Cluster", "Outcome", "Piece", "happened"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of work.

    Attributes
    ----------
    work : float
        Seconds of a worker.
    publish : float
        Seconds of the client when the piece's turn comes: results count in the order of the pieces.
    size : float
        What the client holds of the result until its turn comes.
    """

    work: float
    publish: float = 0.0
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """Workers and their client.

    Attributes
    ----------
    workers : int
    start : float
        Seconds until a worker takes its first piece.
    begin : float
        Seconds of the client before it hands out the first piece.
    end : float
        Seconds of the client after the last result.
    hand, take : float
        Seconds of the client to hand out a piece, and to take its result.
    ahead : int
        Pieces for each worker that are handed out at a time.
    """

    workers: int
    start: float = 0.0
    begin: float = 0.0
    end: float = 0.0
    hand: float = 0.0
    take: float = 0.0
    ahead: int = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes
    ----------
    seconds : float
        By the clock.
    worked, client : float
        Seconds in which workers, and the client, did something.
    longest : float
        The longest piece.
    tail : float
        Seconds between the first worker's end and the last one's: what the last pieces cost.
    held : float
        The most that the client held of results that waited for their turn.
    """

    seconds: float
    worked: float
    client: float
    longest: float
    tail: float
    held: float

    @property
    def bound(self) -> str:
        """What a further worker would not help; the workers themselves where it would."""
        if self.client > 0.8 * self.seconds:
            return "client"
        return "longest piece" if self.longest > 0.5 * self.seconds else "workers"


def happened(pieces: Sequence[Piece], cluster: Cluster) -> Outcome:
    """Return when everything has been done.

    A worker that has nothing to do takes the piece that was handed out first. The client does one
    thing at a time: it hands out, takes results as they come, and publishes them in the order of
    the pieces; for each result that it took it hands out one more piece.

    Parameters
    ----------
    pieces : sequence of Piece
    cluster : Cluster

    Returns
    -------
    Outcome
    """
    now, client = cluster.begin, cluster.begin + cluster.end
    free = [cluster.start] * cluster.workers
    heapq.heapify(free)
    running: list[tuple[float, int]] = []
    waiting = deque(range(len(pieces)))

    def handed_out() -> None:
        nonlocal now, client
        number = waiting.popleft()
        now += cluster.hand
        client += cluster.hand
        ends = max(heapq.heappop(free), now) + pieces[number].work
        heapq.heappush(free, ends)
        heapq.heappush(running, (ends, number))

    for _ in range(min(len(pieces), cluster.ahead * cluster.workers)):
        handed_out()
    turn, there, held, most = 0, set[int](), 0.0, 0.0
    while running:
        ends, number = heapq.heappop(running)
        now = max(now, ends) + cluster.take
        client += cluster.take
        there.add(number)
        held += pieces[number].size
        most = max(most, held)
        while turn in there:
            there.remove(turn)
            now += pieces[turn].publish
            client += pieces[turn].publish
            held -= pieces[turn].size
            turn += 1
        if waiting:
            handed_out()
    return Outcome(
        now + cluster.end,
        sum(piece.work for piece in pieces),
        client,
        max((piece.work for piece in pieces), default=0.0),
        max(free) - min(free),
        most,
    )
