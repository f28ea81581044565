"""A grid's trials in the ledger: counted before anybody can see what they came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...data import LedgerError
from ..run.trials import Chosen, data_id_of, world_of
from ..tournament.counting import recorded_ids
from ..tournament.ledger import Trial as Recorded
from ..tournament.ledger import record_trials

if TYPE_CHECKING:
    import pandas as pd

    from ..run.config import Config
    from ..run.market import Market
    from .space import Trial

__all__ = ["Records"]

Floats = npt.NDArray[np.float64]


class Records:
    """The ledger of a grid's configuration; without one nothing is recorded.

    Attributes
    ----------
    unrecorded : int
        Trials that could not be recorded.
    """

    def __init__(self, config: Config) -> None:
        self._path = config.ledger_path
        self._stand_ins = config.ledger.stand_ins
        self._names: dict[tuple[int, str], tuple[str, dict[str, Any]]] = {}
        self._chosen: dict[tuple[int, int, int], tuple[Chosen, Trial]] = {}
        self.unrecorded = 0

    def known(self, market: Market, trials: Sequence[Trial]) -> Callable[[Trial], bool]:
        """Return a function that says whether a trial is counted already, or need not be."""
        if self._path is None or not trials:
            return lambda _: True
        first, last = market.sessions[0].date(), market.sessions[-1].date()
        variant = trials[0].variant.config
        try:
            ids = recorded_ids(
                self._path,
                variant.data.underlying,
                first,
                last,
                world=world_of(variant, market),
            )
        except LedgerError:  # there is none yet
            ids = frozenset()
        return lambda trial: self.named(market, trial)[0] in ids

    def add(
        self,
        market: Market,
        trials: Sequence[Trial],
        rows: Mapping[str, Mapping[str, Any]],
        returns: Mapping[str, Floats],
        sessions: pd.DatetimeIndex,
    ) -> None:
        """Record trials with metrics and returns; the first session has no return.

        A ledger that cannot be written is counted in `unrecorded`: the numbers are as good.
        """
        if self._path is None:
            return
        days = sessions.to_numpy().astype("datetime64[D]")
        made = []
        for trial in trials:
            trial_id, settings = self.named(market, trial)
            variant = trial.variant.config
            made.append(
                Recorded(
                    trial_id=trial_id,
                    name=trial.strategy.describe(),
                    source="grid",
                    underlying=variant.data.underlying,
                    data_id=data_id_of(market),
                    sessions=days,
                    returns=np.concatenate([[np.nan], returns[trial.trial_id]]),
                    metrics=dict(rows[trial.trial_id]),
                    settings=settings,
                    world=world_of(variant, market),
                )
            )
        try:
            record_trials(self._path, made, self._stand_ins)
        except LedgerError:
            self.unrecorded += len(made)

    def named(self, market: Market, trial: Trial) -> tuple[str, dict[str, Any]]:
        """Return a trial's id in the ledger, and what it is a digest of."""
        key = id(market), trial.trial_id
        if key not in self._names:
            shared = id(market), id(trial.variant), id(trial.execution)
            if shared not in self._chosen:
                config = trial.variant.config.model_copy(update={"execution": trial.execution})
                self._chosen[shared] = Chosen(config, market), trial  # which keeps the ids alive
            self._names[key] = self._chosen[shared][0].of(trial.strategy)
        return self._names[key]
