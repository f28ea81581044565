"""Combinations of filters: all, any, vote, not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..codes import ABSTAIN, LONG, NEUTRAL, SHORT
from ..component import Filter, Past
from .sign import Sign

__all__ = ["All", "Any", "Not", "Vote"]

Floats = npt.NDArray[np.float64]


class _Several(Filter):
    of: tuple[Filter, ...] = (Sign(),)

    def inputs(self) -> Mapping[str, Past]:
        """Read today's label of each."""
        return {f"label_{i}": Past(part) for i, part in enumerate(self.of)}


def _stacked(labels: Mapping[str, Floats]) -> Floats:
    return np.stack([value[:, -1] for value in labels.values()], axis=1)


class All(_Several):
    """The label on which all agree; neutral otherwise; abstain where one abstains."""

    name = "all"

    def labels(self, **labels: Floats) -> Floats:
        """Return one code a decision."""
        stacked = _stacked(labels)
        same = (stacked == stacked[:, :1]).all(axis=1)
        out = np.where(same, stacked[:, 0], NEUTRAL)
        return np.where((stacked == ABSTAIN).any(axis=1), ABSTAIN, out)


class Any(_Several):
    """Long or short where one says so and none contradicts; abstentions do not count."""

    name = "any"

    def labels(self, **labels: Floats) -> Floats:
        """Return one code a decision."""
        stacked = _stacked(labels)
        up, down = (stacked == LONG).any(axis=1), (stacked == SHORT).any(axis=1)
        out = np.where(up & ~down, LONG, np.where(down & ~up, SHORT, NEUTRAL))
        return np.where((stacked == ABSTAIN).all(axis=1), ABSTAIN, out)


class Vote(_Several):
    """The label of more than half of those that do not abstain; neutral without a majority."""

    name = "vote"

    def labels(self, **labels: Floats) -> Floats:
        """Return one code a decision."""
        stacked = _stacked(labels)
        voters = (stacked != ABSTAIN).sum(axis=1)
        up, down = (stacked == LONG).sum(axis=1), (stacked == SHORT).sum(axis=1)
        out = np.where(2 * up > voters, LONG, np.where(2 * down > voters, SHORT, NEUTRAL))
        return np.where(voters == 0, ABSTAIN, out)


class Not(Filter):
    """Long for short and short for long."""

    name = "not"
    of: Filter = Sign()

    def inputs(self) -> Mapping[str, Past]:
        """Read today's label."""
        return {"label": Past(self.of)}

    def labels(self, label: Floats) -> Floats:
        """Return one code a decision."""
        today = label[:, -1]
        return np.where(today == LONG, SHORT, np.where(today == SHORT, LONG, today))
