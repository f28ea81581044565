"""Folds: nothing of a test is in its training, and nothing else is left out."""

from __future__ import annotations

import inspect
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gexlab.backtest.tournament.folds import (
    Fold,
    Reach,
    backtest_paths,
    by_outcome,
    combinatorial,
    reach_of,
    walk_forward,
)
from gexlab.data.base.errors import GexlabError, NotEnoughDataError, UnknownNameError
from gexlab.strategies.registry import make_strategy

DAYS = pd.bdate_range("2011-03-15", "2019-10-02").to_numpy().astype("datetime64[D]")
NOTHING = Reach(window=0, holding=0)


def _touches(t: int, s: int, reach: Reach) -> bool:
    """By the definition: sessions that t reads or earns on, and those of s and its outcome."""
    back = 10**6 if reach.window is None else reach.window
    return t - back <= s + reach.holding and s <= t + reach.holding


def _hold(fold: Fold, n: int, reach: Reach, *, from_: int = 0) -> None:
    """Hold one fold to the definition, pair by pair."""
    train, test = set(fold.train.tolist()), set(fold.test.tolist())
    purged, embargoed = set(fold.purged.tolist()), set(fold.embargoed.tolist())
    assert sum(map(len, (train, test, purged, embargoed))) == len(train | test | purged | embargoed)
    assert not any(_touches(t, s, reach) for t in train for s in test)
    # nothing is purged that does not touch
    assert all(any(_touches(t, s, reach) for s in test) for t in purged)
    assert not any(_touches(t, s, reach) for t in embargoed for s in test)
    assert (train | test | purged | embargoed) <= set(range(from_, n))


@given(
    n=st.integers(12, 60),
    groups=st.integers(2, 6),
    data=st.data(),
    window=st.one_of(st.none(), st.integers(0, 8)),
    holding=st.integers(0, 5),
    embargo=st.integers(0, 5),
)
def test_combinatorial_folds_touch_nothing(
    n: int, groups: int, data: st.DataObject, window: int | None, holding: int, embargo: int
) -> None:
    tested = data.draw(st.integers(1, groups - 1))
    reach = Reach(window, holding)
    folds = combinatorial(n, groups=groups, tested=tested, reach=reach, embargo=embargo)
    assert len(folds) == comb(groups, tested)
    for fold in folds:
        _hold(fold, n, reach)
        parts = (fold.train, fold.test, fold.purged, fold.embargoed)
        assert sum(map(len, parts)) == n
    assert (
        np.bincount(np.concatenate([f.test for f in folds])) == comb(groups - 1, tested - 1)
    ).all()


@given(
    n=st.integers(20, 80),
    train=st.integers(8, 15),
    test=st.integers(1, 10),
    window=st.one_of(st.none(), st.integers(0, 8)),
    holding=st.integers(0, 4),
    embargo=st.integers(0, 3),
    rolling=st.booleans(),
)
def test_walk_forward_folds_touch_nothing(
    n: int, train: int, test: int, window: int | None, holding: int, embargo: int, rolling: bool
) -> None:
    reach = Reach(window, holding)
    folds = walk_forward(
        DAYS[:n],
        train=train,
        test=test,
        reach=reach,
        embargo=embargo,
        kind="rolling" if rolling else "anchored",
    )
    tests = np.concatenate([fold.test for fold in folds])
    assert tests.tolist() == list(range(train, n))
    for fold in folds:
        # training lies before its test, so that windows reach back only into its own past
        _hold(fold, n, Reach(0, holding))
        assert fold.train[-1] == fold.test[0] - 1 - holding - embargo
        assert fold.train[0] == (fold.test[0] - train if rolling else 0)


def test_by_calendar() -> None:
    folds = walk_forward(DAYS, train="5y", test="1y", reach=Reach(20, 2), embargo=1)
    first = [str(DAYS[fold.test[0]]) for fold in folds]
    # 5 years from 2011-03-15 end within 2016
    assert first == ["2017-01-02", "2018-01-01", "2019-01-01"]
    assert str(DAYS[folds[-1].test[-1]]) == "2019-10-02"  # a part of a year, kept
    assert str(DAYS[folds[0].train[0]]) == "2011-03-15"
    # the last training decision: 1 embargo and 2 of holding before Monday 2017-01-02
    assert str(DAYS[folds[0].train[-1]]) == "2016-12-27"
    rolling = walk_forward(DAYS, train="2y", test="2q", reach=NOTHING, embargo=0, kind="rolling")
    assert [str(DAYS[f.test[0]])[:7] for f in rolling[:3]] == ["2013-04", "2013-10", "2014-04"]
    assert str(DAYS[rolling[0].train[0]]) == "2011-04-01"
    assert str(DAYS[rolling[1].train[0]]) == "2011-10-03"
    exact = walk_forward(DAYS[:800], train=260, test="1q", reach=NOTHING, embargo=0)
    assert str(DAYS[exact[0].test[0]]) == "2012-04-02"


def test_embargo_counts_from_the_end_of_the_test() -> None:
    # timeseriescv#8: counted from another index. 10 ... 19 tested, outcomes known at 22, windows of
    # 4 sessions: 27 reads 23 ... 27; three more are embargoed
    fold = combinatorial(60, groups=6, tested=1, reach=Reach(4, 3), embargo=3)[1]
    assert fold.test.tolist() == list(range(10, 20))
    assert fold.purged.tolist() == [7, 8, 9, *range(20, 27)]
    assert fold.embargoed.tolist() == [27, 28, 29]
    assert fold.train.tolist() == [*range(7), *range(30, 60)]


def test_purge_starts_before_the_first_test_observation() -> None:
    # openquant#65: from the end of the first test label on, what overlaps with its beginning stayed
    fold = combinatorial(40, groups=4, tested=1, reach=Reach(0, 5), embargo=0)[1]
    assert fold.purged.tolist() == [*range(5, 10), *range(20, 25)]


def test_there_is_no_default_that_purges_nothing() -> None:
    # openquant PR#27: without saying so, nothing was purged
    for split in (walk_forward, combinatorial):
        given_names = inspect.signature(split).parameters
        assert given_names["reach"].default is inspect.Parameter.empty
        assert given_names["embargo"].default is inspect.Parameter.empty
    assert inspect.signature(reach_of).parameters["missing"].default is inspect.Parameter.empty


def test_what_lies_between_two_test_blocks_is_trained_on() -> None:
    # Vibe-Trading#1204: everything between the first and the last test block was purged
    folds = combinatorial(60, groups=6, tested=2, reach=Reach(2, 1), embargo=1)
    fold = next(f for f in folds if {0, 50} <= set(f.test.tolist()))
    assert fold.train.tolist() == list(range(14, 49))
    beside = folds[0]  # 0 ... 19 is one stretch
    assert beside.purged.tolist() == [20, 21, 22]


def test_embargo_comes_after_the_purge() -> None:
    # Fynance PR#273: both began at the same session, so that the shorter did nothing
    for embargo in (0, 1, 4):
        fold = combinatorial(40, groups=4, tested=1, reach=Reach(3, 2), embargo=embargo)[0]
        assert len(fold.purged) == 5
        assert fold.train[0] == 10 + 5 + embargo


def test_returns_after_a_test_are_those_of_decisions_after_it() -> None:
    # outcomes of 10 ... 19 are known at 21; 25 is the first decision that reads 22 and later, and
    # with fills a session later what it earns is the return of 26 and 27, so that 25 and 26 are
    # partly owed to decisions that are left out
    fold = combinatorial(40, groups=4, tested=1, reach=Reach(3, 2), embargo=0)[1]
    assert fold.train.tolist() == [*range(8), *range(25, 40)]
    earned = by_outcome(fold, 2)
    assert earned.train.tolist() == [*range(8), *range(27, 40)]
    assert earned.purged.tolist() == [8, 9, *range(20, 27)]
    assert by_outcome(fold, 0).train.tolist() == fold.train.tolist()
    walked = walk_forward(DAYS, train=100, test=50, reach=Reach(3, 2), embargo=1)[0]
    assert by_outcome(walked, 2).train.tolist() == walked.train.tolist()


def test_windows_of_values_reach_over_the_gaps_of_their_own_column() -> None:
    ranked = make_strategy("ranked", filter="percentile", window=126)
    read = next(name for name, past in ranked.filter.inputs().items() if past.skip_missing)
    column = str(ranked.filter.inputs()[read].of)
    none = reach_of([ranked], "next_open", missing=0).window
    assert none is not None
    assert reach_of([ranked], "next_open", missing={"close": 9}).window == none
    assert reach_of([ranked], "next_open", missing={column: 9}).window == none + 9


def test_paths_use_every_judged_group_once() -> None:
    paths = backtest_paths(6, 2)
    assert paths.shape == (5, 6)  # the book's example
    folds = combinatorial(60, groups=6, tested=2, reach=NOTHING, embargo=0)
    for group in range(6):
        assert len(set(paths[:, group])) == 5
        assert all(group * 10 in folds[fold].test for fold in paths[:, group])


def test_reach_follows_from_the_components() -> None:
    plain = make_strategy("plain", filter="sign", lookback=3)
    ranked = make_strategy("ranked", filter="percentile", window=126, lookback=5)
    assert reach_of([plain], "next_close", missing=0).holding == 2
    assert reach_of([plain], "same_close", missing=0).holding == 1
    one = reach_of([plain], "next_open", missing=0).window
    both = reach_of([plain, ranked], "next_open", missing=0).window
    assert one is not None
    assert both is not None
    assert 2 <= one <= 3
    assert both >= 125


def test_what_makes_no_folds_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="no training of 20y"):
        walk_forward(DAYS, train="20y", test="1y", reach=NOTHING, embargo=0)
    with pytest.raises(NotEnoughDataError, match="nothing is left to train on"):
        walk_forward(DAYS, train=5, test=5, reach=Reach(0, 5), embargo=0)
    with pytest.raises(GexlabError, match=r"years \(5y\) or quarters \(2q\), found '5 years'"):
        walk_forward(DAYS, train="5 years", test=5, reach=NOTHING, embargo=0)
    with pytest.raises(GexlabError, match="at least one session"):
        walk_forward(DAYS, train=0, test=5, reach=NOTHING, embargo=0)
    with pytest.raises(GexlabError, match="negative"):
        walk_forward(DAYS, train=10, test=5, reach=NOTHING, embargo=-1)
    with pytest.raises(GexlabError, match="negative"):
        Reach(-1, 0)
    with pytest.raises(GexlabError, match="rise"):
        walk_forward(DAYS[::-1], train=10, test=5, reach=NOTHING, embargo=0)
    with pytest.raises(UnknownNameError, match="anchored"):
        walk_forward(DAYS, train=9, test=5, reach=NOTHING, embargo=0, kind="anchor")  # type: ignore[arg-type]
    with pytest.raises(GexlabError, match="3 of 3 groups"):
        combinatorial(60, groups=3, tested=3, reach=NOTHING, embargo=0)
