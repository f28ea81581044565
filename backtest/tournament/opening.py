"""Opening a lockbox: named trials on the sessions that no trial saw, once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...data import ConfigError, LedgerError, UnknownNameError, short_repr
from ..run.load_config import load_config
from ..run.load_market import load_market
from ..run.locked import box_of
from ..statistics import metrics
from ..statistics.sharpe_intervals import sharpe_intervals
from .arena import Arena, played
from .arenas import arenas_on, space_in
from .folds import Fold
from .judgement import sharpe_errors
from .ledger import record_trials
from .lockbox import mark_opened
from .tournament import recorded

if TYPE_CHECKING:
    from datetime import date

    from ..run.config import Config
    from .lockbox import Lockbox

__all__ = ["LockboxResult", "lockbox"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LockboxResult:
    """A lockbox and what was found in it.

    Attributes
    ----------
    underlying : str
    first : date
        First session kept out.
    set_at : str
    opened_at : str or None
        None while it is closed.
    found : mapping or None
        ``first_session, last_session, sessions, trials [{trial_id, filter, rule, sharpe, low, high,
        p_value}], sentence``.
    """

    underlying: str
    first: date
    set_at: str
    opened_at: str | None
    found: Mapping[str, Any] | None
    __repr__ = short_repr

    def document(self) -> dict[str, Any]:
        """Return what the command prints as JSON.

        Returns
        -------
        dict of str to object
        """
        return {
            "underlying": self.underlying,
            "start": str(self.first),
            "set_at": self.set_at,
            "opened_at": self.opened_at,
            "found": None if self.found is None else dict(self.found),
        }


def lockbox(config: Config | str | Path, open_for: Sequence[str] = ()) -> LockboxResult:
    """Show the lockbox of a market, or open it for named trials.

    Parameters
    ----------
    config : Config, str or Path
    open_for : sequence of str
        Trials of the configuration's tournament, as ``tournament.json`` names them; none leaves it
        as it is.

    Returns
    -------
    LockboxResult

    Raises
    ------
    ConfigError
        If there is no ledger, or the market has no lockbox.
    UnknownNameError
        If the configuration has no such trial.
    LedgerError
        If it was opened before.
    """
    settings = load_config(config) if isinstance(config, str | Path) else config
    box = box_of(settings)
    if box is None:
        raise ConfigError(
            f"{settings.data.underlying} has no lockbox: set [tournament] lockbox, e.g. "
            '"2y", before the first trial'
        )
    if not open_for:
        return LockboxResult(box.underlying, box.first, box.set_at, box.opened_at, box.opened)
    if not box.closed:
        raise LedgerError(
            f"the lockbox from {box.first} of {box.underlying} was opened before "
            f"({box.opened_at}): it can be opened once"
        )
    return _opened(settings, box, tuple(dict.fromkeys(open_for)))


def _opened(config: Config, box: Lockbox, wanted: tuple[str, ...]) -> LockboxResult:
    path = config.ledger_path
    assert path is not None
    rows: list[dict[str, Any]] = []
    records = []
    first, last, sessions = None, None, 0
    known: list[str] = []
    space = space_in(config)
    for variant in space.variants:
        market = load_market(variant.config, locked=False)
        for arena in arenas_on(space, variant, market, config):
            known += [e.trial_id for e in arena.entries if e.role == "entry"]
            chosen = [e for e in arena.entries if e.trial_id in wanted]
            inside = np.flatnonzero(arena.days >= np.datetime64(box.first, "D"))
            if not chosen or not len(inside):
                continue
            mine = _on(arena, tuple(chosen), inside)
            result = played(mine, lambda *_: None)
            records += list(recorded([mine], [result]))
            first, last = arena.days[inside[0]].item(), arena.days[inside[-1]].item()
            sessions = len(inside)
            rows += _judged(mine, result.returns[mine.outside], len(wanted), config.inference.level)
    for name in wanted:
        if name not in known:
            raise UnknownNameError("trial of this tournament", name, tuple(known))
    if not rows:
        raise ConfigError(f"there is no session from {box.first} on yet: bring more data")
    found = {
        "first_session": str(first),
        "last_session": str(last),
        "sessions": sessions,
        "level": config.inference.level,
        "trials": rows,
        "sentence": _sentence(rows, sessions),
    }
    opened_at = mark_opened(path, box, found)
    record_trials(path, records, config.ledger.stand_ins)
    return LockboxResult(box.underlying, box.first, box.set_at, opened_at, found)


def _on(arena: Arena, entries: tuple[Any, ...], inside: npt.NDArray[np.int64]) -> Arena:
    """Return an arena whose only test are the locked sessions."""
    none = np.arange(0)
    fold = Fold(train=np.arange(int(inside[0])), test=inside, purged=none, embargoed=none)
    return replace(arena, entries=entries, folds=(fold,))


def _judged(arena: Arena, returns: Floats, wanted: int, level: float) -> list[dict[str, Any]]:
    from scipy.stats import norm

    ratio, error = sharpe_errors(returns, 1.0)
    year = arena.ground.clock.year
    low, high = sharpe_intervals(returns, level, year)
    out = []
    for j, entry in enumerate(arena.entries):
        t = ratio[j] / error[j] if error[j] > 0.0 else math.nan
        p = float(norm.sf(t)) if math.isfinite(t) else math.nan
        out.append(
            {
                "trial_id": entry.trial_id,
                "filter": entry.strategy.filter.describe(),
                "rule": entry.strategy.describe(),
                "sharpe": metrics.sharpe(returns[:, j], year),
                "low": float(low[j]),
                "high": float(high[j]),
                "p_value": min(p * wanted, 1.0),
            }
        )
    return out


def _sentence(rows: Sequence[Mapping[str, Any]], sessions: int) -> str:
    held = [row for row in rows if row["p_value"] <= 0.05]
    number = "one trial" if len(rows) == 1 else f"{len(rows)} trials"
    verb = "holds" if len(held) == 1 else "hold"
    return (
        f"Of {number} named, {len(held)} {verb} on the {sessions} sessions that no trial had seen "
        "(one-sided p, times the number named, at most 0.05)."
    )
