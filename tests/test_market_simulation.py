"""Pieces on workers, one client: examples calculated by hand."""

from __future__ import annotations

import pytest
from market_events import Cluster, Outcome, Piece, happened

THREE = [Piece(4.0), Piece(3.0), Piece(2.0)]


def test_one_worker_takes_the_sum() -> None:
    assert happened(THREE, Cluster(1)) == Outcome(9.0, 9.0, 0.0, 4.0, 0.0, 0.0)


def test_workers_without_end_take_the_longest_piece() -> None:
    assert happened(THREE, Cluster(100)).seconds == 4.0
    assert happened(THREE, Cluster(100)).bound == "longest piece"


def test_three_pieces_on_two_workers() -> None:
    """The first ends at 4; the second at 3, whose worker takes the third until 5."""
    found = happened(THREE, Cluster(2))
    assert (found.seconds, found.tail) == (5.0, 1.0)


def test_a_client_that_does_all_one_after_the_other() -> None:
    """By hand, one piece ahead of two workers that start after 1 s.

    The client begins for .5 s and hands out both at .6 and .7: they run from 1 to 5 and from 1 to
    4. At 4 it takes the second (4.2), which waits for its turn, and hands out the third (4.3 to
    6.3). At 5 it takes the first (5.2) and publishes two (7.2). At 7.2 it takes the third (7.4),
    publishes it (8.4) and ends 2 s later.
    """
    pieces = [Piece(piece.work, 1.0, 10.0) for piece in THREE]
    cluster = Cluster(2, start=1.0, begin=0.5, end=2.0, hand=0.1, take=0.2, ahead=1)
    found = happened(pieces, cluster)
    assert found.seconds == pytest.approx(10.4)
    assert found.client == pytest.approx(0.5 + 3 * 0.3 + 3 * 1.0 + 2.0)
    assert found.held == 20.0


def test_a_client_that_publishes_more_slowly_than_they_work() -> None:
    found = happened([Piece(1.0, 1.0)] * 100, Cluster(10))
    assert found.seconds == pytest.approx(101.0)
    assert found.bound == "client"


def test_nothing_to_do() -> None:
    assert happened([], Cluster(2, begin=1.0, end=1.0)) == Outcome(2.0, 0.0, 2.0, 0.0, 0.0, 0.0)
