"""Placebos: regimes that know nothing but flip like one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..codes import ABSTAIN, LONG, SHORT
from ..component import Filter, Past
from .sign import Sign

__all__ = ["BlockShuffle", "Lagged", "Markov"]

Floats = npt.NDArray[np.float64]


class Markov(Filter):
    """A random regime of two states with stated persistence, drawn from `seed`.

    Each session keeps its label with the probability `stay_long` or `stay_short`. The draws of
    the first sessions do not depend on how many follow.
    """

    bounds: ClassVar = {"stay_long": (0.0, 1.0), "stay_short": (0.0, 1.0), "seed": (0, 1e18)}

    recursive = True
    stay_long: float = 0.95
    stay_short: float = 0.85
    seed: int = 1

    def inputs(self) -> Mapping[str, Past]:
        """Read nothing but that there is a session."""
        return {"close": Past("close")}

    def labels(self, close: Floats) -> Floats:
        """Return one code a decision."""
        draws = np.random.default_rng(self.seed).random(len(close))
        leave = {LONG: 1.0 - self.stay_long, SHORT: 1.0 - self.stay_short}
        share = leave[SHORT] / max(leave[LONG] + leave[SHORT], 1e-12)
        out = np.empty(len(close))
        state = LONG if np.random.default_rng([self.seed, 1]).random() < share else SHORT
        for t, draw in enumerate(draws):
            if draw < leave[state]:
                state = SHORT if state == LONG else LONG
            out[t] = state
        return out


class Lagged(Filter):
    """Another filter's label of `sessions` sessions ago: the right flips at the wrong time."""

    bounds: ClassVar = {"sessions": (1, 1e5)}

    sessions: int = 63
    of: Filter = Sign()

    def inputs(self) -> Mapping[str, Past]:
        """Read the filter's labels back to the one that counts."""
        return {"label": Past(self.of, self.sessions + 1, complete=False)}

    def labels(self, label: Floats) -> Floats:
        """Return one code a decision; before the first label there is none."""
        return np.where(np.isnan(label[:, 0]), ABSTAIN, label[:, 0])


class BlockShuffle(Filter):
    """Another filter's past labels, replayed in blocks drawn at random from what has been.

    Blocks are at most `block` sessions long and start at a session drawn from those before.
    """

    bounds: ClassVar = {"block": (1, 1e5), "seed": (0, 1e18)}

    recursive = True
    block: int = 21
    seed: int = 1
    of: Filter = Sign()

    def inputs(self) -> Mapping[str, Past]:
        """Read all of the filter's labels so far."""
        return {"label": Past(self.of, None)}

    def labels(self, label: Floats) -> Floats:
        """Return one code a decision."""
        draws = np.random.default_rng(self.seed).random(len(label) // self.block + 1)
        out = np.full(len(label), ABSTAIN)
        for k, draw in enumerate(draws):
            first = k * self.block
            if first >= self.block:
                start = int(draw * (first - self.block + 1))
                stop = min(first + self.block, len(label))
                out[first:stop] = label[start : start + stop - first]
        return out
