"""Compiled loops over decisions against the same in whole arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from gexlab.data import NOISE
from gexlab.strategies.kernels import finished, latched_ranks, ranks_of_last, ruled

Floats = npt.NDArray[np.float64]
NEVER = np.iinfo(np.int64).min


def _ranks(windows: Floats) -> Floats:
    last = windows[:, -1:]
    tied = np.abs(windows - last) <= NOISE * np.maximum(np.abs(windows), np.abs(last))
    less = ((windows < last) & ~tied).sum(axis=1)
    rank = (less + (tied.sum(axis=1) + 1) / 2) / windows.shape[1]
    rank[np.isnan(windows).any(axis=1) | tied.all(axis=1)] = np.nan
    return np.asarray(rank)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_ranks(size: int) -> None:
    source = np.random.default_rng(size)
    values = source.integers(-2, 3, 400) * (1.0 + 1e-15 * source.integers(-1, 2, 400))
    values[source.integers(0, 400, 20)] = np.nan
    values[:3] = np.inf, -np.inf, 0.0
    windows = np.lib.stride_tricks.sliding_window_view(values, size)
    with np.errstate(invalid="ignore"):
        wanted = _ranks(windows)
    np.testing.assert_array_equal(ranks_of_last(windows), wanted)


def test_labels_by_rank_by_hand() -> None:
    rank = np.array([0.5, 0.6, 0.55, 0.45, 0.4, 0.5, 0.51, np.nan, 0.5, 0.3])
    # in at .6 and .4, out below .5 and above .5; a hole forgets
    found = latched_ranks(rank, 0.6, 0.5, 1e-12)
    assert found.tolist() == [3, 1, 1, 3, 2, 2, 3, 0, 3, 2]


def test_targets_of_labels_by_hand() -> None:
    codes = np.array([0.0, 1.0, 2.0, 3.0])
    values = tuple(np.full(4, v) for v in (0.1, -0.2, np.nan))
    moments = tuple(np.full(4, t, dtype=np.int64) for t in (10, 20, 30))
    target, known = ruled(codes, values, moments)
    np.testing.assert_array_equal(target, [np.nan, 0.1, -0.2, np.nan])
    assert known.tolist() == [NEVER, 10, 20, 30]
    label_at, sized_at = np.full(4, 15, dtype=np.int64), np.full(4, 25, dtype=np.int64)
    position, undefined, filter_at, rule_at = finished(codes, label_at, known, target, sized_at)
    assert position.tolist() == [0.0, 0.1, -0.2, 0.0]
    assert undefined.tolist() == [False, False, False, True]
    assert filter_at.tolist() == [NEVER, 15, 15, 15]
    assert rule_at.tolist() == [NEVER, 25, 25, 30]
